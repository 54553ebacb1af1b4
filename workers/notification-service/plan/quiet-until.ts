import { weekdays, type Preferences } from "../../../shared/preferences/preferences.ts";
import { timeMs } from "../../../shared/recurrence/wall-time.ts";
import { zoneClock } from "../../../shared/recurrence/zone-clock.ts";

const dayMs = 86_400_000;

type QuietPreferences = Pick<Preferences, "tz" | "quiet_hours" | "muted_until">;

/**
 * Until when a person wants to hear nothing that comes at `at`: the end of the quiet window or the mute it lies in, or
 * of the window in which the mute ends; `null` when it may come. The end itself is not quiet.
 */
export function quietUntil({ tz, quiet_hours: hours, muted_until: muted }: QuietPreferences, at: Date): Date | null {
  const unmuted = muted === null ? at : new Date(Math.max(at.getTime(), Date.parse(muted)));
  const end = hours === null ? null : windowEnd(hours, tz, unmuted);
  if (end !== null) return end;
  return unmuted > at ? unmuted : null;
}

/**
 * The end of the window `at` lies in. A window is shorter than a day, so it began today or yesterday on the user's
 * calendar.
 */
function windowEnd(hours: NonNullable<QuietPreferences["quiet_hours"]>, tz: string, at: Date): Date | null {
  const clock = zoneClock(tz);
  const today = Math.floor(clock.wallAt(at.getTime()) / dayMs) * dayMs;
  const ends = [today - dayMs, today].flatMap((day) => {
    const weekday = weekdays[(new Date(day).getUTCDay() + 6) % 7];
    if (!hours.days.some((name) => name === weekday)) return [];
    const lastDay = hours.to > hours.from ? day : day + dayMs;
    // Of a time that comes twice the window covers both; one that is left out is the instant at which the clocks jump
    // past it.
    const begins = clock.reachedAt(day + timeMs(hours.from));
    const ended = lastDay + timeMs(hours.to);
    const end = clock.lastInstantAt(ended) ?? clock.reachedAt(ended);
    return begins <= at.getTime() && at.getTime() < end ? [end] : [];
  });
  return ends.length === 0 ? null : new Date(Math.max(...ends));
}
