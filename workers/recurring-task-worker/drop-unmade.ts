import { isPastUntil } from "../../shared/recurrence/find-recurrence.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import type { Series } from "./series.ts";
import type { Occurrence } from "./decide-series.ts";
import type { TemplateSchedule } from "./template-schedule.ts";

/**
 * Drops occurrences that were requested, have no task yet, and get none any more: their series was ended before them,
 * or their template was deleted. If the task was made before that, its events bring the occurrence back. If the series
 * needs it again before they arrive, it is requested under the same id, so nothing is made twice. `tasks` has every
 * occurrence that anything is known of.
 */
export function dropUnmade(
  series: Series,
  template: TemplateSchedule | null,
  { tasks, now }: Readonly<{ tasks: ReadonlyMap<string, FoldedTask | null>; now: Date }>,
): Series {
  const until = template?.schedule.rule.until ?? null;
  const isRefused = ({ at }: Occurrence): boolean =>
    template === null || (until !== null && isPastUntil(until, at, template.schedule.tz));
  const isDropped = (each: Occurrence): boolean =>
    each.state !== "deleted" && (tasks.get(each.id) ?? null) === null && isRefused(each);
  if (!series.occurrences.some(isDropped)) return series;
  const dropped = { state: "deleted", closedAt: now, dropped: true } as const;
  const made = { ...series.made };
  for (const { scheduleKey } of series.occurrences.filter(isDropped)) made[scheduleKey] = (made[scheduleKey] ?? 0) - 1;
  return {
    ...series,
    made,
    occurrences: series.occurrences.map((each) => (isDropped(each) ? { ...each, ...dropped } : each)),
  };
}
