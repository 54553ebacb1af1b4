import { call } from "./api.ts";
import { confirmCall, openDialog } from "./dialog.ts";
import { element } from "../../../shared/page/element.ts";
import { editLetter } from "./edit-letter.ts";
import type { DeadLetterGroupJson } from "./shapes.ts";
import { actions, button, table } from "./table.ts";
import { counted, firstLine, moment } from "./words.ts";

export function showDeadLetters(kinds: readonly DeadLetterGroupJson[], changed: () => void): Node {
  const rows = kinds.map((kind) => {
    const name = `${kind.group} ${kind.fingerprint}`;
    return [
      kind.group,
      kind.count,
      kind.classes.join(", "),
      kind.keys,
      kind.users,
      moment(kind.last),
      firstLine(kind.error),
      actions(
        button("Look", `Look at a sample of ${name}`, () => look(kind.sample, changed)),
        button("Redrive…", `Redrive ${name}`, () => redrive(kind, changed)),
        button("Drop…", `Drop ${name}`, () => drop(kind, changed)),
      ),
    ];
  });
  const columns = [
    { title: "Group" },
    { title: "Count", kind: "number" },
    { title: "Class" },
    { title: "Keys", kind: "number" },
    { title: "Users", kind: "number" },
    { title: "Last" },
    { title: "Error", kind: "text" },
    { title: "", kind: "actions" },
  ] as const;
  return table("Dead letters by kind", columns, rows, "No group has given up on anything.");
}

async function look(id: string, changed: () => void): Promise<void> {
  const letter = await call("GET /api/dead-letters/:id", { id });
  const facts = [
    ["Id", letter.id],
    ["Group", letter.group],
    ["Position", `${letter.topic} ${letter.partition}/${letter.offset}`],
    ["Key", letter.key ?? "-"],
    ["Type", letter.type ?? "-"],
    ["Message", letter.messageId],
    ["User", letter.userId ?? "-"],
    ["Died", moment(letter.deadAt)],
    ["State", `${letter.state}, redriven ${counted(letter.redrives, "time")}`],
    ["Schema", String(letter.schemaId ?? "-")],
    ["Error", `${letter.class}: ${firstLine(letter.error)}`],
  ];
  const tries = letter.attempts.map((attempt) => [moment(attempt.at), attempt.class, firstLine(attempt.error)]);
  const headers = letter.headers.map(([name, value]) => [
    name,
    typeof value === "string" ? value : `base64 ${value.base64}`,
  ]);
  const content: Node[] = [
    element(
      "dl",
      { class: "facts" },
      ...facts.flatMap(([name = "", text = ""]) => [element("dt", {}, name), element("dd", {}, text)]),
    ),
    element("h3", {}, `The record, ${letter.read}`),
    block(typeof letter.value === "string" ? letter.value : JSON.stringify(letter.value, null, 2), "The record"),
    element("h3", {}, "Tries"),
    table(
      "Tries",
      [{ title: "When" }, { title: "Class" }, { title: "Error", kind: "text" }],
      tries,
      "None is on record.",
    ),
    element("h3", {}, "Headers"),
    table("Headers", [{ title: "Name" }, { title: "Value", kind: "mono" }], headers, "It has none."),
  ];
  if (letter.stack) content.push(element("h3", {}, "Stack"), block(letter.stack, "Stack"));
  if (letter.state === "dead" && typeof letter.value === "object" && letter.value !== null)
    content.push(
      element(
        "p",
        {},
        button("Edit a copy…", "Edit a copy", () => editLetter(letter, changed)),
      ),
    );
  await openDialog({ title: "Dead letter", content });
}

function block(text: string, label: string): HTMLElement {
  return element("pre", { tabindex: "0", role: "group", "aria-label": label }, text);
}

const filterOf = ({ group, fingerprint }: DeadLetterGroupJson) => ({ group, fingerprint });

async function redrive(kind: DeadLetterGroupJson, changed: () => void): Promise<void> {
  const { plan } = await call("POST /api/dead-letters/redrive", { filter: filterOf(kind), dryRun: true });
  if (plan === null) return;
  const capped =
    plan.overCap === 0 ? "" : ` ${counted(plan.overCap, "message")} redriven ${plan.cap} times already will stay.`;
  await confirmCall(["POST /api/dead-letters/redrive", { filter: filterOf(kind) }], {
    title: `Redrive to ${kind.group}?`,
    content: [
      element(
        "p",
        {},
        `${counted(plan.messages, "message")} of ${counted(plan.keys, "key")} go back to ${kind.group} and to no other group, per key in their order.${capped}`,
      ),
      element("p", { class: "soft" }, firstLine(kind.error)),
    ],
    confirm: `Redrive ${counted(plan.messages, "message")}`,
    changed,
  });
}

async function drop(kind: DeadLetterGroupJson, changed: () => void): Promise<void> {
  const { ids } = await call("POST /api/dead-letters/drop", {
    filter: filterOf(kind),
    dryRun: true,
  });
  await confirmCall(["POST /api/dead-letters/drop", { filter: filterOf(kind) }], {
    title: `Drop dead letters of ${kind.group}?`,
    content: [
      element(
        "p",
        {},
        `${counted(ids.length, "message")} count as settled and are never handled. They stay on record.`,
      ),
    ],
    confirm: `Drop ${counted(ids.length, "message")}`,
    changed,
  });
}
