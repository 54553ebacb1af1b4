import type { Sql, Tx } from "../../shared/postgres/db.ts";
import type { Notification } from "./channel.ts";

export type NewDelivery = Notification & Readonly<{ eventId: string; channel: string }>;

/** A delivery this process may send until its lease ends. `retaken`: another sender had it and never said what became of it. */
export type Claimed = Notification & Readonly<{ attempt: number; claim: string; retaken: boolean }>;

/** Writes deliveries still to be made; those of an event and channel already known stay as they are. */
export async function addDeliveries(tx: Tx, rows: readonly NewDelivery[]): Promise<void> {
  if (rows.length === 0) return;
  const column = <T>(of: (row: NewDelivery) => T): T[] => rows.map(of);
  await tx`
    insert into deliveries (id, event_id, channel, user_id, reminder_id, task_id, title, remind_at, triggered_at)
    select * from unnest(
      ${column(({ id }) => id)}::uuid[], ${column(({ eventId }) => eventId)}::uuid[],
      ${column(({ channel }) => channel)}::text[], ${column(({ userId }) => userId)}::uuid[],
      ${column(({ reminderId }) => reminderId)}::uuid[], ${column(({ taskId }) => taskId)}::uuid[],
      ${column(({ title }) => title)}::text[], ${column(({ remindAt }) => remindAt?.toISOString() ?? null)}::timestamptz[],
      ${column(({ triggeredAt }) => triggeredAt.toISOString())}::timestamptz[])
    order by 1
    on conflict do nothing`;
}

/**
 * Takes what a sender left when its lease ended and what is due on a channel, oldest first; two senders never take the same.
 * Two selects, each along an index of its own: one with "or" would sort the whole backlog at every claim.
 */
export async function claimDeliveries(
  sql: Sql,
  { channel, limit, leaseMs }: Readonly<{ channel: string; limit: number; leaseMs: number }>,
): Promise<readonly Claimed[]> {
  return await sql<Claimed[]>`
    with fresh as (
      select id, false as retaken from deliveries
      where channel = ${channel} and status = 'pending' and next_attempt_at <= clock_timestamp()
      order by next_attempt_at limit ${limit} for no key update skip locked
    ), left_behind as (
      select id, true as retaken from deliveries
      where channel = ${channel} and status = 'sending' and lease_until <= clock_timestamp()
      order by lease_until limit ${limit} for no key update skip locked
    ), due as (
      select * from left_behind union all select * from fresh limit ${limit}
    )
    update deliveries
    set status = 'sending', attempts = attempts + 1, claim = gen_random_uuid(),
      lease_until = clock_timestamp() + ${leaseMs} * interval '1 ms', possibly_duplicated = possibly_duplicated or retaken
    from due where deliveries.id = due.id
    returning deliveries.id, user_id as "userId", reminder_id as "reminderId", task_id as "taskId", title,
      remind_at as "remindAt", triggered_at as "triggeredAt", attempts as attempt, claim, retaken`;
}

/** What became of a claimed delivery: delivered, to be tried again after a while, or given up. */
export type Settlement = Readonly<
  | { status: "delivered" }
  | { status: "pending"; reason: string; afterMs: number }
  | { status: "failed"; reason: string }
>;

/** Marks a delivery, unless another sender has taken it since. False when it has: then it may have been sent twice. */
export async function settleDelivery(sql: Sql, { id, claim }: Claimed, settlement: Settlement): Promise<boolean> {
  const reason = settlement.status === "delivered" ? null : settlement.reason.slice(0, 200);
  const afterMs = settlement.status === "pending" ? settlement.afterMs : 0;
  const marked = await sql`
    update deliveries
    set status = ${settlement.status}, claim = null, lease_until = null, last_error = ${reason},
      next_attempt_at = clock_timestamp() + ${afterMs} * interval '1 ms',
      delivered_at = case when ${settlement.status} = 'delivered' then clock_timestamp() end
    where id = ${id} and claim = ${claim}
    returning id`;
  return marked.length === 1;
}
