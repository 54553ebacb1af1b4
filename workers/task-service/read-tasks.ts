import type { Sql, Tx } from "../../shared/postgres/db.ts";
import type { KeptAnswer } from "./answer.ts";
import type { TaskRow } from "./task-row.ts";

/** A row as the driver gives it: bigints are text. */
type Raw = Omit<TaskRow, "version" | "view_version"> & Readonly<{ version: string; view_version: string | null }>;

/** Where a list goes on: after this task. */
export type Place = Readonly<{ createdAt: Date; id: string }>;

export type ListQuery = Readonly<{
  userId: string;
  status: "open" | "completed" | "all";
  templates: boolean;
  after: Place | null;
  limit: number;
}>;

/** The tasks of a user, deleted ones left out; `null` where there is none (or it is another's). */
export function readTask({ sql }: Readonly<{ sql: Sql }>) {
  return async (userId: string, id: string): Promise<TaskRow | null> => {
    const [raw] = await sql<Raw[]>`
      select ${columns(sql)} from tasks where id = ${id} and user_id = ${userId} and deleted_at is null`;
    return raw ? rowOf(raw) : null;
  };
}

/** A task of whoever, locked until the transaction ends; tombstones are found too. */
export async function lockTask(tx: Tx, id: string): Promise<TaskRow | null> {
  const [raw] = await tx<Raw[]>`select ${columns(tx)} from tasks where id = ${id} for update`;
  return raw ? rowOf(raw) : null;
}

/**
 * An occurrence with the other open ones of its template and all that come after it, closed or not, locked in id order until the
 * transaction ends. The later ones are asked for whatever they are, because one that is being reopened meanwhile would be found
 * neither among the open nor, looked up afterwards, among the closed.
 */
export async function lockTasks(
  tx: Tx,
  { templateId, id, place }: Readonly<{ templateId: string; id: string; place: string }>,
): Promise<readonly TaskRow[]> {
  const rows = await tx<Raw[]>`
    select ${columns(tx)} from tasks
    where id = ${id}
      or (template_id = ${templateId} and (recurrence_id > ${place} or (status = 'open' and deleted_at is null)))
    order by id
    for update`;
  return rows.map(rowOf);
}

/** Newest first; one more than `limit` tells that there is more. Places are keysets, so writes meanwhile neither repeat nor skip. */
export function listTasks({ sql }: Readonly<{ sql: Sql }>) {
  return async ({ userId, status, templates, after, limit }: ListQuery): Promise<readonly TaskRow[]> => {
    const rows = await sql<Raw[]>`
      select ${columns(sql)} from tasks
      where user_id = ${userId} and deleted_at is null
        ${status === "all" ? sql`` : sql`and status = ${status}`}
        ${templates ? sql`` : sql`and not is_recurring_template`}
        ${after === null ? sql`` : sql`and (created_at, id) < (${after.createdAt}::timestamptz, ${after.id}::uuid)`}
      order by created_at desc, id desc
      limit ${limit}`;
    return rows.map(rowOf);
  };
}

/** What a change starts from, of one snapshot: a change commits its row and its kept answer together, so both are seen or neither. */
export type Found = Readonly<{ row: TaskRow | null; kept: KeptAnswer | null }>;

/** Tombstones are found too: the rules decide what they mean. `key` is the idempotency key of the request, if it has one. */
export function findForChange({ sql }: Readonly<{ sql: Sql }>) {
  return async (userId: string, id: string, key: string | null): Promise<Found> => {
    if (key === null) {
      const [raw] = await sql<Raw[]>`select ${columns(sql)} from tasks where id = ${id} and user_id = ${userId}`;
      return { row: raw ? rowOf(raw) : null, kept: null };
    }
    const [found] = await sql<(Raw & { kept: RawKept | null })[]>`
      select ${columns(sql)}, kept.answer as kept
      from (select) as one
      left join tasks on id = ${id} and user_id = ${userId}
      left join (
        select jsonb_build_object('fingerprint', fingerprint, 'taskId', task_id, 'status', status, 'version', version, 'body', body)
          as answer
        from idempotency_keys where user_id = ${userId} and key = ${key}) as kept on true`;
    if (!found) return { row: null, kept: null };
    const { kept, ...raw } = found;
    // The left join gives a row of nulls where there is no task.
    return { row: (raw.id as string | null) === null ? null : rowOf(raw), kept };
  };
}

type RawKept = KeptAnswer;

/** The answer kept under a key, `null` when there is none (any more). */
export function readKept({ sql }: Readonly<{ sql: Sql | Tx }>) {
  return async (userId: string, key: string): Promise<KeptAnswer | null> => {
    const [kept] = await sql<(Omit<KeptAnswer, "version"> & { version: string | null })[]>`
      select fingerprint, task_id as "taskId", status, version, body
      from idempotency_keys where user_id = ${userId} and key = ${key}`;
    return kept ? { ...kept, version: kept.version === null ? null : Number(kept.version) } : null;
  };
}

function columns(sql: Sql | Tx) {
  return sql`id, tasks.user_id, title, description, created_at, updated_at, due_date, due_on, due_tz, priority, tags, remind,
    tasks.status, completed_at, deleted_at, is_recurring_template, recurrence_pattern, template_id, recurrence_id, tasks.version,
    (select view_version from task_views where task_id = tasks.id) as view_version`;
}

function rowOf(raw: Raw): TaskRow {
  const { view_version } = raw;
  return { ...raw, version: Number(raw.version), view_version: view_version === null ? null : Number(view_version) };
}
