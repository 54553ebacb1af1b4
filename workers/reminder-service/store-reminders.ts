import type { Sql, Tx } from "../../shared/postgres/db.ts";
import { taskState, type Guard } from "./guard.ts";
import type { Reminder } from "./reminder.ts";

/** The columns of a reminder as `Reminder` has them. */
export function reminderColumns(sql: Sql | Tx) {
  return sql`
    id, task_id as "taskId", user_id as "userId", rule, remind_at as "remindAt", generation::int as generation, status,
    version::int as version, triggered_at as "triggeredAt", dismissed_at as "dismissedAt", reason,
    dismissed_for as "dismissedFor", snoozed_from as "snoozedFrom", snoozed_for as "snoozedFor",
    drop_after as "dropAfter"`;
}

/**
 * The guards of these tasks, locked in id order until the transaction ends; a task nobody knows is missing. Whoever writes a
 * reminder locks its task's guard first.
 */
export async function lockGuards(tx: Tx, taskIds: readonly string[]): Promise<Map<string, Guard>> {
  const rows = await tx<Guard[]>`
    select task_id as "taskId", user_id as "userId", fields, floor::int as floor from reminder_guards
    where task_id = any(${[...taskIds]}::uuid[]) order by task_id for no key update`;
  return new Map(rows.map((guard) => [guard.taskId, guard]));
}

/**
 * The same, made where there is none: for the task's owner as task-service's table says, else for the given user, so that a message that
 * names another comes to nothing also where it is the first one heard of. Of two who make one, the second gets what the first made.
 */
export async function lockOrMakeGuards(tx: Tx, users: ReadonlyMap<string, string>): Promise<Map<string, Guard>> {
  const known = await lockGuards(tx, [...users.keys()]);
  const missing = [...users.keys()].filter((taskId) => !known.has(taskId)).sort();
  if (missing.length === 0) return known;
  await tx`
    insert into reminder_guards (task_id, user_id)
    select missing.task_id, coalesce(tasks.user_id, missing.user_id)
    from unnest(${missing}::uuid[], ${missing.map((taskId) => users.get(taskId) ?? "")}::uuid[]) as missing (task_id, user_id)
    left join tasks on tasks.id = missing.task_id
    order by missing.task_id
    on conflict (task_id) do nothing`;
  return new Map([...known, ...(await lockGuards(tx, missing))]);
}

export async function saveGuards(tx: Tx, guards: readonly Guard[]): Promise<void> {
  if (guards.length === 0) return;
  await tx`
    update reminder_guards
    set fields = saved.fields::jsonb, closed = saved.closed::boolean, updated_at = clock_timestamp()
    from unnest(
      ${guards.map(({ taskId }) => taskId)}::uuid[], ${guards.map(({ fields }) => JSON.stringify(fields))}::text[],
      ${guards.map((guard) => String(taskState(guard).closed !== null))}::text[]
    ) as saved (task_id, fields, closed)
    where reminder_guards.task_id = saved.task_id`;
}

/** The reminders of these tasks, locked in id order. Lock the guards first: then none is added meanwhile. */
export async function lockReminders(tx: Tx, taskIds: readonly string[]): Promise<readonly Reminder[]> {
  return tx<Reminder[]>`
    select ${reminderColumns(tx)} from reminders
    where task_id = any(${[...taskIds]}::uuid[]) order by id for no key update`;
}

/** Takes rows away, and remembers per task up to which version. Their guards must be locked. */
export async function deleteReminders(tx: Tx, rows: readonly Reminder[]): Promise<void> {
  if (rows.length === 0) return;
  await tx`
    with gone as (
      delete from reminders where id = any(${rows.map(({ id }) => id)}::uuid[]) returning task_id, version
    )
    update reminder_guards set floor = greatest(floor, pruned.version)
    from (select task_id, max(version) as version from gone group by task_id) pruned
    where reminder_guards.task_id = pruned.task_id`;
}

/** Writes rows as they are now, each at most once. A new generation is not armed yet; the rest keep their wake-up. */
export async function saveReminders(tx: Tx, rows: readonly Reminder[]): Promise<void> {
  if (rows.length === 0) return;
  const column = <T>(of: (row: Reminder) => T): T[] => rows.map(of);
  const instant = (of: (row: Reminder) => Date | null) => column((row) => of(row)?.toISOString() ?? null);
  await tx`
    insert into reminders as old (id, task_id, user_id, rule, remind_at, generation, status, version, triggered_at,
      dismissed_at, reason, dismissed_for, snoozed_from, snoozed_for, drop_after)
    select * from unnest(
      ${column(({ id }) => id)}::uuid[], ${column(({ taskId }) => taskId)}::uuid[], ${column(({ userId }) => userId)}::uuid[],
      ${column(({ rule }) => rule)}::text[], ${instant(({ remindAt }) => remindAt)}::timestamptz[],
      ${column(({ generation }) => generation)}::bigint[], ${column(({ status }) => status)}::text[],
      ${column(({ version }) => version)}::bigint[], ${instant(({ triggeredAt }) => triggeredAt)}::timestamptz[],
      ${instant(({ dismissedAt }) => dismissedAt)}::timestamptz[], ${column(({ reason }) => reason)}::text[],
      ${instant(({ dismissedFor }) => dismissedFor)}::timestamptz[],
      ${instant(({ snoozedFrom }) => snoozedFrom)}::timestamptz[], ${instant(({ snoozedFor }) => snoozedFor)}::timestamptz[],
      ${column(({ dropAfter }) => dropAfter)}::text[])
    on conflict (id) do update set
      remind_at = excluded.remind_at, generation = excluded.generation, status = excluded.status,
      version = excluded.version, triggered_at = excluded.triggered_at, dismissed_at = excluded.dismissed_at,
      reason = excluded.reason, dismissed_for = excluded.dismissed_for,
      snoozed_from = excluded.snoozed_from, snoozed_for = excluded.snoozed_for, drop_after = excluded.drop_after,
      armed_in = case when excluded.generation = old.generation then old.armed_in else 0 end`;
}
