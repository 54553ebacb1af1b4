import type { Handler } from "../../shared/consume/handler.ts";
import type { Tx } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import type { CreateOccurrence, RemoveOccurrence } from "../../shared/records.ts";
import { decideOccurrence, decideRemoval, type Decided, type Ignored, type Template } from "./decide-occurrence.ts";
import { lockTask } from "./read-tasks.ts";

/**
 * Makes the occurrence a command asks for, from its template as it is now, or deletes one that nobody has touched.
 * Replay is safe because the id of an occurrence is computed from series and recurrence id, the table is unique on both, and a
 * removal holds for one version only.
 */
export function makeHandleTaskCommands(countIgnored: (why: Ignored) => void): Handler {
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

async function makeOccurrence(tx: Tx, command: CreateOccurrence, now: Date): Promise<Decided | Ignored> {
  // Shared lock: the template is neither changed nor deleted until the occurrence is committed.
  const [template] = await tx<Template[]>`
    select user_id, title, description, priority, tags, remind, is_recurring_template, recurrence_pattern,
      deleted_at
    from tasks where id = ${command.template_id} for share`;
  const decided = decideOccurrence(template ?? null, command, now);
  if (typeof decided === "string") return decided;
  const { row } = decided;
  const made = await tx`
    insert into tasks (id, user_id, title, description, created_at, updated_at, due_date, due_on, due_tz, priority, tags,
      remind, status, completed_at, template_id, recurrence_id, version)
    values (${row.id}, ${row.user_id}, ${row.title}, ${row.description}, ${row.created_at}, ${row.updated_at}, ${row.due_date},
      ${row.due_on}, ${row.due_tz}, ${row.priority}, ${[...row.tags]}::text[],
      ${row.remind === null ? null : [...row.remind]}::text[], ${row.status}, ${row.completed_at}, ${row.template_id},
      ${row.recurrence_id}, ${row.version})
    on conflict do nothing
    returning id`;
  return made.length === 0 ? "exists" : decided;
}

async function removeOccurrence(tx: Tx, command: RemoveOccurrence, now: Date): Promise<Decided | Ignored> {
  const decided = decideRemoval(await lockTask(tx, command.occurrence_id), command, now);
  if (typeof decided === "string") return decided;
  const { row } = decided;
  await tx`
    update tasks set deleted_at = ${row.deleted_at}, updated_at = ${row.updated_at}, version = ${row.version} where id = ${row.id}`;
  return decided;
}
