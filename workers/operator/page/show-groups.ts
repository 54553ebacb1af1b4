import { confirmCall } from "./dialog.ts";
import { element } from "../../../shared/page/element.ts";
import type { GroupJson } from "./shapes.ts";
import { actions, button, table } from "./table.ts";
import { moment, seconds } from "./words.ts";

export function showGroups(groups: readonly GroupJson[], changed: () => void): Node {
  const rows = groups.map((group) => [
    group.group,
    group.members,
    group.lagMessages,
    group.lagMessages === 0 ? "-" : seconds(group.lagSeconds),
    group.parkedKeys,
    group.dead,
    stateOf(group),
    actions(control(group, changed)),
  ]);
  const columns = [
    { title: "Group" },
    { title: "Members", kind: "number" },
    { title: "Lag", kind: "number" },
    { title: "Oldest", kind: "number" },
    { title: "Parked keys", kind: "number" },
    { title: "Dead", kind: "number" },
    { title: "State" },
    { title: "", kind: "actions" },
  ] as const;
  return table("Consumer groups", columns, rows, "There are no groups.");
}

function stateOf({ blocked, lagMessages, members }: GroupJson): Node {
  if (blocked !== null) return element("span", { class: "late" }, `${blocked.why} since ${moment(blocked.since)}`);
  if (members === 0) return element("span", { class: "soft" }, "nobody reads, nothing waits");
  return lagMessages > 0
    ? element("span", { class: "warn" }, "catching up")
    : element("span", { class: "good" }, "up to date");
}

function control({ group, paused }: GroupJson, changed: () => void): HTMLButtonElement {
  const verb = paused === null ? "pause" : "resume";
  const word = paused === null ? "Pause" : "Resume";
  return button(word, `${word} ${group}`, () => {
    const says =
      paused === null
        ? "Its members finish what they have and read no more, until it is resumed. Messages wait in Kafka."
        : `Paused by ${paused.by} since ${moment(paused.since)}${paused.reason === null ? "" : `: ${paused.reason}`}.`;
    void confirmCall([`POST /api/consumers/:group/${verb}`, { group }], {
      title: `${word} ${group}?`,
      content: [element("p", {}, says)],
      confirm: word,
      changed,
    });
  });
}
