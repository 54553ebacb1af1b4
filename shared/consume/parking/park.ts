import type { Db, Tx } from "../../postgres/db.ts";
import type { GroupName } from "../../messages/topics.ts";
import { describeFailure, inboxEntryOf, storable } from "../dead-letters/dead-letter.ts";
import { findLost } from "../log/find-lost.ts";
import { shareGroup } from "../group-epoch.ts";
import { enterInbox } from "../inbox.ts";
import { queueParked, type RecordWithKey } from "./parked-queue.ts";
import type { FailedMessage } from "../failure/failed.ts";

export type ParkAt = Readonly<{
  /** Until it is tried again, from now by the clock of the database. */
  delayMs: number;
}>;

/**
 * Parks the key of a message that failed: its fate, the key's row and its place in the queue are one commit. If the key
 * is parked already, the message is queued behind the others. A message that the inbox knows, or of a change that the
 * database has lost, is left alone.
 */
export async function park(
  of: Readonly<{ db: Pick<Db, "transaction">; group: GroupName; epoch: number; life: () => string | null }>,
  failed: FailedMessage & Readonly<{ record: RecordWithKey }>,
  { delayMs }: ParkAt,
): Promise<void> {
  await of.db.transaction(async (tx) => {
    if ((await findLost(tx, [failed.record], of.life())).size > 0) return;
    const [, entered] = await Promise.all([
      shareGroup(tx, of.group, of.epoch, of.life()),
      enterInbox(tx, of.epoch, "parked", [inboxEntryOf(failed.record)]),
    ]);
    if (entered.size === 0) return;
    await openQueue(tx, of.epoch, failed, delayMs);
    await queueParked(tx, of.epoch, [{ record: failed.record, history: failed.attempts }]);
  });
}

/** Makes the key's row, or locks the one that is there and leaves it as it is. */
async function openQueue(
  tx: Tx,
  epoch: number,
  failed: FailedMessage & Readonly<{ record: RecordWithKey }>,
  delayMs: number,
) {
  const { record } = failed;
  const failure = describeFailure(failed);
  await tx`
    insert into parked_keys as waiting (epoch, topic, key, partition, attempts, next_at, class, error, fingerprint)
    values (${epoch}, ${record.topic}, ${storable(record.key)}, ${record.partition}, 1,
      clock_timestamp() + ${delayMs} * interval '1 millisecond', ${failure.class}, ${failure.message}, ${failure.fingerprint})
    on conflict (epoch, topic, key) do update set attempts = waiting.attempts`;
}
