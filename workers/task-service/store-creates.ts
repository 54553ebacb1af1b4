import type { Sql } from "../../shared/postgres/db.ts";
import { byteaArray, type OutboxRow } from "../../shared/outbox/outbox.ts";
import type { RequestKey } from "../../shared/http/request-key.ts";
import type { TaskRow } from "./task-row.ts";

/** A task to make, complete before the database is asked. */
export type Creation = Readonly<{
  row: TaskRow;
  /** The id that the first occurrence of a template will have, which its answer tells; `null` for what is no template. */
  firstOccurrence: string | null;
  event: OutboxRow;
  /** `null` for a request without an Idempotency-Key; `body` is the answer to keep. */
  keep: (RequestKey & Readonly<{ body: string }>) | null;
}>;

/** What became of a creation. `key_taken`: an answer is kept under its key by now, and nothing was written for this one. */
export type Created = "created" | "key_taken";

/**
 * Makes tasks, each with its outbox row and kept answer, in one statement: all or none. A key that another request is just writing
 * is waited for. Keys are inserted in order, so two batches cannot wait for each other. Requests made at once have no order among them.
 *
 * One array per column instead of one parameter per field: the statement's text never changes, so it is prepared once per connection,
 * and rows share one commit (a commit costs more than 100 rows do).
 */
export function storeCreates({ sql }: Readonly<{ sql: Sql }>) {
  return async (creations: readonly Creation[]): Promise<readonly Created[]> => {
    const column = <T>(of: (creation: Creation) => T): T[] => creations.map(of);
    const created = await sql<{ id: string }[]>`
      with asked as (
        select * from unnest(
          ${column(({ row }) => row.id)}::uuid[], ${column(({ row }) => row.user_id)}::uuid[],
          ${column(({ row }) => row.title)}::text[], ${column(({ row }) => row.description)}::text[],
          ${column(({ row }) => row.created_at.toISOString())}::timestamptz[],
          ${column(({ row }) => row.due_date?.toISOString() ?? null)}::timestamptz[],
          ${column(({ row }) => row.due_on)}::date[], ${column(({ row }) => row.due_tz)}::text[],
          ${column(({ row }) => row.priority)}::text[], ${column(({ row }) => arrayLiteral(row.tags))}::text[],
          ${column(({ row }) => (row.remind === null ? null : arrayLiteral(row.remind)))}::text[],
          ${column(({ row }) => row.recurrence_pattern)}::text[], ${column(({ firstOccurrence }) => firstOccurrence)}::uuid[],
          ${column(({ keep }) => keep?.key ?? null)}::text[], ${column(({ keep }) => keep?.fingerprint ?? null)}::text[],
          ${column(({ keep }) => keep?.body ?? null)}::text[],
          ${column(({ event }) => event.shard)}::smallint[], ${column(({ event }) => event.line)}::int[],
          ${column(({ event }) => event.messageId)}::uuid[],
          ${sql.array(
            column(({ event }) => Buffer.from(event.value)),
            byteaArray,
          )}::bytea[],
          ${column(({ event }) => event.headers)}::text[]
        ) as asked (id, user_id, title, description, created_at, due_date, due_on, due_tz, priority, tags, remind, recurrence_pattern,
          first_occurrence, key, fingerprint, body, shard, line, message_id, value, headers)
      ), kept as (
        insert into idempotency_keys (user_id, key, fingerprint, task_id, status, version, body)
        select user_id, key, fingerprint, id, 201, 1, body from asked where key is not null order by user_id, key
        on conflict (user_id, key) do nothing
        returning task_id
      ), created as (
        insert into tasks (id, user_id, title, description, created_at, updated_at, due_date, due_on, due_tz, priority, tags,
          remind, is_recurring_template, recurrence_pattern, first_occurrence)
        select id, user_id, title, description, created_at, created_at, due_date, due_on, due_tz, priority, tags::text[],
          remind::text[], recurrence_pattern is not null, recurrence_pattern, first_occurrence
        from asked where key is null or id in (select task_id from kept)
        returning id, version
      ), written as (
        insert into outbox (shard, line, topic, key, message_id, type, subject, sequence, time, value, headers)
        select shard, line, 'task-events', id::text, message_id, 'TaskCreated', id::text, version, asked.created_at, value, headers::jsonb
        from asked join created using (id)
      )
      select id from created`;
    const ids = new Set(created.map(({ id }) => id));
    return creations.map(({ row }) => (ids.has(row.id) ? "created" : "key_taken"));
  };
}

/** The text form of a `text[]`: rows have different numbers of tags, and `unnest` takes no ragged arrays. */
export function arrayLiteral(items: readonly string[]): string {
  return `{${items.map((item) => `"${item.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`).join(",")}}`;
}
