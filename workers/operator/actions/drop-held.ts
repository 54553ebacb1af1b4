import { ownShard } from "../../../shared/outbox/outbox.ts";
import type { Db, Sql, Tx } from "../../../shared/postgres/db.ts";
import { Problem } from "../../../shared/problem.ts";
import { auditDone, type ChangeAuthor } from "../audit.ts";

/** A message that waits behind a hold. */
export type HeldMessage = Readonly<{
  id: string;
  messageId: string;
  type: string;
  subject: string;
  createdAt: Date;
  bytes: number;
}>;

const atOnce = 1000;

/** The messages of a held key in the order they would be published, at most 1,000. */
export async function listHeld(sql: Sql | Tx, topic: string, key: string): Promise<readonly HeldMessage[]> {
  return sql<HeldMessage[]>`
    select id::text, message_id as "messageId", type, subject, created_at as "createdAt", octet_length(value) as bytes
    from outbox where topic = ${topic} and key = ${key} and published_at is null order by outbox.id limit ${atOnce}`;
}

type DropHeld = Readonly<{
  topic: string;
  key: string;
  /** Outbox ids; `null` gives up all that wait. */
  ids: readonly string[] | null;
}>;

type DropHeldResult = Readonly<{ auditId: string | null; messages: readonly HeldMessage[] }>;

/**
 * Gives up messages of a held key: they are never published. Their headers and bytes stay in the audit, so it can be
 * mended. The hold stays: release it when the rest may go. Rejects with NOT_FOUND when the key is not held or an id
 * does not wait there.
 */
export async function dropHeld(
  db: Db,
  { topic, key, ids }: DropHeld,
  { by, dryRun }: Readonly<{ by: ChangeAuthor; dryRun: boolean }>,
): Promise<DropHeldResult> {
  return db.transaction(async (tx) => {
    // Locked: were the hold released meanwhile, the relay would be publishing what is dropped.
    const [hold] = await tx`select from outbox_holds where topic = ${topic} and key = ${key} for update`;
    if (!hold)
      throw new Problem("NOT_FOUND", `the key ${key} is not held in ${topic}; \`ops outbox ls\` shows what is`);
    const waiting = await listHeld(tx, topic, key);
    const missing = (ids ?? []).filter((id) => !waiting.some((message) => message.id === id));
    if (missing.length > 0)
      throw new Problem("NOT_FOUND", `there is no message ${missing.join(", ")} behind the hold of ${key} in ${topic}`);
    const messages = ids === null ? waiting : waiting.filter(({ id }) => ids.includes(id));
    if (dryRun || messages.length === 0) return { auditId: null, messages };
    const gone = await tx<Readonly<Record<string, unknown>>[]>`
      delete from outbox where published_at is null and topic = ${topic} and key = ${key}
        and id = any(${messages.map(({ id }) => id)}::bigint[])
      returning id::text, ${ownShard(tx)} as shard, message_id, type, subject, sequence::text, time, headers, encode(value, 'base64') as value`;
    return {
      auditId: await auditDone(tx, by, { action: "outbox drop", plan: { topic, key, messages: gone } }),
      messages,
    };
  });
}
