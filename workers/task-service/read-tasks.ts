import { and, desc, eq, isNull, not, sql as text } from "drizzle-orm";
import { QueryBuilder } from "drizzle-orm/pg-core";
import { builtQuery } from "./built-query.ts";
import type { Sql, Tx } from "../../shared/postgres/db.ts";
import { tasks } from "../../shared/tasks/task-table.ts";
import type { KeptTaskAnswer } from "./answer.ts";
import { rowColumns, rowOf, rowSelection, type RawRow, type TaskRow } from "./task-row.ts";

/** Where a list goes on: after this task. */
export type ListPosition = Readonly<{ createdAt: Date; id: string }>;

export type ListQuery = Readonly<{
  userId: string;
  status: "open" | "completed" | "all";
  templates: boolean;
  after: ListPosition | null;
  limit: number;
}>;

const select = () => new QueryBuilder().select(rowSelection).from(tasks);
const isMine = and(eq(tasks.user_id, text.placeholder("userId")), isNull(tasks.deleted_at));

const oneTask = builtQuery<RawRow>(select().where(and(eq(tasks.id, text.placeholder("id")), isMine)));

/** The tasks of a user, deleted ones left out; `null` where there is none (or it is another's). */
export function readTask({ sql }: Readonly<{ sql: Sql }>) {
  return async (userId: string, id: string): Promise<TaskRow | null> => {
    const [raw] = await oneTask(sql, { id, userId });
    return raw ? rowOf(raw) : null;
  };
}

/** A task of whoever, locked until the transaction ends; tombstones are found too. */
export async function lockTask(tx: Tx, id: string): Promise<TaskRow | null> {
  const [raw] = await tx<RawRow[]>`select ${tx.unsafe(rowColumns)} from tasks where id = ${id} for update`;
  return raw ? rowOf(raw) : null;
}

/**
 * An occurrence with the other open ones of its template, all that come after it, closed or not, and those deleted with
 * the template, locked in id order until the transaction ends. The later ones are asked for whatever they are, because
 * one that is being reopened meanwhile would be found neither among the open nor, looked up afterwards, among the
 * closed.
 */
export async function lockTasks(
  tx: Tx,
  { template, id, place }: Readonly<{ template: TaskRow; id: string; place: string }>,
): Promise<readonly TaskRow[]> {
  const rows = await tx<RawRow[]>`
    select ${tx.unsafe(rowColumns)} from tasks
    where id = ${id}
      or (template_id = ${template.id} and (
        recurrence_id > ${place} or (status = 'open' and deleted_at is null) or deleted_at = ${template.deleted_at}))
    order by id
    for update`;
  return rows.map(rowOf);
}

/** The kinds of lists there are, each with the text of its query. */
const lists = new Map<string, ReturnType<typeof builtQuery<RawRow>>>();

function listOf({ status, templates, after }: ListQuery) {
  const kind = `${status} ${templates} ${after !== null}`;
  const known = lists.get(kind);
  if (known !== undefined) return known;
  const conditions = and(
    isMine,
    status === "all" ? undefined : eq(tasks.status, text.placeholder("status")),
    templates ? undefined : not(tasks.is_recurring_template),
    after === null ? undefined : isBefore,
  );
  const query = select().where(conditions).orderBy(desc(tasks.created_at), desc(tasks.id));
  const made = builtQuery<RawRow>(query.limit(text.placeholder("limit")));
  lists.set(kind, made);
  return made;
}

const isBefore = text`(${tasks.created_at}, ${tasks.id}) < (${text.placeholder("createdAt")}::timestamptz, ${text.placeholder("afterId")}::uuid)`;

/**
 * Newest first; one more than `limit` tells that there is more. Places are keysets, so writes meanwhile neither repeat
 * nor skip.
 */
export function listTasks({ sql }: Readonly<{ sql: Sql }>) {
  return async (query: ListQuery): Promise<readonly TaskRow[]> => {
    const { userId, status, after, limit } = query;
    const place = { createdAt: after?.createdAt, afterId: after?.id };
    return (await listOf(query)(sql, { userId, status, limit, ...place })).map(rowOf);
  };
}

/**
 * The next open tasks in id order whose due was said as a local time and has not passed for a day, with what it was
 * said as. Not locked: a change of one is stored on the version it was decided from.
 */
export function readLocalDues({ sql }: Readonly<{ sql: Sql }>) {
  return async (
    after: string,
    limit: number,
  ): Promise<readonly Readonly<{ id: string; userId: string; due: Date; local: string }>[]> =>
    await sql`
      select id, user_id as "userId", due_date as due, due_local as local from tasks
      where due_local is not null and status = 'open' and deleted_at is null and id > ${after}
        and due_local_at = due_date and due_date > clock_timestamp() - interval '1 day'
      order by id limit ${limit}`;
}

/**
 * What a change starts from, of one snapshot: a change commits its row and its kept answer together, so both are seen
 * or neither.
 */
export type TaskSnapshot = Readonly<{
  row: TaskRow | null;
  kept: KeptTaskAnswer | null;
  /**
   * The next version is above it: those at or below may have been told before the database went back in time. 0 if it
   * never did.
   */
  floor: number;
}>;

/**
 * Tombstones are found too: the rules decide what they mean. `key` is the idempotency key of the request, if it has
 * one.
 */
export function findForChange({ sql }: Readonly<{ sql: Sql }>) {
  return async (userId: string, id: string, key: string | null): Promise<TaskSnapshot> => {
    if (key === null) {
      const [found] = await sql<(RawRow & { floor: string })[]>`
        select ${sql.unsafe(rowColumns)}, told_floor()::text as floor from tasks where id = ${id} and user_id = ${userId}`;
      if (!found) return { row: null, kept: null, floor: 0 };
      const { floor, ...raw } = found;
      return { row: rowOf(raw), kept: null, floor: Number(floor) };
    }
    const [found] = await sql<(RawRow & { kept: KeptTaskAnswer | null; floor: string })[]>`
      select ${sql.unsafe(rowColumns)}, kept.answer as kept, told_floor()::text as floor
      from (select) as one
      left join tasks on id = ${id} and user_id = ${userId}
      left join (
        select jsonb_build_object('fingerprint', fingerprint, 'taskId', task_id, 'status', status, 'version', version, 'body', body)
          as answer
        from idempotency_keys where user_id = ${userId} and key = ${key}) as kept on true`;
    if (!found) return { row: null, kept: null, floor: 0 };
    const { kept, floor, ...raw } = found;
    // The left join gives a row of nulls where there is no task.
    return { row: (raw.id as string | null) === null ? null : rowOf(raw), kept, floor: Number(floor) };
  };
}

/** The answer kept under a key, `null` when there is none (any more). */
export function readKept({ sql }: Readonly<{ sql: Sql | Tx }>) {
  return async (userId: string, key: string): Promise<KeptTaskAnswer | null> => {
    const [kept] = await sql<(Omit<KeptTaskAnswer, "version"> & { version: string | null })[]>`
      select fingerprint, task_id as "taskId", status, version, body
      from idempotency_keys where user_id = ${userId} and key = ${key}`;
    return kept ? { ...kept, version: kept.version === null ? null : Number(kept.version) } : null;
  };
}
