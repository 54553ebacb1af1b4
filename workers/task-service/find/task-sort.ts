import { z } from "@hono/zod-openapi";
import { sql, type SQL } from "drizzle-orm";
import { placeParts } from "../../../shared/http/cursor.ts";
import { tasks } from "../../../shared/tasks/task-table.ts";
import type { TaskRow } from "../task-row.ts";

const keys = ["due", "created", "updated", "completed", "deleted", "priority"] as const;
type SortKey = (typeof keys)[number];

/** Orders of a list; with a minus from the other end. Tasks without the key come last both ways. */
export const taskOrders = keys.flatMap((key) => [key, `-${key}`] as const);
export type TaskOrder = (typeof taskOrders)[number];

/** Where a list goes on: after the task with this key and id. Times are ms since 1970; `null` for a task without it. */
export type ListPlace = readonly [key: number | null, id: string];
export const listPlace: z.ZodType<ListPlace> = z.tuple([placeParts.ms.nullable(), placeParts.id]);

type Sorter = Readonly<{
  key: SQL;
  /** The same of a row. */
  keyOf: (row: TaskRow) => number | null;
  /** What a place of a cursor is compared as. */
  placed: (key: number) => SQL;
  isAlwaysThere: boolean;
}>;

const dayMs = 86_400_000;
const instantAt = (ms: number): SQL => sql`${new Date(ms).toISOString()}::timestamptz`;
const ranks = { High: 1, Medium: 2, Low: 3 } as const;

/**
 * `offsetMs` is that of the reader's zone now: an all-day task comes at the end of its day there. Where the clocks
 * change until then it is an hour beside it, among the tasks of that night.
 */
function sorterOf(key: SortKey, offsetMs: number): Sorter {
  switch (key) {
    case "due":
      return {
        key: sql`coalesce(${tasks.due_date}, ((${tasks.due_on} + 1)::timestamp at time zone 'UTC') - ${`${offsetMs} ms`}::interval)`,
        keyOf: ({ due_date: at, due_on: day }) =>
          at?.getTime() ?? (day === null ? null : Date.parse(day) + dayMs - offsetMs),
        placed: instantAt,
        isAlwaysThere: false,
      };
    case "created":
      return { ...ofTime("created_at"), isAlwaysThere: true };
    case "updated":
      return { ...ofTime("updated_at"), isAlwaysThere: true };
    case "deleted":
      // Of deleted tasks alone.
      return { ...ofTime("deleted_at"), isAlwaysThere: true };
    case "completed":
      return { ...ofTime("completed_at"), isAlwaysThere: false };
    case "priority":
      return {
        key: sql`case ${tasks.priority} when 'High' then 1 when 'Medium' then 2 when 'Low' then 3 end`,
        keyOf: ({ priority }) => (priority === null ? null : ranks[priority]),
        placed: (rank) => sql`${rank}::float8`,
        isAlwaysThere: false,
      };
  }
}

function ofTime(name: "created_at" | "updated_at" | "completed_at" | "deleted_at"): Omit<Sorter, "isAlwaysThere"> {
  return { key: sql`${tasks[name]}`, keyOf: (row) => row[name]?.getTime() ?? null, placed: instantAt };
}

/** An order of a list: what stands behind `order by`, what a page begins after, and the place of a row. */
export function taskOrder(order: TaskOrder, offsetMs: number) {
  const descends = order.startsWith("-");
  const { key, keyOf, placed, isAlwaysThere } = sorterOf(keyNamed(order), offsetMs);
  const way = descends ? sql`desc` : sql`asc`;
  const beyond = descends ? sql`<` : sql`>`;
  return {
    orderBy: [isAlwaysThere ? sql`${key} ${way}` : sql`${key} ${way} nulls last`, sql`${tasks.id} ${way}`],
    isAfter: ([at, id]: ListPlace): SQL => {
      if (at === null) return sql`(${key} is null and ${tasks.id} ${beyond} ${id}::uuid)`;
      const isBeyond = sql`(${key}, ${tasks.id}) ${beyond} (${placed(at)}, ${id}::uuid)`;
      return isAlwaysThere ? isBeyond : sql`(${isBeyond} or ${key} is null)`;
    },
    placeOf: (row: TaskRow): ListPlace => [keyOf(row), row.id],
  };
}

function keyNamed(order: TaskOrder): SortKey {
  const name = order.replace("-", "");
  return keys.find((key) => key === name) ?? "created";
}
