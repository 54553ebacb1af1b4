import { previewDates } from "./repeat-preview.ts";
import type { RepeatPattern } from "./repeat-rule.ts";
import { zoneHere } from "./repeat-words.ts";
import type { Task } from "./shapes.ts";

/**
 * Whether an occurrence changed with those after it keeps its times: nothing comes before it, or the series counts from
 * completion, so its series is changed as a whole, and when that recurs its rule says alone.
 */
export function keepsTimes({ recurrence_id }: Pick<Task, "recurrence_id">, template: Task | null): boolean {
  const pattern = template?.recurrence_pattern ?? null;
  if (recurrence_id === null || pattern === null || typeof pattern === "string") return false;
  if (pattern["anchor"] === "completion") return true;
  const [place = recurrence_id] = recurrence_id.split("#");
  const first = firstDate(pattern);
  if (first === null) return false;
  // Made before the time of the series changed, it stands for the new time of its day.
  const isOnceADay = !/BYHOUR=/i.test(String(pattern["rrule"]));
  return isOnceADay ? place.slice(0, 10) <= first.slice(0, 10) : place <= first;
}

/**
 * The start need not be a date of the rule: the last Friday of the month, from a Thursday on. `null` where it is not
 * found.
 */
function firstDate(pattern: Readonly<Record<string, unknown>>): string | null {
  const { exdate, tz } = pattern;
  // Of a template, so the server has checked it and filled everything in. Gaps of clocks elsewhere are not known here.
  const dates = previewDates(pattern as RepeatPattern, tz === zoneHere() ? undefined : () => true);
  return dates.find((date) => !(Array.isArray(exdate) && exdate.includes(date))) ?? null;
}
