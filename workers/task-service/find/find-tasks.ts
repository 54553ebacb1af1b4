import { and, eq, isNull, not, sql as text, type SQL } from "drizzle-orm";
import { QueryBuilder } from "drizzle-orm/pg-core";
import type { Sql } from "../../../shared/postgres/db.ts";
import { tasks } from "../../../shared/tasks/task-table.ts";
import { builtQuery } from "../built-query.ts";
import { restorableSince } from "../restore/restorable.ts";
import { rowOf, rowSelection, type RawRow, type TaskRow } from "../task-row.ts";
import { isDue, isWithin, type SpanEdge, type Reader, type Span } from "./due-range.ts";
import { filterCondition } from "./filter-condition.ts";
import { saysStatus, type FilterTree } from "./filter-tree.ts";
import type { TaskListQuery } from "./find-query.ts";
import { hasTag, hasWords } from "./search-words.ts";
import { taskOrder, type ListPlace, type TaskOrder } from "./task-sort.ts";

/** What a list is narrowed by. */
export type TaskFind = Readonly<{
  userId: string;
  /** What the request names; whose paging and order are said apart. */
  asked: Omit<TaskListQuery, "limit" | "cursor" | "sort" | "count" | "expand" | "filter">;
  filter: FilterTree | null;
  reader: Reader;
}>;

export type TaskFindPage = Readonly<{ order: TaskOrder; offsetMs: number; after: ListPlace | null; limit: number }>;

/**
 * A user's tasks that all the filters leave, in the order asked for; one more than `limit` tells that there is more.
 * Places are keysets: a write meanwhile neither repeats nor skips another task. The text differs with what is asked
 * for, so Postgres plans each by its values: an index by words for a word, one by user for the rest.
 */
export function findTasks({ sql }: Readonly<{ sql: Sql }>) {
  return async (find: TaskFind, { order, offsetMs, after, limit }: TaskFindPage): Promise<readonly TaskRow[]> => {
    const { orderBy, isAfter } = taskOrder(order, offsetMs);
    const query = new QueryBuilder()
      .select(rowSelection)
      .from(tasks)
      .where(and(...conditionsOf(find), after === null ? undefined : isAfter(after)))
      .orderBy(...orderBy)
      .limit(limit);
    return (await builtQuery<RawRow>(query, { prepare: false })(sql, {})).map(rowOf);
  };
}

/** How many tasks the filters leave. */
export function countTasks({ sql }: Readonly<{ sql: Sql }>) {
  return async (find: TaskFind): Promise<number> => {
    const query = new QueryBuilder()
      .select({ count: text<string>`count(*)`.as("count") })
      .from(tasks)
      .where(and(...conditionsOf(find)));
    const [row] = await builtQuery<{ count: string }>(query, { prepare: false })(sql, {});
    return Number(row?.count ?? 0);
  };
}

function conditionsOf({ userId, asked, filter, reader }: TaskFind): readonly (SQL | undefined)[] {
  const { now, zone } = reader;
  const status = asked.status ?? (filter === null || saysStatus(filter) ? "all" : "open");
  const due = spanOf(asked.due_after, asked.due_before);
  const completed = spanOf(asked.completed_after, asked.completed_before);
  const updated = spanOf(asked.updated_since, undefined);
  return [
    eq(tasks.user_id, userId),
    asked.deleted === "true" ? isRestorable(now) : isNull(tasks.deleted_at),
    status === "all" ? undefined : eq(tasks.status, status),
    asked.templates === "true" ? undefined : not(tasks.is_recurring_template),
    due && isDue(due, zone),
    completed && isWithin(text`${tasks.completed_at}`, completed, zone),
    updated && isWithin(text`${tasks.updated_at}`, updated, zone),
    asked.q === undefined ? undefined : hasWords(userId, asked.q),
    ...(asked.tag ?? []).map((tag) => hasTag(userId, tag)),
    asked.priority && hasPriority(asked.priority),
    asked.template_id === undefined ? undefined : eq(tasks.template_id, asked.template_id),
    asked.ids && text`${tasks.id} = any(${arrayText(asked.ids)}::uuid[])`,
    filter === null ? undefined : filterCondition(filter, { ...reader, userId }),
  ];
}

/**
 * A tombstone that may be restored. Occurrences that only an undone completion or deletion removed again are left out:
 * no person deleted them. The recurring task worker's table tells, read here and never written.
 */
function isRestorable(now: Date): SQL {
  const since = restorableSince(now).toISOString();
  return text`(${tasks.deleted_at} > ${since}::timestamptz
    and not coalesce((select taken_back from occurrences where occurrences.id = ${tasks.id}), false))`;
}

function spanOf(from: SpanEdge | undefined, before: SpanEdge | undefined): Span | undefined {
  if (from === undefined && before === undefined) return undefined;
  return { ...(from === undefined ? {} : { from }), ...(before === undefined ? {} : { before }) };
}

function hasPriority(wanted: NonNullable<TaskListQuery["priority"]>): SQL {
  const named = wanted.filter((one) => one !== "none");
  const isNamed = text`${tasks.priority} = any(${arrayText(named)}::text[])`;
  return wanted.length === named.length ? isNamed : text`(${isNamed} or ${tasks.priority} is null)`;
}

/** An array as Postgres reads it: of ids and names, which need no quotes. */
const arrayText = (values: readonly string[]): string => `{${values.join(",")}}`;
