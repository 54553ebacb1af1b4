import { isDay } from "../../shared/tasks/is-day.ts";

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Whether a text is an age, which needs to know the time. */
export const isAge = (text: string): boolean => agePattern.test(text);

const agePattern = /^(\d{1,12})([smhd])$/;
const earliest = Date.parse("0001-01-01T00:00:00Z");
const latest = Date.parse("9999-12-31T23:59:59Z");

/**
 * RFC 3339, or an age such as `90s`, `30m`, `2h`, `3d`: that long before `now`. Null when it is neither, or so long ago
 * or ahead that the database has no time for it.
 */
export function readTime(text: string, now: Date): Date | null {
  const [, count, unit = ""] = agePattern.exec(text) ?? [];
  if (count !== undefined) return bounded(new Date(now.getTime() - Number(count) * (unitMs[unit] ?? 0)));
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text) || !isDay(text.slice(0, 10)))
    return null;
  return bounded(new Date(text));
}

function bounded(time: Date): Date | null {
  return time.getTime() >= earliest && time.getTime() <= latest ? time : null;
}
