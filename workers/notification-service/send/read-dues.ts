import { findZone } from "../../../shared/zones/zones-in-use.ts";
import type { Sql, Tx } from "../../../shared/postgres/db.ts";
import type { FiredReminder, ToldReminder } from "../channels/channel.ts";

/** Of a task: the zone its due is meant in, where it has one of its own, and the day an all-day one is due. */
type TaskDue = Readonly<{ tz: string | null; on: string | null }>;

/** The dues of these tasks, by task-service's table as it is committed now; a task that is not there has none. */
export async function readDues(
  sql: Sql | Tx,
  tasks: readonly Readonly<{ taskId: string | null; userId: string }>[],
): Promise<ReadonlyMap<string, TaskDue>> {
  const asked = tasks.filter(({ taskId }) => taskId !== null);
  if (asked.length === 0) return new Map();
  const rows = await sql<{ id: string; tz: string | null; on: string | null }[]>`
    select tasks.id, due_tz as tz, due_on::text as on
    from unnest(${asked.map(({ taskId }) => taskId)}::uuid[], ${asked.map(({ userId }) => userId)}::uuid[]) as asked (id, user_id)
    join tasks on tasks.id = asked.id and tasks.user_id = asked.user_id`;
  return new Map(rows.map(({ id, tz, on }) => [id, { tz, on }]));
}

/**
 * A reminder with the place and the day it is told for; `tz` is its person's. A zone that the zone data in use do not
 * have is passed over.
 */
export function toldReminder(fired: FiredReminder, dues: ReadonlyMap<string, TaskDue>, tz: string): ToldReminder {
  const due = dues.get(fired.taskId);
  return { ...fired, ...zoneAndDay(due, tz) };
}

export function zoneAndDay(due: TaskDue | undefined, tz: string): Readonly<{ tz: string; dueOn: string | null }> {
  return { tz: findZone(due?.tz ?? tz) ?? findZone(tz) ?? "UTC", dueOn: due?.on ?? null };
}
