import type { Origin } from "../../shared/messages/message.ts";
import type { OutboxRow, WrittenBy } from "../../shared/outbox/outbox.ts";
import type { Sql, Tx } from "../../shared/postgres/db.ts";
import { taskState, type GuardRow } from "./guard.ts";
import type { Reminder } from "./reminder.ts";

/**
 * The columns of a reminder as `Reminder` has them. The version is at least the highest that may have been published
 * before the database went back in time, so that the next one is above it.
 */
export function reminderColumns(sql: Sql | Tx) {
  return sql`
    id, task_id as "taskId", user_id as "userId", rule, remind_at as "remindAt", generation::float8 as generation, status,
    greatest(version, (select told_floor()))::float8 as version, triggered_at as "triggeredAt", dismissed_at as "dismissedAt", reason,
    dismissed_for as "dismissedFor", snoozed_from as "snoozedFrom", snoozed_for as "snoozedFor",
    drop_after as "dropAfter"`;
}

/**
 * The guards of these tasks, locked in id order until the transaction ends; a task nobody knows is missing. Whoever
 * writes a reminder locks its task's guard first.
 */
export async function lockGuards(tx: Tx, taskIds: readonly string[]): Promise<Map<string, GuardRow>> {
  const rows = await tx<GuardRow[]>`
    select task_id as "taskId", user_id as "userId", fields, greatest(floor, (select told_floor()))::float8 as floor from reminder_guards
    where task_id = any(${[...taskIds]}::uuid[]) order by task_id for no key update`;
  return new Map(rows.map((guard) => [guard.taskId, guard]));
}

/**
 * The same, and makes the missing ones: for the owner that task-service's table names, else for the given user. So a
 * first message with a foreign user changes nothing. Of two transactions that make one, the second gets the row of the
 * first.
 */
export async function lockOrMakeGuards(tx: Tx, users: ReadonlyMap<string, string>): Promise<Map<string, GuardRow>> {
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

export async function saveGuards(tx: Tx, guards: readonly GuardRow[]): Promise<void> {
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

/**
 * Writes rows as they are now, each at most once. A new generation is not armed yet; the rest keep their wake-up. For
 * `origins` see `noteOrigins`.
 */
export async function saveReminders(
  tx: Tx,
  rows: readonly Reminder[],
  origins: ReadonlyMap<string, Origin> = new Map(),
): Promise<void> {
  if (rows.length === 0) return;
  const column = <T>(of: (row: Reminder) => T): T[] => rows.map(of);
  const origin = (of: (origin: Origin) => string | null) =>
    column(({ id }) => {
      const found = origins.get(id);
      return found === undefined ? null : of(found);
    });
  const instant = (of: (row: Reminder) => Date | null) => column((row) => of(row)?.toISOString() ?? null);
  await tx`
    insert into reminders as old (id, task_id, user_id, rule, remind_at, generation, status, version, triggered_at,
      dismissed_at, reason, dismissed_for, snoozed_from, snoozed_for, drop_after, caused_by,
      correlation_id, traceparent)
    select * from unnest(
      ${column(({ id }) => id)}::uuid[], ${column(({ taskId }) => taskId)}::uuid[], ${column(({ userId }) => userId)}::uuid[],
      ${column(({ rule }) => rule)}::text[], ${instant(({ remindAt }) => remindAt)}::timestamptz[],
      ${column(({ generation }) => generation)}::bigint[], ${column(({ status }) => status)}::text[],
      ${column(({ version }) => version)}::bigint[], ${instant(({ triggeredAt }) => triggeredAt)}::timestamptz[],
      ${instant(({ dismissedAt }) => dismissedAt)}::timestamptz[], ${column(({ reason }) => reason)}::text[],
      ${instant(({ dismissedFor }) => dismissedFor)}::timestamptz[],
      ${instant(({ snoozedFrom }) => snoozedFrom)}::timestamptz[], ${instant(({ snoozedFor }) => snoozedFor)}::timestamptz[],
      ${column(({ dropAfter }) => dropAfter)}::text[], ${origin(({ messageId }) => messageId)}::uuid[],
      ${origin(({ correlationId }) => correlationId)}::text[], ${origin(({ traceparent }) => traceparent)}::text[])
    on conflict (id) do update set
      remind_at = excluded.remind_at, generation = excluded.generation, status = excluded.status,
      version = excluded.version, triggered_at = excluded.triggered_at, dismissed_at = excluded.dismissed_at,
      reason = excluded.reason, dismissed_for = excluded.dismissed_for,
      snoozed_from = excluded.snoozed_from, snoozed_for = excluded.snoozed_for, drop_after = excluded.drop_after,
      caused_by = coalesce(excluded.caused_by, old.caused_by),
      correlation_id = coalesce(excluded.correlation_id, old.correlation_id),
      traceparent = case when excluded.caused_by is null then old.traceparent else excluded.traceparent end,
      armed_in = case when excluded.generation = old.generation then old.armed_in else 0 end`;
}

/** Keeps what the time of a snooze was said as, beside the time; it is of no use any more when that is another. */
export async function saveSnoozeLocal(tx: Tx, { id, remindAt }: Reminder, local: string): Promise<void> {
  await tx`update reminders set snooze_local = ${local}, snooze_local_at = ${remindAt} where id = ${id}`;
}

/**
 * The next pending reminders in id order that were snoozed to a local time and are still ahead, with that time. Not
 * locked.
 */
export async function readLocalSnoozes(
  sql: Sql,
  { after, limit }: Readonly<{ after: string; limit: number }>,
): Promise<readonly Readonly<{ id: string; taskId: string; remindAt: Date; local: string }>[]> {
  return await sql`
    select id, task_id as "taskId", remind_at as "remindAt", snooze_local as local from reminders
    where snooze_local is not null and status = 'pending' and id > ${after} and snooze_local_at = remind_at
      and remind_at > clock_timestamp()
    order by id limit ${limit}`;
}

/** What causes the firing of the reminders that these rows of the outbox schedule. */
export function originsOf(
  rows: readonly Pick<OutboxRow, "type" | "subject" | "messageId">[],
  { correlationId, traceparent = null }: Pick<WrittenBy, "correlationId" | "traceparent">,
): ReadonlyMap<string, Origin> {
  const scheduling = rows.filter(({ type }) => type === "ReminderScheduled");
  return new Map(scheduling.map(({ subject, messageId }) => [subject, { messageId, correlationId, traceparent }]));
}

/** What scheduled a reminder; `null` where an older build did. */
export async function readOrigin(tx: Tx, id: string): Promise<Origin | null> {
  const [found] = await tx<Origin[]>`
    select caused_by as "messageId", correlation_id as "correlationId", traceparent from reminders
    where id = ${id} and caused_by is not null and correlation_id is not null`;
  return found ?? null;
}

/**
 * Keeps, with reminders that these messages have scheduled, what will have caused their firing. Their rows must be
 * locked.
 */
export async function noteOrigins(tx: Tx, origins: ReadonlyMap<string, Origin>): Promise<void> {
  if (origins.size === 0) return;
  const all = [...origins];
  await tx`
    update reminders set caused_by = noted.caused_by, correlation_id = noted.correlation_id, traceparent = noted.traceparent
    from unnest(
      ${all.map(([id]) => id)}::uuid[], ${all.map(([, { messageId }]) => messageId)}::uuid[],
      ${all.map(([, { correlationId }]) => correlationId)}::text[], ${all.map(([, { traceparent }]) => traceparent)}::text[]
    ) as noted (id, caused_by, correlation_id, traceparent)
    where reminders.id = noted.id`;
}
