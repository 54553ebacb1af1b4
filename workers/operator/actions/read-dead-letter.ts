import type { Codec } from "../../../shared/avro/codec.ts";
import type { StoredHeader } from "../../../shared/outbox/envelope.ts";
import type { Sql } from "../../../shared/postgres/db.ts";
import { Problem } from "../../../shared/problem.ts";
import { readValue, type ReadValue } from "../read-value.ts";
import { schemaIdOf } from "../../../shared/consume/dead-letters/dead-letter.ts";
import type { DeadLetterLine } from "./list-dead-letters.ts";

/** All that is kept of a message a group gave up on. */
export type DeadLetterDetail = DeadLetterLine &
  ReadValue &
  Readonly<{
    epoch: number;
    messageId: string;
    time: Date;
    recordedAt: Date;
    headers: readonly StoredHeader[];
    schemaId: number | null;
    stack: string | null;
    attempts: readonly Readonly<{ at: string; class: string; error: string }>[];
    settledAt: Date | null;
    editedFrom: string | null;
    /** Corrected copies made of it. */
    editedTo: readonly string[];
  }>;

/** Rejects with NOT_FOUND. The value is decoded with the codec where that is possible; the bytes stay as they were. */
export async function readDeadLetter(
  { sql, codec }: Readonly<{ sql: Sql; codec: () => Promise<Codec> }>,
  id: string,
): Promise<DeadLetterDetail> {
  const [row] = await sql<(Omit<DeadLetterDetail, "value" | "read" | "schemaId"> & { value: Uint8Array | null })[]>`
    select id, group_name as group, topic, partition, "offset"::float8 as offset, key, type, user_id as "userId", class, error,
      fingerprint, redrives, state, dead_at as "deadAt", epoch, message_id as "messageId", time,
      to_timestamp(timestamp_ms / 1000.0) as "recordedAt", headers, value, stack, attempts, settled_at as "settledAt",
      edited_from as "editedFrom",
      array(select copy.id from dead_letters copy where copy.edited_from = dead_letters.id order by copy.dead_at) as "editedTo"
    from dead_letters where id = ${id}`;
  if (row === undefined) throw new Problem("NOT_FOUND", `there is no dead letter ${id}`);
  const contentType = storedHeader(row.headers, "content-type");
  const read = await readValue({ topic: row.topic, contentType, value: row.value }, codec);
  return { ...row, schemaId: schemaIdOf(row.value), ...read };
}

/** Of a name that repeats, the last counts; null where there is none or it is no text. */
function storedHeader(headers: readonly StoredHeader[], name: string): string | null {
  const value = headers.findLast(([header]) => header === name)?.[1];
  return typeof value === "string" ? value : null;
}
