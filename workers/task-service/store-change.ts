import type { Sql, Tx } from "../../shared/postgres/db.ts";
import { insertOutboxFrom, type OutboxRow } from "../../shared/outbox/outbox.ts";
import type { RequestKey } from "../../shared/http/request-key.ts";
import type { TaskAnswer } from "./answer.ts";
import { valueReader } from "./row-columns.ts";
import { changedColumns } from "./store-rows.ts";
import type { TaskRow } from "./task-row.ts";

/** One change, complete before the database is asked: the next row, its event in bytes, the answer to keep. */
export type PreparedChange = Readonly<{
  row: TaskRow;
  /** The version it was decided from. */
  before: number;
  event: OutboxRow;
  /** `null` for a request without an Idempotency-Key. */
  keep: (RequestKey & Readonly<{ answer: TaskAnswer }>) | null;
}>;

/**
 * `moved`: the row is no longer at the version before; `key_taken`: the key has an answer by now. Nothing is written
 * then.
 */
export type StoreResult = "stored" | "moved" | "key_taken";

/**
 * Writes a change in one statement: it locks the row, goes on only where its version is the one before, and inserts the
 * outbox row and the answer to keep. So of two changes that started from one version exactly one is stored, and none by
 * halves.
 */
export function storeChange({ sql }: Readonly<{ sql: Sql }>) {
  return async ({ row, before, event, keep }: PreparedChange): Promise<StoreResult> => {
    const kept = keep
      ? sql`, kept as (
          insert into idempotency_keys (user_id, key, fingerprint, task_id, status, version, body)
          select ${row.user_id}, ${keep.key}, ${keep.fingerprint}, id, ${keep.answer.status}::smallint,
            ${keep.answer.version}::bigint, ${keep.answer.body}
          from changed)`
      : sql``;
    try {
      const stored = await sql<{ version: string }[]>`
        with changed as (
          update tasks set ${sql(changedValues(row))}
          where id = ${row.id} and user_id = ${row.user_id} and version = ${before}
          returning id, version)
        ${kept}, written as (${insertOutboxFrom(sql, event, { from: sql`changed`, sequence: sql`changed.version` })})
        select version from changed`;
      return stored.length === 1 ? "stored" : "moved";
    } catch (error) {
      if (isKeyTaken(error)) return "key_taken";
      throw error;
    }
  };
}

const readers = changedColumns.map((name) => [name, valueReader(name)] as const);

function changedValues(row: TaskRow) {
  return Object.fromEntries(readers.map(([name, valueOf]) => [name, valueOf(row)]));
}

/** Keeps the answer of a request that changed nothing. Where the key is taken by then, the answer there stays. */
export function keepAnswer({ sql }: Readonly<{ sql: Sql | Tx }>) {
  return async (userId: string, { key, fingerprint }: RequestKey, answer: TaskAnswer): Promise<void> => {
    await sql`
      insert into idempotency_keys (user_id, key, fingerprint, task_id, status, version, body)
      values (${userId}, ${key}, ${fingerprint}, ${answer.taskId}, ${answer.status}, ${answer.version}, ${answer.body})
      on conflict (user_id, key) do nothing`;
  };
}

/** Keeps the answer of a request in its transaction. Rejects with a unique violation where the key is taken by then. */
export async function insertAnswer(
  tx: Tx,
  userId: string,
  { key, fingerprint }: RequestKey,
  answer: TaskAnswer,
): Promise<void> {
  await tx`
    insert into idempotency_keys (user_id, key, fingerprint, task_id, status, version, body)
    values (${userId}, ${key}, ${fingerprint}, ${answer.taskId}, ${answer.status}, ${answer.version}, ${answer.body})`;
}

/** A concurrent request with the same key committed first; this statement waited for it and wrote nothing. */
function isKeyTaken(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    error.code === "23505" &&
    "constraint_name" in error &&
    error.constraint_name === "idempotency_keys_pkey"
  );
}
