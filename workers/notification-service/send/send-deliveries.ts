import type { Db } from "../../../shared/postgres/db.ts";
import type { Role } from "../../../shared/role/role.ts";
import type { SendOutcome } from "../channels/channel.ts";
import { channels, type Channel } from "../channels/channels.ts";
import { claimDeliveries, nextDueMs, type ClaimedDelivery, type DeliveryClaims } from "./claim-deliveries.ts";
import { judgeEndpoint, type BreakerPolicy } from "./endpoint-health.ts";
import { retryDelayMs, retryPolicyOf } from "./retry-delay.ts";
import { settleDelivery, type SettleResult, type Settlement, type SettleRequest } from "./settle-delivery.ts";
import type { SenderWake } from "./sender-wake.ts";

export type SendDeliveries = Readonly<{
  db: Pick<Db, "sql" | "transaction">;
  channel: Channel;
  wake: SenderWake;
  /** Wakes the sender of a channel that took over. */
  wakeOf: (channel: Channel["name"]) => SenderWake | undefined;
  /** Longer than a send may take: what is still claimed then counts as left by a sender that is gone. */
  leaseMs: number;
  /** How long late reminders gather before they go out as one. */
  collapseMs: number;
  /** Between two late ones of a lane. */
  paceMs: number;
  breaker: BreakerPolicy;
  policyOf?: typeof retryPolicyOf;
  random?: () => number;
}>;

const pauseAfterErrorMs = 1_000;
/** A person's five channels may lead to as many receivers that take their time. */
const perUser = 3;

/**
 * Sends the due deliveries of one channel until `role.signal` is aborted, and settles when those being sent are marked.
 * Lanes are sent side by side, the deliveries of a lane one after the other, so a slow or failing receiver delays only
 * itself. At least once: after a crash between sending and marking, a delivery is sent again with the same id. Such
 * ones, and those the receiver did not answer in time, are counted as possibly doubled. Any number of instances may
 * run.
 */
export async function sendDeliveries(
  options: SendDeliveries,
  role: Pick<Role, "signal" | "log" | "metrics" | "now" | "tellOutage">,
): Promise<void> {
  const { db, channel, wake, leaseMs, collapseMs } = options;
  const { atOnce = 50 } = channel;
  const tell = makeTeller(role, channel.name);
  const onTheirWay = new Set<Promise<void>>();
  const byUser = new Map<string, number>();
  const count = (userId: string, more: 1 | -1) => {
    const left = (byUser.get(userId) ?? 0) + more;
    if (left === 0) byUser.delete(userId);
    else byUser.set(userId, left);
  };

  const deliver = async (claimed: ClaimedDelivery): Promise<void> => {
    const from = performance.now();
    const sent = claimed.barred === null ? await channel.send(claimed, claimed.attempt) : null;
    const ms = sent === null ? null : Math.round(performance.now() - from);
    const settling = { ...settlingOf(claimed, sent, options), ms };
    const settled = await settleDelivery(db, claimed, settling);
    tell.settled(claimed, settling, settled);
    if (settled.fallback !== null) options.wakeOf(settled.fallback.channel)?.now();
    wakeFor(wake, settling);
  };

  const part = `sending ${channel.name}`;
  let failing = false;
  while (!role.signal.aborted) {
    const room = atOnce - onTheirWay.size;
    let claims: DeliveryClaims = { claimed: [], more: false };
    let nextMs: number | null | undefined;
    try {
      if (room > 0) nextMs = await nextDueMs(db.sql, channel.name);
      if (typeof nextMs === "number" && nextMs <= 0)
        claims = await claimDeliveries(db, {
          channel: channel.name,
          limit: room,
          leaseMs,
          gatherMs: collapseMs,
          perUser,
          onTheirWay: byUser,
          hourly: channel.hourly ?? null,
        });
      if (failing) role.tellOutage(part, null);
      failing = false;
    } catch (error) {
      failing = true;
      role.tellOutage(part, error);
      role.log.warn("deliveries_not_claimed", { channel: channel.name, error });
      await wake.sleep(pauseAfterErrorMs, role.signal);
      continue;
    }
    for (const one of claims.claimed) {
      tell.claimed(one);
      // Unmarked it stays claimed, and is sent again when the lease ends.
      const delivery = deliver(one).catch((error: unknown) =>
        role.log.warn("delivery_not_settled", { notificationId: one.id, channel: channel.name, error }),
      );
      const done = delivery.finally(() => {
        onTheirWay.delete(done);
        count(one.userId, -1);
        wake.now();
      });
      onTheirWay.add(done);
      count(one.userId, 1);
    }
    // A due delivery that was not claimed is another sender's, or its user has as many on their way as one may have.
    if (!claims.more) await wake.wait(role.signal, typeof nextMs === "number" && nextMs <= 0 ? undefined : nextMs);
  }
  await Promise.all(onTheirWay);
}

