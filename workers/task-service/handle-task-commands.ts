import type { Handler } from "../../shared/consume/handler.ts";
import type { Tx } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import { plainId } from "../../shared/recurrence/find-recurrence.ts";
import type { CreateOccurrence, RemoveOccurrence } from "../../shared/messages/records.ts";
import {
  decideOccurrence,
  decideRemoval,
  templateColumns,
  type OccurrenceDecision,
  type IgnoreReason,
  type Template,
} from "./decide-occurrence.ts";
import { localDueOf } from "./local-due-of.ts";
import { lockTask } from "./read-tasks.ts";
import { insertMissingRow, updateRows } from "./store-rows.ts";
import type { TaskRow } from "./task-row.ts";

/**
 * Makes the occurrence a command asks for, from its template as it is now, or deletes one that nobody has touched.
 * Replay is safe because the id of an occurrence is computed from series and recurrence id, the table is unique on
 * both, and a removal holds for one version only.
 */
export function makeHandleTaskCommands(countIgnored: (why: IgnoreReason) => void): Handler {
  return async (message, { tx, now, log }) => {
    const done = await (() => {
      switch (message.type) {
        case "CreateOccurrence":
          return makeOccurrence(tx, message.data, now);
        case "RemoveOccurrence":
          return removeOccurrence(tx, message.data, now);
        default:
          throw new Problem("INVARIANT", `task-commands carries no ${message.type}`);
      }
    })();
    if (typeof done !== "string") return done.events;
    countIgnored(done);
    const { template_id: templateId, occurrence_id: occurrenceId } = message.data;
    log.debug("command_ignored", { type: message.type, why: done, templateId, occurrenceId });
    return [];
  };
}

async function makeOccurrence(
  tx: Tx,
  command: CreateOccurrence,
  now: Date,
): Promise<OccurrenceDecision | IgnoreReason> {
  // Shared lock: the template is neither changed nor deleted until the occurrence is committed.
  const [template] = await tx<Template[]>`
    select ${tx(templateColumns)} from tasks where id = ${command.template_id} for share`;
  const decided = decideOccurrence(template ?? null, command, now);
  if (typeof decided === "string") return decided;
  const row = { ...decided.row, due_local: localDueOf(decided.row) ?? (await movedTo(tx, decided.row)) };
  return (await insertMissingRow(tx, row)) ? decided : "exists";
}

/** What the due of a recurrence that was moved beforehand was said as, see `series_exceptions`. */
async function movedTo(tx: Tx, row: TaskRow): Promise<string | null> {
  if (row.due_date === null) return null;
  const [moved] = await tx<{ local: string | null }[]>`
    select due_local as local from series_exceptions
    where series_id = ${row.template_id} and recurrence_id = ${plainId(row.recurrence_id ?? "")}
      and due_local_at = due_date and due_date = ${row.due_date}`;
  return moved?.local ?? null;
}

async function removeOccurrence(
  tx: Tx,
  command: RemoveOccurrence,
  now: Date,
): Promise<OccurrenceDecision | IgnoreReason> {
  const decided = decideRemoval(await lockTask(tx, command.occurrence_id), command, now);
  if (typeof decided === "string") return decided;
  await updateRows(tx, [decided.row]);
  return decided;
}
