import { confirmCall } from "./dialog.ts";
import { element } from "../../../shared/page/element.ts";
import type { ParkedJson } from "./shapes.ts";
import { actions, button, table } from "./table.ts";
import { counted, firstLine, moment } from "./words.ts";

export function showParked(parked: readonly ParkedJson[], changed: () => void): Node {
  const rows = parked.map((key) => {
    const name = `${key.key} of ${key.group}`;
    return [
      key.group,
      `${key.topic} ${key.key}`,
      key.messages,
      key.attempts,
      moment(key.since),
      moment(key.nextAt),
      `${key.class}: ${firstLine(key.error)}`,
      actions(
        button("Retry…", `Retry ${name}`, () => ask("retry", key, changed)),
        button("Skip…", `Skip ${name}`, () => ask("skip", key, changed)),
      ),
    ];
  });
  const columns = [
    { title: "Group" },
    { title: "Key", kind: "mono" },
    { title: "Waiting", kind: "number" },
    { title: "Tries", kind: "number" },
    { title: "Since" },
    { title: "Next try" },
    { title: "Error", kind: "text" },
    { title: "", kind: "actions" },
  ] as const;
  return table("Parked keys", columns, rows, "No key waits behind a failure.");
}

function ask(verb: "retry" | "skip", { group, topic, key, messages }: ParkedJson, changed: () => void): void {
  const behind = counted(messages - 1, "message waits", "messages wait");
  const says =
    verb === "retry"
      ? `The first message of ${key} is tried now; ${behind} behind it, in order.`
      : `The first message of ${key} becomes a dead letter; ${behind} behind it and then ${messages === 2 ? "goes" : "go"} on.`;
  void confirmCall([`POST /api/parked/${verb}`, { group, topic, key }], {
    title: verb === "retry" ? "Retry now?" : "Skip the first message?",
    content: [element("p", {}, says)],
    confirm: verb === "retry" ? "Retry" : "Skip",
    changed,
  });
}
