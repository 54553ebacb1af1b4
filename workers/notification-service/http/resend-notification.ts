import type { Db } from "../../../shared/postgres/db.ts";
import { Problem } from "../../../shared/problem.ts";
import type { DeliveryRow } from "./notification-view.ts";
import { lockLanes, readLanes, type Lane } from "../plan/store-deliveries.ts";

type Resend = Readonly<{ id: string; userId: string; key: string | null }>;

const attemptsKept = 50;

/**
 * Sends a notification again, with the same id, by which receivers know it. One that waits already goes on waiting, and
 * the same key as last time changes nothing. It is sent whatever became of its task, because somebody asked. Throws
 * NOTIFICATION_NOT_FOUND, NOTIFICATION_IN_DIGEST, NOTIFICATION_CANCELLED, NOTIFICATION_TOO_OLD, and ENDPOINT_DISABLED.
 */
export async function resendNotification(
  db: Pick<Db, "transaction">,
  { id, userId, key }: Resend,
): Promise<Readonly<{ replayed: boolean }>> {
  return db.transaction(async (tx) => {
    // One that was in the app at once has no lane yet.
    const lanes = await tx<Lane[]>`
      select lane as id, user_id as "userId", channel, target from deliveries
      where id = ${id} and user_id = ${userId} and lane is not null`;
    await lockLanes(tx, lanes);
    const { disabled } = await readLanes(
      tx,
      lanes.map((lane) => lane.id),
    );
    const [row] = await tx<
      (Pick<DeliveryRow, "status" | "channel" | "digestId"> & { resendKey: string | null; lane: string | null })[]
    >`
      select status, channel, digest_id as "digestId", resend_key as "resendKey", lane from deliveries
      where id = ${id} and user_id = ${userId} for update`;
    if (row === undefined) throw new Problem("NOTIFICATION_NOT_FOUND");
    if (key !== null && row.resendKey === key) return { replayed: true };
    if (row.digestId !== null)
      throw new Problem("NOTIFICATION_IN_DIGEST", `It is told by the digest ${row.digestId}; send that again`);
    if (row.status === "cancelled")
      throw new Problem("NOTIFICATION_CANCELLED", "It was cancelled: there is nothing to tell any more");
    if (disabled.size > 0) throw new Problem("ENDPOINT_DISABLED", "Its endpoint is disabled; enable that first");
    if (row.lane === null) throw new Problem("NOTIFICATION_TOO_OLD", "It is too old to be sent again");
    if (row.status === "pending" || row.status === "sending") return { replayed: true };
    await tx`
      update deliveries
      set status = 'pending', attempts = 0, due_at = clock_timestamp(), next_attempt_at = clock_timestamp(), bundle = null,
        reason = null, delivered_at = null, read_at = null, resent_at = clock_timestamp(), resend_key = ${key}
      where id = ${id}`;
    await tx`update deliveries set status = 'bundled' where digest_id = ${id} and status in ('delivered', 'failed')`;
    await tx`
      delete from delivery_attempts where delivery_id = ${id} and claim not in (
        select claim from delivery_attempts where delivery_id = ${id} order by at desc limit ${attemptsKept})`;
    await tx`update delivery_lanes set next_at = least(next_at, clock_timestamp()) where id = ${row.lane}`;
    return { replayed: false };
  });
}
