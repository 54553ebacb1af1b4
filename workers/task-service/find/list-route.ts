import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import { base64UrlText } from "../../../shared/bytes.ts";
import { digestOf } from "../../../shared/digest.ts";
import { decodeCursor, encodeCursor, placeParts } from "../../../shared/http/cursor.ts";
import type { HttpApp } from "../../../shared/http/http-app.ts";
import { defaultPreferences } from "../../../shared/preferences/preferences.ts";
import { Problem } from "../../../shared/problem.ts";
import { zoneClock } from "../../../shared/recurrence/zone-clock.ts";
import type { ListQuery } from "../read-tasks.ts";
import { viewOfRow, type TaskRow } from "../task-row.ts";
import { responses } from "../task-schema.ts";
import { beginningOf, type SpanEdge, type Reader } from "./due-range.ts";
import { filterWords } from "./filter-words.ts";
import { listQuery, withOrder, type TaskListQuery } from "./find-query.ts";
import type { TaskFind, TaskFindPage } from "./find-tasks.ts";
import { parseFilter } from "./parse-filter.ts";
import type { TaskReminders } from "./read-task-reminders.ts";
import { listPlace, taskOrder } from "./task-sort.ts";

export type ListRouteDeps = Readonly<{
  now: () => Date;
  /** Every task of a status, newest first: by one statement that is always the same. */
  listTasks: (query: ListQuery) => Promise<readonly TaskRow[]>;
  findTasks: (find: TaskFind, page: TaskFindPage) => Promise<readonly TaskRow[]>;
  countTasks: (find: TaskFind) => Promise<number>;
  readTaskReminders: (userId: string, taskIds: readonly string[]) => Promise<TaskReminders>;
  oneAtATime: <T>(key: string, work: () => Promise<T>) => Promise<T>;
  /** The zone a user has chosen, `null` for one who has not. Asked where the request speaks of days or of due dates. */
  readZone: (userId: string) => Promise<string | null>;
}>;

type Listed = Readonly<{ rows: readonly TaskRow[]; nextCursor: (last: TaskRow) => string }>;

/** GET /v1/tasks. */
export function addListRoute(app: HttpApp, deps: ListRouteDeps, tags: readonly string[]): void {
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/tasks",
      summary: "Find and list tasks, newest first, or deleted ones",
      description:
        "All filters must hold. A page and its next_cursor belong to the filters and the order they were asked for with. " +
        "A task that is changed meanwhile may come again or not at all where that moves it in the order; others do neither.",
      tags: [...tags],
      request: { query: listQuery },
      responses: responses.listed,
    }),
    async (c) => {
      const asked = withOrder(c.req.valid("query"));
      const { userId } = c.var.identity;
      const zone = needsZone(asked) ? ((await deps.readZone(userId)) ?? defaultPreferences.tz) : "UTC";
      const reader: Reader = { now: deps.now(), zone };
      const { filter: text, ...rest } = asked;
      const filter = text === undefined ? null : parseFilter(text, reader);
      refuseEmptySpans(asked, zone);
      refuseDeletedOrder(asked);
      const find: TaskFind = { userId, asked: rest, filter, reader };
      const count = async () => (asked.count === "true" ? await deps.countTasks(find) : null);
      // What one person looks for takes one connection: others have theirs.
      const [{ rows, nextCursor }, counted] = isPlain(asked)
        ? await Promise.all([listAll(deps, userId, asked), count()])
        : await deps.oneAtATime(`${userId} find`, async () => [await listFound(deps, find, asked), await count()]);
      const shown = rows.slice(0, asked.limit);
      const last = shown.at(-1);
      const reminders =
        asked.expand === "reminders"
          ? await deps.readTaskReminders(
              userId,
              shown.map(({ id }) => id),
            )
          : null;
      return c.json(
        {
          items: shown.map((row) => ({
            ...viewOfRow(row),
            ...(reminders === null ? {} : { reminders: reminders.get(row.id) ?? [] }),
          })),
          next_cursor: rows.length > asked.limit && last ? nextCursor(last) : null,
          ...(counted === null ? {} : { count: counted }),
          ...(filter === null ? {} : { filter_words: filterWords(filter) }),
        },
        200,
      );
    },
  );
}

