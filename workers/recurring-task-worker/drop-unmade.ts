import { isPastUntil } from "../../shared/recurrence/find-recurrence.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import type { Series } from "./advance-series.ts";
import type { Occurrence } from "./decide-series.ts";
import type { TemplateSchedule } from "./template-schedule.ts";

/**
 * Drops what was asked for and never heard of, where the task service makes no such task any more: past the end its series has been
 * given meanwhile, or after its template was deleted. If it had made it before, the task's events bring it back; called for again before they are heard, it
 * is asked for again under its own id, which makes nothing twice. `tasks` has every occurrence of the series of which anything is known.
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
