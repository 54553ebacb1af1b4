import { z } from "@hono/zod-openapi";
import { span, spanMs, spanWords } from "../../shared/preferences/preferences.ts";
import { localStart, timeMs } from "../../shared/recurrence/wall-time.ts";
import { zoneClock } from "../../shared/recurrence/zone-clock.ts";
import { instant } from "../../shared/tasks/instant.ts";
import { localDue } from "../../shared/tasks/local-due.ts";
import { refuse } from "./refuse.ts";

const presets = ["10m", "1h", "tonight", "tomorrow", "next-week"] as const;
const maxDays = 366;
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** The body of POST /v1/reminders/:id/snooze: exactly one of its fields. */
export const snoozeInput = z
  .strictObject({
    until: instant.optional().openapi({ description: `The time to remind at, at most ${maxDays} days ahead.` }),
    for: span
      .refine((text) => spanMs(text) !== 0, "is no time at all")
      .optional()
      .openapi({
        ...spanWords,
        description: `How long from now, more than nothing. ${spanWords.description}`,
        example: "PT10M",
      }),
    preset: z.enum(presets).optional().openapi({
      description:
        "In your zone: tonight is 20:00 today, tomorrow and next-week (the next Monday) are at the hour your whole days are due.",
    }),
  })
  .refine((body) => Object.values(body).filter((value) => value !== undefined).length === 1, {
    error: "takes exactly one of until, for and preset",
  })
  .openapi("Snooze", { minProperties: 1, maxProperties: 1 });
export type SnoozeWish = z.output<typeof snoozeInput>;

/**
 * The instant a snooze lasts until. Pure; `now` is the database's, `tz` and `allDayAt` the user's. A wall-clock time in
 * a gap of the clocks moves past it. Throws INVALID_REQUEST for an instant not ahead, or too far.
 */
export function snoozeUntil(wish: SnoozeWish, clock: Readonly<{ now: Date; tz: string; allDayAt: string }>): Date {
  const { now } = clock;
  if (wish.until !== undefined) {
    if (wish.until <= now) refuse("/until", "is in the past");
    if (wish.until.getTime() - now.getTime() > maxDays * 24 * 60 * minuteMs)
      refuse("/until", `is more than ${maxDays} days ahead`);
    return wish.until;
  }
  if (wish.for !== undefined) return new Date(now.getTime() + (spanMs(wish.for) ?? 0));
  const until = presetTime(wish.preset ?? "10m", clock);
  if (until <= now) refuse("/preset", `is past: it is later than 20:00 in ${clock.tz}`);
  return until;
}

/** What a snooze by a time of day was said as, see `localDue`; `null` for an instant or a span. */
export function snoozeLocal({ preset }: SnoozeWish, until: Date, tz: string): string | null {
  return preset === undefined || preset === "10m" || preset === "1h" ? null : localDue(localStart(until, tz), tz);
}

function presetTime(
  preset: (typeof presets)[number],
  { now, tz, allDayAt }: Readonly<{ now: Date; tz: string; allDayAt: string }>,
): Date {
  const clock = zoneClock(tz);
  const today = Math.floor(clock.wallAt(now.getTime()) / dayMs) * dayMs;
  const at = (days: number, time: string) => new Date(clock.instantPast(today + days * dayMs + timeMs(time)));
  switch (preset) {
    case "10m":
      return new Date(now.getTime() + 10 * minuteMs);
    case "1h":
      return new Date(now.getTime() + 60 * minuteMs);
    case "tonight":
      return at(0, "20:00");
    case "tomorrow":
      return at(1, allDayAt);
    case "next-week":
      return at(7 - ((new Date(today).getUTCDay() + 6) % 7), allDayAt);
  }
}
