import { zoneClock } from "../../../shared/recurrence/zone-clock.ts";
import type { Clock, Due, RelativeReminder } from "../../../shared/tasks/relative-reminder.ts";
import { remindAt } from "../../../shared/tasks/remind-at.ts";
import { component, contentLine, textValue } from "./content-line.ts";
import { utcValue } from "./time-value.ts";

/**
 * VALARM of one reminder of a task. Its trigger is a span from the due time on the wall clock, so it holds for every
 * recurrence; of a whole day, calendars count from its midnight, and we from the time at which the user has it count as
 * due. `related` says what the span is from: DUE (END) or, of a series, DTSTART (START).
 */
export function alarm(
  rule: RelativeReminder,
  { due, clock, title, related }: Readonly<{ due: Due; clock: Clock; title: string; related: "START" | "END" }>,
): string {
  return valarm(title, contentLine(`TRIGGER;RELATED=${related}`, span(rule, due, clock)));
}

/** VALARM of a reminder that has a time of its own (RFC 5545 §3.8.6.3), whether or not the task is due. */
export function alarmAt(at: Date, title: string): string {
  return valarm(title, contentLine("TRIGGER;VALUE=DATE-TIME", utcValue(at)));
}

function valarm(title: string, trigger: string): string {
  const description = contentLine("DESCRIPTION", textValue(title));
  return component("VALARM", [contentLine("ACTION", "DISPLAY"), description, trigger]);
}

/** `-P1DT15M`: days are days of the calendar there too. */
function span(rule: RelativeReminder, due: Due, clock: Clock): string {
  // Reckoned on clocks that never change, or a change in between would be in every recurrence.
  const zone = { ...clock, tz: "UTC" };
  const from = due.kind === "day" ? due : ({ kind: "instant", at: wallClock(due.at, clock.tz) } as const);
  const begin = from.kind === "day" ? Date.parse(`${from.on}T00:00:00Z`) : from.at.getTime();
  const seconds = Math.round((remindAt(rule, from, zone).getTime() - begin) / 1000);
  if (seconds === 0) return "PT0S";
  const size = Math.abs(seconds);
  const days = Math.floor(size / 86_400);
  const [hours, minutes, rest] = [Math.floor(size / 3600) % 24, Math.floor(size / 60) % 60, size % 60];
  const time = [hours > 0 ? `${hours}H` : "", minutes > 0 ? `${minutes}M` : "", rest > 0 ? `${rest}S` : ""].join("");
  return `${seconds < 0 ? "-" : ""}P${days > 0 ? `${days}D` : ""}${time === "" ? "" : `T${time}`}`;
}

function wallClock(at: Date, tz: string): Date {
  return new Date(zoneClock(tz).wallAt(at.getTime()));
}
