import { isUuid } from "../../uuid.ts";
import { storeHeaders } from "../../outbox/envelope.ts";
import { insertOutbox } from "../../outbox/outbox.ts";
import type { Tx } from "../../postgres/db.ts";
import { deadLetterRow, describeFailure, headerOf, inboxEntryOf, storable, type DeadLetter } from "./dead-letter.ts";

/**
 * Writes a dead letter twice: into the outbox, for `<group>-dlq`, and into the index. One that dies again after a
 * redrive keeps its id and its count of redrives. The inbox is the caller's.
 */
export async function writeDeadLetter(
  tx: Tx,
  dead: DeadLetter & Readonly<{ epoch: number; userId: string | null }>,
): Promise<void> {
  const { record, group, epoch, attempts, userId } = dead;
  const row = deadLetterRow(dead);
  const failure = describeFailure(dead);
  const { id, time } = inboxEntryOf(record);
  await insertOutbox(tx, [row]);
  await tx`
    insert into dead_letters (id, group_name, epoch, topic, key, partition, "offset", message_id, time, timestamp_ms, value,
      headers, type, user_id, class, error, stack, fingerprint, attempts, state)
    values (${row.messageId}, ${group}, ${epoch}, ${record.topic}, ${record.key === null ? null : row.key}, ${record.partition},
      ${String(record.offset)}, ${id}, ${time.toISOString()}, ${record.timestamp},
      ${record.value}, ${headersOf(dead)}::jsonb, ${headerOf(record, "ce_type")},
      ${userId !== null && isUuid(userId) ? userId : null}, ${failure.class}, ${failure.message}, ${failure.stack}, ${failure.fingerprint},
      ${JSON.stringify(attempts)}::jsonb, 'dead')
    on conflict (id) do update set
      epoch = excluded.epoch, class = excluded.class, error = excluded.error, stack = excluded.stack,
      fingerprint = excluded.fingerprint, attempts = excluded.attempts, state = 'dead',
      dead_at = clock_timestamp(), settled_at = null`;
}

function headersOf({ record }: DeadLetter): string {
  return JSON.stringify(storeHeaders(record.headers.map(([name, value]) => [storable(name), value])));
}
