import type { Task } from "./shapes.ts";

/**
 * Whether an occurrence changed with those after it keeps its times: nothing comes before it, or the series counts from completion, so
 * its series is changed as a whole, and when that recurs its rule says alone.
 */
export function keepsTimes({ recurrence_id }: Pick<Task, "recurrence_id">, template: Task | null): boolean {
  const pattern = template?.recurrence_pattern ?? null;
  if (recurrence_id === null || pattern === null || typeof pattern === "string") return false;
  return pattern["anchor"] === "completion" || pattern["start"] === recurrence_id.split("#")[0];
}
