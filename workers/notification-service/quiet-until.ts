import { weekdays, type Preferences } from "../../shared/preferences/preferences.ts";

type Quiet = Pick<Preferences, "tz" | "quiet_hours" | "muted_until">;

/**
 * Until when a person wants to hear nothing that comes at `at`: the end of the quiet window or the mute it lies in, or of the window
 * in which the mute ends; `null` when it may come. The end itself is not quiet.
 */
export function quietUntil({ tz, quiet_hours: hours, muted_until: muted }: Quiet, at: Date): Date | null {
  const unmuted = muted === null ? at : new Date(Math.max(at.getTime(), Date.parse(muted)));
  const end = hours === null ? null : windowEnd(hours, tz, unmuted);
  if (end !== null) return end;
  return unmuted > at ? unmuted : null;
}

/** The end of the window `at` lies in. A window is shorter than a day, so it began today or yesterday on the user's calendar. */
function windowEnd(hours: NonNullable<Quiet["quiet_hours"]>, tz: string, at: Date): Date | null {
  const today = Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(tz).toPlainDate();
  const ends = [today.subtract({ days: 1 }), today].flatMap((day) => {
    if (!hours.days.some((name) => name === weekdays[day.dayOfWeek - 1])) return [];
    const lastDay = hours.to > hours.from ? day : day.add({ days: 1 });
    const [begins, end] = [instantOf(day, hours.from, tz, "earlier"), instantOf(lastDay, hours.to, tz, "later")];
    return begins <= at.getTime() && at.getTime() < end ? [end] : [];
  });
  return ends.length === 0 ? null : new Date(Math.max(...ends));
}

/**
 * When a wall clock shows a time, in ms since the epoch. A time that comes twice is the one asked for, so that a window covers both;
 * one that is left out is the instant at which the clock jumps past it.
 */
function instantOf(day: Temporal.PlainDate, clock: string, timeZone: string, twice: "earlier" | "later"): number {
  const wall = day.toPlainDateTime(Temporal.PlainTime.from(clock));
  const [earlier, later] = (["earlier", "later"] as const).map((disambiguation) =>
    wall.toZonedDateTime(timeZone, { disambiguation }),
  );
  if (earlier === undefined || later === undefined) throw new Error("unreachable");
  const isLeftOut = !later.toPlainDateTime().equals(wall);
  if (isLeftOut) return (earlier.getTimeZoneTransition("next") ?? later).epochMilliseconds;
  return (twice === "earlier" ? earlier : later).epochMilliseconds;
}
