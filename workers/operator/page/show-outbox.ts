import { confirmCall } from "./dialog.ts";
import { element } from "../../../shared/page/element.ts";
import type { HoldJson, Outbox } from "./shapes.ts";
import { actions, button, table } from "./table.ts";
import { counted, firstLine, moment, seconds } from "./words.ts";

export function showOutbox({ waiting, oldestSeconds, shards, holds }: Outbox, changed: () => void): Node {
  const relays = new Map<string, number>();
  for (const { owner } of shards) if (owner !== null) relays.set(owner, (relays.get(owner) ?? 0) + 1);
  const orphans = shards.filter(({ owner }) => owner === null).length;
  const owned = [...relays].map(([owner, count]) => `${owner} (${counted(count, "shard")})`).join(", ");
  const facts = element(
    "p",
    {},
    waiting === 0
      ? "Nothing waits. "
      : `${counted(waiting, "message waits", "messages wait")}, the oldest for ${seconds(oldestSeconds)}. `,
    element("span", { class: "soft" }, owned === "" ? "" : `Published by ${owned}. `),
    element(
      "span",
      { class: "late" },
      orphans === 0 ? "" : `${counted(orphans, "shard has", "shards have")} no relay.`,
    ),
  );
  const rows = holds.map((hold) => [
    `${hold.topic} ${hold.key}`,
    hold.waiting,
    moment(hold.since),
    firstLine(hold.reason),
    actions(button("Release…", `Release ${hold.key} in ${hold.topic}`, () => release(hold, changed))),
  ]);
  const columns = [
    { title: "Held key" },
    { title: "Waiting", kind: "number" },
    { title: "Since" },
    { title: "Refused because", kind: "text" },
    { title: "", kind: "actions" },
  ] as const;
  return element("div", {}, facts, table("Held keys", columns, rows, "No key is held."));
}

function release({ topic, key, waiting }: HoldJson, changed: () => void): void {
  void confirmCall(["POST /api/outbox/release", { topic, key }], {
    title: "Release the key?",
    content: [
      element(
        "p",
        {},
        `What was refused is in ${topic}-dlq. ${counted(waiting, "message", "messages")} of ${key} behind it go out, in order.`,
      ),
    ],
    confirm: "Release",
    changed,
  });
}
