import type { Db } from "../../shared/postgres/db.ts";
import { kafkaHeaders, storeHeaders } from "../../shared/outbox/envelope.ts";
import { insertOutbox } from "../../shared/outbox/outbox.ts";
import { deadLetterTopic, topicNames } from "../../shared/messages/topics.ts";
import type { ClaimedMessage } from "./claim.ts";

/**
 * Whether later messages of a refused one's key wait for an operator. Not on task-updates, where the next snapshot has
 * it all.
 */
export function holds(row: ClaimedMessage): boolean {
  return row.topic !== "task-updates";
}

type StoredMessage = Readonly<{ message_id: string; type: string; subject: string; time: Date; now: Date }>;

/**
 * Puts a row the broker never takes on record, in one transaction: its bytes and headers go to the dead-letter topic of
 * its topic through the outbox, it counts as published, and its key is held. A row of a dead-letter topic itself stays
 * unpublished behind a hold: nothing is lost, and an operator sees it. Does nothing when the row was dealt with
 * meanwhile.
 */
export async function refuse(db: Db, row: ClaimedMessage, reason: string): Promise<void> {
  const topic = topicNames.find((name) => name === row.topic);
  await db.transaction(async (tx) => {
    const [stored] = await tx<StoredMessage[]>`
      select message_id, type, subject, time, clock_timestamp() as now from outbox
      where day = ${row.day} and id = ${row.id} and published_at is null
        and (extract(epoch from created_at) * 1000000)::bigint = ${row.created}::bigint for update`;
    if (!stored) return;
    if (topic === undefined || holds(row))
      await tx`
        insert into outbox_holds (topic, key, reason) values (${row.topic}, ${row.key}, ${reason.slice(0, 1024)})
        on conflict do nothing`;
    if (topic === undefined) return;
    const story = [
      ["x-original-topic", row.topic],
      ["x-error-class", "refused"],
      ["x-error-message", reason.slice(0, 1024)],
      ["x-failed-at", stored.now.toISOString()],
    ] as const;
    const headers = [...storeHeaders(kafkaHeaders(row.headers, row.sequence)), ...story];
    await insertOutbox(tx, [
      {
        shard: row.lease.shard,
        line: 0,
        topic: deadLetterTopic(topic),
        key: row.key,
        messageId: stored.message_id,
        type: stored.type,
        subject: stored.subject,
        // It stands among the headers already.
        sequence: null,
        time: stored.time,
        value: row.value,
        headers: JSON.stringify(headers),
      },
    ]);
    await tx`update outbox set published_at = clock_timestamp() where day = ${row.day} and id = ${row.id}`;
  });
}
