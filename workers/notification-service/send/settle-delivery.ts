import type { Db, Sql, Tx } from "../../../shared/postgres/db.ts";
import { preferencesOf } from "../../../shared/preferences/read-preferences.ts";
import type { ClaimedDelivery } from "./claim-deliveries.ts";
import type { EndpointVerdict } from "./endpoint-health.ts";
import { quietUntil } from "../plan/quiet-until.ts";
import { lockLanes } from "../plan/store-deliveries.ts";
import { channels } from "../channels/channels.ts";
import { laneOf, type Way } from "../plan/way.ts";
import { deliveryId } from "../plan/write-deliveries.ts";

/**
 * What became of a claimed delivery: delivered, to be tried again after a while, given up, or not worth sending any
 * more.
 */
export type Settlement = Readonly<
  | { status: "delivered" }
  | { status: "pending"; reason: string; afterMs: number }
  | { status: "failed"; reason: string }
  | { status: "cancelled"; reason: string }
>;

export type SettleRequest = Readonly<{
  settlement: Settlement;
  /** What follows for the endpoint; `null` where the way has no breaker or nothing was sent. */
  verdict: EndpointVerdict | null;
  /** Whether it may have arrived all the same. */
  unsure: boolean;
  /** Before the lane's next delivery. */
  pauseMs: number;
  /** How long the attempt took; `null` when nothing was sent. */
  ms: number | null;
}>;

/** `status` is `null` when another sender has taken the delivery since: then it may have been sent twice. */
export type SettleResult = Readonly<{ status: Settlement["status"] | null; fallback: Way | null }>;

/**
 * Stores the outcome of an attempt, unless another sender has taken the delivery since. A delivery that was cancelled
 * while it was being sent ends as cancelled, unless it arrived. If it failed for good, the same transaction makes a
 * delivery for the next way of its chain; a digest passes its reminders on to that.
 */
export async function settleDelivery(
  db: Pick<Db, "sql" | "transaction">,
  claimed: ClaimedDelivery,
  settling: SettleRequest,
): Promise<SettleResult> {
  const [next, ...others] = claimed.fallbacks;
  if (settling.settlement.status !== "failed" || next === undefined)
    return { status: await mark(db.sql, claimed, settling), fallback: null };
  return db.transaction(async (tx) => {
    const lane = { id: laneOf(claimed.userId, next), userId: claimed.userId, ...next };
    await lockLanes(tx, [{ id: claimed.lane, userId: claimed.userId, ...wayOf(claimed) }, lane]);
    // One with a reason was cancelled meanwhile, and so was a digest in which all have one.
    const [mine] = await tx`
      select from deliveries where id = ${claimed.id} and claim = ${claimed.claim} and reason is null for update`;
    if (mine === undefined || !(await hasMore(tx, claimed)))
      return { status: await mark(tx, claimed, settling), fallback: null };
    await takeOver(tx, claimed, { ...lane, fallbacks: others });
    return { status: await mark(tx, claimed, settling), fallback: next };
  });
}

