import type { Db } from "../../shared/postgres/db.ts";
import type { Role } from "../../shared/role.ts";
import type { Channel } from "./channel.ts";
import { retryDelayMs, retryPolicy, type RetryPolicy } from "./retry-delay.ts";
import { claimDeliveries, settleDelivery, type Claimed, type Settlement } from "./store-deliveries.ts";
import type { Wake } from "./wake.ts";

export type SendDeliveries = Readonly<{
  db: Pick<Db, "sql">;
  channel: Channel;
  wake: Wake;
  /** Longer than a send may take: what is still claimed then counts as left by a sender that is gone. */
  leaseMs: number;
  policy?: RetryPolicy;
  random?: () => number;
}>;

const atOnce = 20;
const pauseAfterErrorMs = 1_000;

/**
 * Sends what is due on one channel until `role.signal` is aborted, up to 20 at a time; settles when those on their way are
 * marked. At least once: a crash between sending and marking sends again, with the same id, and is counted as possibly
 * doubled. Any number of instances may run.
 */
export async function sendDeliveries(
  options: SendDeliveries,
  role: Pick<Role, "signal" | "log" | "metrics" | "now">,
): Promise<void> {
  const { db, channel, wake, leaseMs, policy = retryPolicy, random = Math.random } = options;
  const tell = makeTeller(role, channel.name);
  const onTheirWay = new Set<Promise<void>>();

  const deliver = async (claimed: Claimed): Promise<void> => {
    const sent = await channel.send(claimed, claimed.attempt);
    const settlement: Settlement =
      sent.outcome === "delivered"
        ? { status: "delivered" }
        : sent.outcome === "refused"
          ? { status: "failed", reason: sent.reason }
          : afterFailure(claimed.attempt, sent, policy, random);
    const marked = await settleDelivery(db.sql, claimed, settlement);
    tell.settled(claimed, settlement, marked);
  };

  while (!role.signal.aborted) {
    const room = atOnce - onTheirWay.size;
    let claimed: readonly Claimed[] = [];
    try {
      if (room > 0) claimed = await claimDeliveries(db.sql, { channel: channel.name, limit: room, leaseMs });
    } catch (error) {
      role.log.warn("deliveries_not_claimed", { channel: channel.name, error });
      await wake.sleep(pauseAfterErrorMs, role.signal);
      continue;
    }
    for (const one of claimed) {
      tell.claimed(one);
      // Unmarked it stays claimed, and is sent again when the lease ends.
      const delivery = deliver(one).catch((error: unknown) =>
        role.log.warn("delivery_not_settled", { notificationId: one.id, channel: channel.name, error }),
      );
      const done = delivery.finally(() => {
        onTheirWay.delete(done);
        if (onTheirWay.size === atOnce - 1) wake.now();
      });
      onTheirWay.add(done);
    }
    if (claimed.length < room || room === 0) await wake.wait(role.signal);
  }
  await Promise.all(onTheirWay);
}

function afterFailure(
  attempt: number,
  { reason, afterMs }: Readonly<{ reason: string; afterMs: number | null }>,
  policy: RetryPolicy,
  random: () => number,
): Settlement {
  const delayMs = retryDelayMs(attempt, policy, random);
  return delayMs === null
    ? { status: "failed", reason }
    : { status: "pending", reason, afterMs: Math.max(delayMs, afterMs ?? 0) };
}

function makeTeller({ log, metrics, now }: Pick<Role, "log" | "metrics" | "now">, channel: string) {
  const attempts = metrics.counter("notification_attempts_total", "Attempts to send, by what became of them.", [
    "channel",
    "outcome",
  ]);
  const doubled = metrics.counter(
    "notification_possibly_duplicated_total",
    "Deliveries sent again after a sender vanished between sending and marking.",
    ["channel"],
  );
  const seconds = metrics.histogram("notification_seconds", "From the reminder's firing to its delivery.", ["channel"]);
  return {
    claimed: ({ id, retaken }: Claimed) => {
      if (!retaken) return;
      doubled.inc({ channel });
      log.warn("delivery_retaken", { notificationId: id, channel });
    },
    settled: ({ id, attempt, triggeredAt }: Claimed, settlement: Settlement, marked: boolean) => {
      const outcome = settlement.status === "pending" ? "retry" : settlement.status;
      attempts.inc({ channel, outcome });
      if (outcome === "delivered")
        seconds.observe({ channel }, Math.max(0, now().getTime() - triggeredAt.getTime()) / 1000);
      const reason = settlement.status === "delivered" ? {} : { reason: settlement.reason };
      if (outcome !== "delivered" || !marked)
        log.warn("delivery_attempt", { notificationId: id, channel, attempt, outcome, marked, ...reason });
    },
  };
}
