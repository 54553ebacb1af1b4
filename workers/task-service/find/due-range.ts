import type { SQL } from "drizzle-orm";
import { sql } from "drizzle-orm";
import { zoneClock } from "../../../shared/recurrence/zone-clock.ts";
import { dayOf } from "../calendar-days.ts";
import { tasks } from "../../../shared/tasks/task-table.ts";

/** An edge of a span of time: an instant, or a day of the calendar, `2026-12-31`, which stands for its beginning. */
export type SpanEdge = Date | string;

/** From `from` on and before `before`; an edge that is missing is no limit. */
export type Span = Readonly<{ from?: SpanEdge; before?: SpanEdge }>;

/** Whose clock and which moment words such as "today" are read by. */
export type Reader = Readonly<{ now: Date; zone: string }>;

/** The instant at which a day begins. A day that a zone left out begins where the next one does. */
export function beginningOf(edge: SpanEdge, zone: string): Date {
  return edge instanceof Date ? edge : new Date(zoneClock(zone).reachedAt(Date.parse(edge)));
}

/**
 * Whether a task is due in a span. An all-day task is due until the end of its day in the reader's zone: it is in a
 * span of days by its day, and in one of instants by that end.
 */
export function isDue(span: Span, zone: string): SQL {
  const limits: SQL[] = [];
  if (span.from !== undefined) {
    const at = beginningOf(span.from, zone).toISOString();
    limits.push(
      sql`(${tasks.due_date} >= ${at}::timestamptz or ${tasks.due_on} >= ${firstDay(span.from, zone)}::date)`,
    );
  }
  if (span.before !== undefined) {
    const at = beginningOf(span.before, zone).toISOString();
    limits.push(
      sql`(${tasks.due_date} < ${at}::timestamptz or ${tasks.due_on} < ${firstDay(span.before, zone)}::date)`,
    );
  }
  return limits.length === 0 ? sql`(${tasks.due_date} is not null or ${tasks.due_on} is not null)` : all(limits);
}

/** Whether one of the other times of a task, which are instants, is in a span. */
export function isWithin(column: SQL, span: Span, zone: string): SQL {
  const limits: SQL[] = [sql`${column} is not null`];
  if (span.from !== undefined)
    limits.push(sql`${column} >= ${beginningOf(span.from, zone).toISOString()}::timestamptz`);
  if (span.before !== undefined)
    limits.push(sql`${column} < ${beginningOf(span.before, zone).toISOString()}::timestamptz`);
  return all(limits);
}

export function all(conditions: readonly SQL[]): SQL {
  return conditions.length === 0 ? sql`true` : sql`(${sql.join([...conditions], sql` and `)})`;
}

/** The first day whose end is not before the edge: of an instant its own day, which ends after it. */
function firstDay(edge: SpanEdge, zone: string): string {
  return edge instanceof Date ? dayOf(edge, zone) : edge;
}
