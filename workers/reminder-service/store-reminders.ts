import type { Sql, Tx } from "../../shared/db.ts";
import type { FoldedFields } from "../../shared/fold-fields.ts";
import { taskState, type Guard } from "./guard.ts";
import type { Reminder } from "./reminder.ts";

/** The columns of a reminder as `Reminder` has them. */
export function reminderColumns(sql: Sql | Tx) {
  return sql`
    id, task_id as "taskId", user_id as "userId", rule, remind_at as "remindAt", generation::int as generation, status,
    version::int as version, triggered_at as "triggeredAt", dismissed_at as "dismissedAt", reason,
    dismissed_for as "dismissedFor"`;
}

/** The guard of a task, locked until the transaction ends; `null` when nothing is known of the task. */
export async function lockGuard(tx: Tx, taskId: string): Promise<Guard | null> {
  const [row] = await tx<{ userId: string; fields: FoldedFields }[]>`
    select user_id as "userId", fields from reminder_guards where task_id = ${taskId} for no key update`;
  return row === undefined ? null : { taskId, ...row };
}

/** The same, made for `userId` when there is none. Whoever comes second waits for the first and gets what that one made. */
export async function lockOrMakeGuard(tx: Tx, taskId: string, userId: string): Promise<Guard> {
  const known = await lockGuard(tx, taskId);
  if (known !== null) return known;
  const made = await tx`
    insert into reminder_guards (task_id, user_id) values (${taskId}, ${userId})
    on conflict (task_id) do nothing returning task_id`;
  if (made.length > 0) return { taskId, userId, fields: {} };
  const theirs = await lockGuard(tx, taskId);
  if (theirs === null) throw new Error(`the guard of task ${taskId} vanished`);
  return theirs;
}

export async function saveGuard(tx: Tx, guard: Guard): Promise<void> {
  await tx`
    update reminder_guards
    set fields = ${JSON.stringify(guard.fields)}::jsonb, closed = ${taskState(guard).closed !== null},
      updated_at = clock_timestamp()
    where task_id = ${guard.taskId}`;
}

/** The reminders of a task, locked in id order. Lock the guard first: then none is added meanwhile. */
export async function lockReminders(tx: Tx, taskId: string): Promise<readonly Reminder[]> {
  return tx<Reminder[]>`
    select ${reminderColumns(tx)} from reminders where task_id = ${taskId} order by id for no key update`;
}

/** Writes rows as they are now. A new generation is not armed yet; the rest keep their wake-up. */
export async function saveReminders(tx: Tx, rows: readonly Reminder[]): Promise<void> {
  for (const row of rows)
    await tx`
      insert into reminders as old (id, task_id, user_id, rule, remind_at, generation, status, version, triggered_at,
        dismissed_at, reason, dismissed_for)
      values (${row.id}, ${row.taskId}, ${row.userId}, ${row.rule}, ${row.remindAt}, ${row.generation}, ${row.status},
        ${row.version}, ${row.triggeredAt}, ${row.dismissedAt}, ${row.reason}, ${row.dismissedFor})
      on conflict (id) do update set
        remind_at = excluded.remind_at, generation = excluded.generation, status = excluded.status,
        version = excluded.version, triggered_at = excluded.triggered_at, dismissed_at = excluded.dismissed_at,
        reason = excluded.reason, dismissed_for = excluded.dismissed_for,
        armed_in = case when excluded.generation = old.generation then old.armed_in else 0 end`;
}
