import type { Sql, Tx } from "../../../shared/postgres/db.ts";
import type { PlannedDelivery, PrioritizedReminder } from "./plan-delivery.ts";

/**
 * A planned delivery of a fired reminder, as a row. `planVersion`: of the preferences it was planned by, 0 for none.
 * `lane`: what goes one after the other; see `laneOf`.
 */
export type NewDelivery = PlannedDelivery &
  PrioritizedReminder &
  Readonly<{
    id: string;
    eventId: string;
    userId: string;
    generation: number | null;
    lane: string;
    planVersion: number;
    correlationId: string | null;
    traceparent: string | null;
  }>;

/**
 * Writes deliveries and makes their lanes look for them in time; those already known (by id, or by reminder, generation
 * and lane) stay as they are. Lanes are locked before deliveries, all at once and in order of id, by everybody: those
 * of what is pending here by the caller, see `lanesOf`. Resolves with the ids that are new.
 */
export async function addDeliveries(tx: Tx, rows: readonly NewDelivery[]): Promise<ReadonlySet<string>> {
  if (rows.length === 0) return new Set();
  const waiting = rows.filter(({ status }) => status === "pending");
  const column = <T>(of: (row: NewDelivery) => T): T[] => rows.map(of);
  const added = await tx<{ id: string }[]>`
    insert into deliveries (id, event_id, channel, target, lane, fallbacks, user_id, reminder_id, generation, task_id, title,
      priority, remind_at, triggered_at, late_by, status, reason, due_at, bundle, plan_version, correlation_id, traceparent,
      delivered_at)
    select id, event_id, channel, target, lane, fallbacks::jsonb, user_id, reminder_id, generation, task_id, title,
      priority, remind_at, triggered_at, late_by, status, reason, due_at, bundle, plan_version, correlation_id, traceparent,
      case when status = 'delivered' then clock_timestamp() end
    from unnest(
      ${column(({ id }) => id)}::uuid[], ${column(({ eventId }) => eventId)}::uuid[],
      ${column(({ way }) => way.channel)}::text[], ${column(({ way }) => way.target)}::text[],
      ${column(({ lane }) => lane)}::uuid[], ${column(({ fallbacks }) => JSON.stringify(fallbacks))}::text[],
      ${column(({ userId }) => userId)}::uuid[], ${column(({ reminderId }) => reminderId)}::uuid[],
      ${column(({ generation }) => generation)}::bigint[], ${column(({ taskId }) => taskId)}::uuid[],
      ${column(({ title }) => title)}::text[], ${column(({ priority }) => priority)}::text[],
      ${column(({ remindAt }) => remindAt?.toISOString() ?? null)}::timestamptz[],
      ${column(({ triggeredAt }) => triggeredAt.toISOString())}::timestamptz[],
      ${column(({ lateBy }) => lateBy)}::integer[], ${column(({ status }) => status)}::text[],
      ${column(({ reason }) => reason)}::text[], ${column(({ dueAt }) => dueAt.toISOString())}::timestamptz[],
      ${column(({ bundle }) => bundle)}::text[], ${column(({ planVersion }) => planVersion)}::bigint[],
      ${column(({ correlationId }) => correlationId)}::text[], ${column(({ traceparent }) => traceparent)}::text[])
      as new (id, event_id, channel, target, lane, fallbacks, user_id, reminder_id, generation, task_id, title, priority,
        remind_at, triggered_at, late_by, status, reason, due_at, bundle, plan_version, correlation_id, traceparent)
    order by id
    on conflict do nothing
    returning id`;
  await tx`
    update delivery_lanes set next_at = least(next_at, new.due_at)
    from (
      select lane, min(due_at) as due_at from unnest(
        ${waiting.map(({ lane }) => lane)}::uuid[], ${waiting.map(({ dueAt }) => dueAt.toISOString())}::timestamptz[])
        as waiting (lane, due_at) group by lane
    ) new
    where delivery_lanes.id = new.lane`;
  return new Set(added.map(({ id }) => id));
}

/** The lanes that have to look for these deliveries. */
export function lanesOf(rows: readonly NewDelivery[]): readonly Lane[] {
  return rows
    .filter(({ status }) => status === "pending")
    .map(({ lane, userId, way }) => ({ id: lane, userId, ...way }));
}

/** A lane to make where it is missing. */
export type Lane = Readonly<{ id: string; userId: string; channel: string; target: string }>;

/**
 * Makes the lanes that are missing and locks them all, in order of id. One that is pruned between the two is made
 * again.
 */
export async function lockLanes(tx: Tx, lanes: readonly Lane[]): Promise<void> {
  if (lanes.length === 0) return;
  const known = [...new Map(lanes.map((lane) => [lane.id, lane])).values()];
  const ids = known.map(({ id }) => id);
  await tx`
    insert into delivery_lanes (id, user_id, channel, target)
    select * from unnest(${ids}::uuid[], ${known.map(({ userId }) => userId)}::uuid[],
      ${known.map(({ channel }) => channel)}::text[], ${known.map(({ target }) => target)}::text[])
    order by 1
    on conflict do nothing`;
  const locked = await tx<{ id: string }[]>`
    select id from delivery_lanes where id = any(${ids}::uuid[]) order by id for no key update`;
  const found = new Set(locked.map(({ id }) => id));
  return await lockLanes(
    tx,
    known.filter(({ id }) => !found.has(id)),
  );
}

/** The clock of the database, and which of these lanes are disabled. */
export async function readLanes(
  sql: Sql | Tx,
  lanes: readonly string[],
): Promise<Readonly<{ now: Date; disabled: ReadonlySet<string> }>> {
  const [row] = await sql<{ now: Date; disabled: string[] }[]>`
    select clock_timestamp() as now, array(
      select id::text from delivery_lanes where id = any(${[...lanes]}::uuid[]) and disabled_at is not null) as disabled`;
  if (row === undefined) throw new Error("the database did not tell the time");
  return { now: row.now, disabled: new Set(row.disabled) };
}