async function mark(
  sql: Sql | Tx,
  { id, claim, lane, attempt, channel }: ClaimedDelivery,
  { settlement, verdict, pauseMs, unsure, ms }: SettleRequest,
): Promise<Settlement["status"] | null> {
  const reason = settlement.status === "delivered" ? null : settlement.reason.slice(0, 200);
  const afterMs = settlement.status === "pending" ? settlement.afterMs : 0;
  const openMs = verdict?.openMs ?? null;
  const outcome = settlement.status === "pending" ? "retry" : settlement.status;
  // The lane first, as everywhere; `settled` reads from it.
  const [row] = await sql<{ status: Settlement["status"] }[]>`
    with lane as (
      update delivery_lanes
      set next_at = clock_timestamp() + ${Math.max(afterMs, openMs ?? 0, pauseMs)} * interval '1 ms',
        failures = coalesce(${verdict?.failures ?? null}::integer, failures),
        failing_since = case when ${verdict === null} then failing_since when ${verdict?.failures === 0} then null
          else coalesce(failing_since, clock_timestamp()) end,
        open_until = clock_timestamp() + ${openMs}::float8 * interval '1 ms',
        disabled_at = case when ${verdict?.disable ?? null}::text is null then disabled_at
          else coalesce(disabled_at, clock_timestamp()) end,
        disabled_reason = coalesce(disabled_reason, ${verdict?.disable?.slice(0, 200) ?? null}::text)
      where id = ${lane} and exists (select from deliveries where id = ${id} and claim = ${claim})
      returning id
    ), settled as (
      update deliveries
      set status = case when ${settlement.status} in ('pending', 'failed') and deliveries.reason is not null then 'cancelled'
          else ${settlement.status} end,
        claim = null, lease_until = null, last_error = ${reason}, possibly_duplicated = possibly_duplicated or ${unsure},
        reason = case ${settlement.status} when 'delivered' then null when 'cancelled' then ${reason} else deliveries.reason end,
        next_attempt_at = clock_timestamp() + ${afterMs} * interval '1 ms',
        delivered_at = case when ${settlement.status} = 'delivered' then clock_timestamp() end
      from lane
      where deliveries.id = ${id} and claim = ${claim}
      returning deliveries.id, status, deliveries.reason, delivered_at
    ), members as (
      update deliveries
      set status = case when settled.status = 'failed' and deliveries.reason is not null then 'cancelled' else settled.status end,
        delivered_at = settled.delivered_at,
        reason = case settled.status when 'delivered' then null when 'cancelled' then coalesce(deliveries.reason, settled.reason)
          else deliveries.reason end
      from settled
      where digest_id = settled.id and deliveries.status = 'bundled' and settled.status in ('delivered', 'failed', 'cancelled')
    ), noted as (
      insert into delivery_attempts (claim, delivery_id, attempt, channel, outcome, reason, ms)
      select ${claim}, ${id}, ${attempt}, ${channel}, ${outcome}, ${reason}, ${ms}
      where ${ms}::integer is not null or ${outcome} <> 'cancelled'
      on conflict (claim) do update set outcome = excluded.outcome, reason = excluded.reason, ms = excluded.ms
    )
    select status from settled`;
  return row?.status ?? null;
}

async function hasMore(tx: Tx, { id, kind }: ClaimedDelivery): Promise<boolean> {
  if (kind === "reminder") return true;
  const rows = await tx`
    select from deliveries where digest_id = ${id} and status = 'bundled' and reason is null limit 1`;
  return rows.length > 0;
}

/**
 * Makes the delivery by the next way: due at once unless it is quiet now, and for a digest with the reminders it still
 * has to tell. That way may have delivered the reminder already.
 */
async function takeOver(
  tx: Tx,
  claimed: ClaimedDelivery,
  next: Way & Readonly<{ id: string; fallbacks: readonly Way[] }>,
): Promise<void> {
  const id = deliveryId(claimed.id, next);
  // What is pending is put off where it has to be when it is claimed.
  const isThere = channels[next.channel].isInstant && !(await isQuiet(tx, claimed.userId));
  const status = isThere ? "delivered" : "pending";
  await tx`
    insert into deliveries (id, event_id, kind, channel, target, lane, fallbacks, fallback_of, user_id, reminder_id, generation,
      task_id, title, priority, remind_at, triggered_at, late_by, correlation_id, traceparent, status, delivered_at)
    select ${id}, event_id, kind, ${next.channel}, ${next.target}, ${next.id}, ${JSON.stringify(next.fallbacks)}::jsonb, id,
      user_id, reminder_id, generation, task_id, title, priority, remind_at, triggered_at, late_by, correlation_id, traceparent, ${status},
      case when ${isThere} then clock_timestamp() end
    from deliveries where id = ${claimed.id}
    on conflict do nothing`;
  if (claimed.kind === "digest")
    await tx`
      update deliveries set digest_id = ${id}, status = case when ${isThere} then 'delivered' else 'bundled' end,
        delivered_at = case when ${isThere} then clock_timestamp() end
      where digest_id = ${claimed.id} and status = 'bundled' and reason is null`;
  if (!isThere) await tx`update delivery_lanes set next_at = least(next_at, clock_timestamp()) where id = ${next.id}`;
}

function wayOf({ channel, target }: ClaimedDelivery): Way {
  return { channel, target };
}

async function isQuiet(tx: Tx, userId: string): Promise<boolean> {
  const preferences = await preferencesOf(tx, userId);
  const [clock] = await tx<{ now: Date }[]>`select clock_timestamp() as now`;
  return clock !== undefined && quietUntil(preferences, clock.now) !== null;
}