/** The lane is looked at again when it may send; what is farther off than the poll is left to that. */
function wakeFor(wake: SenderWake, { settlement, verdict, pauseMs }: SettleRequest): void {
  const afterMs = settlement.status === "pending" ? settlement.afterMs : 0;
  const ms = Math.max(afterMs, verdict?.openMs ?? 0, pauseMs);
  if (ms < 1) wake.now();
  else if (ms < 1_000) setTimeout(wake.now, ms + 1).unref();
}

function settlingOf(
  claimed: ClaimedDelivery,
  sent: SendOutcome | null,
  { channel, breaker, paceMs, policyOf = retryPolicyOf, random = Math.random }: SendDeliveries,
): Omit<SettleRequest, "ms"> {
  if (sent === null)
    return { settlement: claimed.barred ?? { status: "delivered" }, verdict: null, pauseMs: 0, unsure: false };
  const { hasBreaker } = channels[channel.name];
  const verdict = hasBreaker ? judgeEndpoint(claimed.health, sent, breaker, random) : null;
  const pauseMs = claimed.lateBy === null ? 0 : paceMs;
  const unsure = sent.outcome === "retry" && sent.unsure === true;
  const rest = { verdict, pauseMs, unsure };
  if (sent.outcome === "delivered") return { settlement: { status: "delivered" }, ...rest };
  const { reason } = sent;
  if (sent.outcome === "refused" || verdict?.disable) return { settlement: { status: "failed", reason }, ...rest };
  const policy = policyOf(channel.name, claimed.fallbacks.length > 0);
  const delayMs = retryDelayMs(claimed, policy, random);
  const settlement: Settlement =
    delayMs === null
      ? { status: "failed", reason }
      : { status: "pending", reason, afterMs: Math.max(delayMs, sent.afterMs ?? 0, verdict?.openMs ?? 0) };
  return { settlement, ...rest };
}

function makeTeller({ log, metrics, now }: Pick<Role, "log" | "metrics" | "now">, channel: string) {
  const attempts = metrics.counter("notification_attempts_total", "Attempts to send, by what became of them.", [
    "channel",
    "outcome",
  ]);
  const doubled = metrics.counter(
    "notification_possibly_duplicated_total",
    "Attempts after which nobody knows whether it arrived: the sender vanished, or the receiver did not answer in time.",
    ["channel"],
  );
  const seconds = metrics.histogram(
    "notification_seconds",
    "From the reminder's firing, or the end of what put it off, to its delivery.",
    ["channel"],
  );
  return {
    claimed: ({ id, retaken }: ClaimedDelivery) => {
      if (!retaken) return;
      doubled.inc({ channel });
      log.warn("delivery_retaken", { notificationId: id, channel });
    },
    settled: (
      { id, attempt, dueAt }: ClaimedDelivery,
      { settlement, unsure }: SettleRequest,
      { status, fallback }: SettleResult,
    ) => {
      if (unsure) doubled.inc({ channel });
      const outcome = settlement.status === "pending" ? "retry" : settlement.status;
      attempts.inc({ channel, outcome });
      if (outcome === "delivered") seconds.observe({ channel }, Math.max(0, now().getTime() - dueAt.getTime()) / 1000);
      const reason = settlement.status === "delivered" ? {} : { reason: settlement.reason };
      const next = fallback === null ? {} : { fallback: fallback.channel };
      if (outcome !== "delivered" || status === null)
        log.warn("delivery_attempt", {
          notificationId: id,
          channel,
          attempt,
          outcome,
          marked: status !== null,
          ...reason,
          ...next,
        });
    },
  };
}