const newestPlace = z.tuple([placeParts.ms, placeParts.id]);

async function listAll(deps: ListRouteDeps, userId: string, asked: TaskListQuery): Promise<Listed> {
  const { status = "all", templates, limit, cursor } = asked;
  const list = `tasks ${status} ${templates}`;
  const [time, id] = cursor === undefined ? [] : decodeCursor(list, cursor, newestPlace);
  const after = time === undefined || id === undefined ? null : { createdAt: new Date(time), id };
  const rows = await deps.listTasks({ userId, status, templates: templates === "true", after, limit: limit + 1 });
  return { rows, nextCursor: (last) => encodeCursor(list, [last.created_at.getTime(), last.id]) };
}

async function listFound(deps: ListRouteDeps, find: TaskFind, asked: TaskListQuery): Promise<Listed> {
  const { sort, limit, cursor } = asked;
  const { now, zone } = find.reader;
  const offsetMs = zoneClock(zone).wallAt(now.getTime()) - now.getTime();
  const list = `tasks ${nameOf(asked, offsetMs)}`;
  const after = cursor === undefined ? null : decodeCursor(list, cursor, listPlace);
  const rows = await deps.findTasks(find, { order: sort, offsetMs, after, limit: limit + 1 });
  const { placeOf } = taskOrder(sort, offsetMs);
  return { rows, nextCursor: (last) => encodeCursor(list, placeOf(last)) };
}

/** The list a cursor belongs to: what was asked for, and the clock its places by due date are reckoned on. */
function nameOf(
  { limit: _limit, cursor: _cursor, count: _count, expand: _expand, ...asked }: TaskListQuery,
  offsetMs: number,
): string {
  const said = asked.sort.endsWith("due") ? { ...asked, offsetMs } : asked;
  return base64UrlText(digestOf("sha256", JSON.stringify(said)).slice(0, 12));
}

/** Whether nothing narrows or orders the list but status and templates. */
function isPlain({ status: _status, templates: _templates, limit: _limit, cursor: _cursor, ...asked }: TaskListQuery) {
  const { sort, deleted, count: _count, expand: _expand, ...filters } = asked;
  return sort === "-created" && deleted === "false" && Object.values(filters).every((filter) => filter === undefined);
}

function needsZone(asked: TaskListQuery): boolean {
  const { sort, filter, due_after, due_before, completed_after, completed_before, updated_since } = asked;
  const edges = [due_after, due_before, completed_after, completed_before, updated_since];
  return filter !== undefined || sort.endsWith("due") || edges.some((edge) => edge !== undefined);
}

/** Throws INVALID_REQUEST for an order by deletion of tasks that are not deleted. */
function refuseDeletedOrder({ sort, deleted }: TaskListQuery): void {
  if (deleted === "true" || !sort.endsWith("deleted")) return;
  const mistake = { path: "query.sort", message: "goes with deleted=true" };
  throw new Problem("INVALID_REQUEST", undefined, { mistakes: [mistake] });
}

/** Throws INVALID_REQUEST for a span that ends where it begins, or before. */
function refuseEmptySpans(asked: TaskListQuery, zone: string): void {
  const spans: readonly (readonly [name: string, from: SpanEdge | undefined, before: SpanEdge | undefined])[] = [
    ["due", asked.due_after, asked.due_before],
    ["completed", asked.completed_after, asked.completed_before],
  ];
  const mistakes = spans.flatMap(([name, from, before]) =>
    from !== undefined && before !== undefined && beginningOf(before, zone) <= beginningOf(from, zone)
      ? [{ path: `query.${name}_before`, message: `is not after ${name}_after` }]
      : [],
  );
  if (mistakes.length > 0) throw new Problem("INVALID_REQUEST", undefined, { mistakes });
}
