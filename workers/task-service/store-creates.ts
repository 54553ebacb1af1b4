import type { Sql, Tx } from "../../shared/postgres/db.ts";
import { byteaArray, type OutboxRow } from "../../shared/outbox/outbox.ts";
import type { RequestKey } from "../../shared/http/request-key.ts";
import { patchFields } from "../../shared/tasks/task-fields.ts";
import { arrayColumn, type RowColumn } from "./row-columns.ts";
import type { TaskRow } from "./task-row.ts";

/** A task to make, complete before the database is asked. */
export type Creation = Readonly<{
  row: TaskRow;
  /**
   * The id that the first occurrence of a template will have, which its answer tells; `null` for what is no template.
   */
  firstOccurrence: string | null;
  event: OutboxRow;
  /** `null` for a request without an Idempotency-Key; `body` is the answer to keep. */
  keep: (RequestKey & Readonly<{ body: string }>) | null;
}>;

/**
 * What became of a creation. `key_taken`: an answer is kept under its key by now, and nothing was written for this one.
 */
export type CreateResult = "created" | "key_taken";

/** Columns that follow from others; what is neither said nor follows is as the table fills it in. */
const following: Partial<Record<RowColumn, string>> = {
  updated_at: "created_at",
  due_local_at: "due_date",
  is_recurring_template: "recurrence_pattern is not null",
};
const said = (["id", "user_id", "created_at", ...patchFields, "due_local"] as const)
  .filter((name) => following[name] === undefined)
  .map(arrayColumn);

/** An array parameter. The names of what is sent beside the row are those of no column. */
type ArrayParameter = Readonly<{ name: string; type: string; of: (creation: Creation) => string | number | null }>;
const beside: readonly ArrayParameter[] = [
  { name: "first_occurrence", type: "uuid[]", of: ({ firstOccurrence }) => firstOccurrence },
  { name: "key", type: "text[]", of: ({ keep }) => keep?.key ?? null },
  { name: "fingerprint", type: "text[]", of: ({ keep }) => keep?.fingerprint ?? null },
  { name: "body", type: "text[]", of: ({ keep }) => keep?.body ?? null },
  { name: "shard", type: "smallint[]", of: ({ event }) => event.shard },
  { name: "line", type: "int[]", of: ({ event }) => event.line },
  { name: "message_id", type: "uuid[]", of: ({ event }) => event.messageId },
  { name: "headers", type: "text[]", of: ({ event }) => event.headers },
];
const sent: readonly ArrayParameter[] = [
  ...said.map(({ name, type, of }) => ({ name, type, of: ({ row }: Creation) => of(row) })),
  ...beside,
];

const written = [
  ...said.map(({ name, value }) => [name, value] as const),
  ...Object.entries(following),
  ["first_occurrence", "first_occurrence"] as const,
];

// Made once: the statement's text never changes, so it is prepared once per connection.
const text = `
  with asked as (
    select * from unnest(${sent.map(({ type }, index) => `$${index + 1}::${type}`).join(", ")}, $${sent.length + 1}::bytea[])
      as asked (${sent.map(({ name }) => name).join(", ")}, value)
  ), kept as (
    insert into idempotency_keys (user_id, key, fingerprint, task_id, status, version, body)
    select user_id, key, fingerprint, id, 201, 1, body from asked where key is not null order by user_id, key
    on conflict (user_id, key) do nothing
    returning task_id
  ), created as (
    insert into tasks (${written.map(([name]) => name).join(", ")})
    select ${written.map(([, value]) => value).join(", ")} from asked where key is null or id in (select task_id from kept)
    returning id, version
  ), written as (
    insert into outbox (shard, line, topic, key, message_id, type, subject, sequence, time, value, headers)
    select shard, line, 'task-events', id::text, message_id, 'TaskCreated', id::text, version, asked.created_at, value, headers::jsonb
    from asked join created using (id)
  )
  select id from created`;

/**
 * Makes tasks, each with its outbox row and kept answer, in one statement: all or none. A key that another request is
 * just writing is waited for. Keys are inserted in order, so two batches cannot wait for each other. Requests made at
 * once have no order among them.
 *
 * One array per column instead of one parameter per field: rows share one statement and one commit, and a commit costs
 * more than 100 rows.
 */
export function storeCreates({ sql }: Readonly<{ sql: Sql | Tx }>) {
  return async (creations: readonly Creation[]): Promise<readonly CreateResult[]> => {
    const created = await sql.unsafe<{ id: string }[]>(
      text,
      [
        ...sent.map(({ of }) => creations.map(of)),
        sql.array(
          creations.map(({ event }) => event.value),
          byteaArray,
        ),
      ],
      { prepare: true },
    );
    const ids = new Set(created.map(({ id }) => id));
    return creations.map(({ row }) => (ids.has(row.id) ? "created" : "key_taken"));
  };
}
