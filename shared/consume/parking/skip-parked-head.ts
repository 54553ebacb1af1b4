import type { Db } from "../../postgres/db.ts";
import type { GroupName } from "../../messages/topics.ts";
import { failureClassOf } from "../failure/classify.ts";
import { controlsChannel } from "../controls.ts";
import { inboxEntryOf } from "../dead-letters/dead-letter.ts";
import { openGroup, shareGroup } from "../group-epoch.ts";
import { changeFate } from "../inbox.ts";
import { readQueue, type KeyOf } from "./parked-queue.ts";
import { writeDeadLetter } from "../dead-letters/write-dead-letter.ts";

/**
 * Makes the head of a parked key a dead letter and lets what waits behind it go on at once. Resolves with the message's
 * id, with `null` when the key is not parked. Waits for a consumer that is at it.
 */
export async function skipParkedHead(
  db: Pick<Db, "sql" | "transaction">,
  of: KeyOf & Readonly<{ group: GroupName; by: string }>,
): Promise<string | null> {
  const { group, topic, key, by } = of;
  const epoch = await openGroup(db.sql, group);
  const skipped = await db.transaction(async (tx) => {
    await shareGroup(tx, group, epoch);
    const [waiting] = await tx<{ class: string; error: string; fingerprint: string; now: Date }[]>`
      select class, error, fingerprint, clock_timestamp() as now from parked_keys
      where epoch = ${epoch} and topic = ${topic} and key = ${key} for update`;
    // After the lock, in a statement of its own: see workParkedKey.
    const [head, next] = await readQueue(tx, { epoch, topic, key, limit: 2 });
    if (waiting === undefined || head === undefined) return null;
    const { record, history } = head;
    const entry = inboxEntryOf(record);
    await changeFate(tx, epoch, { from: "parked", to: "dead" }, [entry]);
    await writeDeadLetter(tx, {
      record,
      group,
      epoch,
      userId: null,
      class: failureClassOf(waiting.class),
      error: new Error(`skipped by ${by}; it had failed with: ${waiting.error}`),
      fingerprint: waiting.fingerprint,
      attempts: history,
      now: waiting.now,
    });
    await tx`delete from parked_messages where id = ${head.row}`;
    if (next === undefined)
      await tx`delete from parked_keys where epoch = ${epoch} and topic = ${topic} and key = ${key}`;
    else
      await tx`
        update parked_keys set attempts = 0, next_at = clock_timestamp()
        where epoch = ${epoch} and topic = ${topic} and key = ${key}`;
    return entry.id;
  });
  if (skipped !== null) await db.sql`select pg_notify(${controlsChannel}, '')`;
  return skipped;
}
