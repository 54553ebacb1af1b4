import { dropDeadLetters } from "../actions/drop-dead-letters.ts";
import { editDeadLetter } from "../actions/edit-dead-letter.ts";
import { usageError, type Terminal } from "../command.ts";
import { openOpsCodec, openOpsDb, readBy } from "../open-tools.ts";
import { isUuid, readChangeFilter, type DlqValues } from "./dlq-options.ts";

export async function drop(_: readonly string[], values: DlqValues, terminal: Terminal): Promise<number> {
  const filter = readChangeFilter(values, terminal);
  const dryRun = values["dry-run"];
  await using db = await openOpsDb(terminal);
  const { auditId, ids } = await dropDeadLetters(db, filter, { by: readBy(values, terminal.env), dryRun });
  if (values.json) terminal.print(JSON.stringify({ dryRun, auditId, ids }));
  else terminal.print(`${dryRun ? "would drop" : "dropped"} ${ids.length} dead letters`);
  return 0;
}

export async function edit([id]: readonly string[], values: DlqValues, terminal: Terminal): Promise<number> {
  if (id === undefined || !isUuid(id)) throw usageError("say the id of a dead letter");
  if (values.data === undefined) throw usageError("say --data FILE, or - for standard input");
  const data = readJson(values.data, await (values.data === "-" ? Bun.stdin : Bun.file(values.data)).text());
  const dryRun = values["dry-run"];
  await using db = await openOpsDb(terminal);
  const deps = { db, codec: () => openOpsCodec(terminal, db) };
  const edited = await editDeadLetter(deps, { id, data }, { by: readBy(values, terminal.env), dryRun });
  if (values.json) terminal.print(JSON.stringify({ dryRun, ...edited }));
  else {
    terminal.print(
      `${dryRun ? "would change" : "changed"} ${edited.changed.join(", ") || "nothing more"} of ${edited.type} ${id}`,
    );
    if (!dryRun) terminal.print(`the copy is ${edited.id}: \`ops dlq redrive --letter ${edited.id}\``);
  }
  return 0;
}

function readJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new Error(`${file} is not JSON`, { cause });
  }
}
