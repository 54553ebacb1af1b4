import { keptHours, type RequestKey } from "../../shared/http/request-key.ts";
import type { Sql, Tx } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";

/**
 * An answer as it was sent, and to which request. `status` is `null` where an older build kept it: then it is its
 * route's usual one.
 */
export type KeptReminderAnswer = Readonly<{ fingerprint: string; body: string; status: number | null }>;

/** More than the one a request adds, so the table shrinks to a day's worth while it is written to. */
const prunedPerAnswer = 20;

/** The answer kept under a key less than a day ago, `null` when there is none. */
export async function readKept(sql: Sql | Tx, userId: string, key: string): Promise<KeptReminderAnswer | null> {
  const [kept] = await sql<KeptReminderAnswer[]>`
    select fingerprint, body, status from reminder_request_keys
    where user_id = ${userId} and key = ${key} and created_at > clock_timestamp() - ${keptHours} * interval '1 hour'`;
  return kept ?? null;
}

/**
 * Stores an answer in the transaction of the change it reports, and deletes a few answers older than a day. Waits for
 * another transaction that stores one under the same key, and throws IDEMPOTENCY_KEY_REUSED when that commits. Call
 * `readKept` under the lock of the task first: it answers a repeated request, so an answer found here is for another
 * task.
 */
export async function keepAnswer(
  tx: Tx,
  userId: string,
  { key, fingerprint, body, status }: RequestKey & KeptReminderAnswer,
): Promise<void> {
  const kept = await tx`
    insert into reminder_request_keys as kept (user_id, key, fingerprint, body, status)
    values (${userId}, ${key}, ${fingerprint}, ${body}, ${status})
    on conflict (user_id, key) do update
      set fingerprint = excluded.fingerprint, body = excluded.body, status = excluded.status, created_at = excluded.created_at
      where kept.created_at <= clock_timestamp() - ${keptHours} * interval '1 hour'`;
  if (kept.count === 0) throw new Problem("IDEMPOTENCY_KEY_REUSED");
  await tx`
    delete from reminder_request_keys where (user_id, key) in (
      select user_id, key from reminder_request_keys where created_at < clock_timestamp() - ${keptHours} * interval '1 hour'
      order by created_at limit ${prunedPerAnswer} for update skip locked)`;
}
