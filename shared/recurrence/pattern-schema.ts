import { z } from "@hono/zod-openapi";
import { jsonSchemaOf } from "../http/json-schema.ts";
import { rruleLimits } from "./parse-rrule.ts";
import { maxExdates, maxOpen, recurrencePresets } from "./recurrence-pattern.ts";

const localStart = z.string().openapi({
  format: "local-start",
  pattern: "^(19[7-9]\\d|2[01]\\d\\d)-\\d\\d-\\d\\d(T\\d\\d:\\d\\d(:\\d\\d)?)?$",
});

const rrule = z
  .string()
  .max(rruleLimits.characters)
  .openapi({
    format: "rrule",
    description:
      "RFC 5545 RRULE, daily or slower: FREQ is DAILY, WEEKLY, MONTHLY or YEARLY. INTERVAL goes up to " +
      `${rruleLimits.interval}, COUNT up to ${rruleLimits.count}; BYHOUR may name several hours, BYMINUTE and BYSECOND one each. ` +
      "Of an all-day series UNTIL is a day: of one with a time the date counts, in every zone. " +
      "A rule that never occurs is refused.",
    example: "FREQ=MONTHLY;BYDAY=-1FR",
  });
const tz = z.string().openapi({
  format: "time-zone",
  description:
    "The IANA zone whose clocks the rule follows. Left out: the task's due_tz, else the one of your preferences.",
  example: "Europe/Berlin",
});
const start = localStart.openapi({
  description:
    "The first start, from which the rule counts: a local time in `tz`, without an offset, or a day for all-day occurrences. Left " +
    "out: the task's due_date or due_on, else the moment of the request, to the second. A local time that the clocks jump over in " +
    "spring is left out; one that they pass twice in autumn is the first of the two.",
  example: "2026-01-30T17:00",
});
const exdate = z
  .array(localStart)
  .max(maxExdates)
  .openapi({
    description:
      "Starts that are left out, written as `start` is: all times or all days. COUNT counts them all the same. Not given in a change of " +
      "a pattern, the days left out before stay so, at the new time; `[]` forgets them.",
  });
const anchor = z.enum(["schedule", "completion"]).openapi({
  description:
    "What the next occurrence is counted from: the rule's own dates, or the day, in `tz`, on which the last one was completed or " +
    "deleted. By `completion` the next one comes INTERVAL days, weeks, months or years after that day (6 months after 31 August: 28 " +
    "February, whatever `month_end` says); where the rule names days, on the first of them from there on: `INTERVAL=3;BYDAY=SA`, weekly, " +
    "is the first Saturday three weeks later or after. A rule without an INTERVAL that names several (`BYDAY=MO,TH`, `BYMONTHDAY=1,15`) means " +
    "the next of them after that day: Monday's done on Monday is followed by Thursday. Never the date just done.",
});
const monthEnd = z.enum(["skip", "clamp"]).openapi({
  description:
    "What becomes of the 29th to 31st in a month without it: no occurrence (`skip`, as RFC 5545 says), or the last day of the month " +
    "(`clamp`; for monthly and yearly rules by days of the month alone).",
});
const catchUp = z.enum(["latest", "all", "none"]).openapi({
  description:
    "Which occurrences are made afterwards that were missed, because `max_open` was reached or nothing ran: only the latest, all, or none. " +
    "An all-day one is missed once its day is over in `tz`; today's, if the rule has one, is the latest.",
});
const open = z.int().min(1).max(maxOpen).openapi({
  description:
    "How many occurrences may be open at a time. Once as many are, the series waits until one is completed or deleted.",
});

/** How a template repeats, in an answer: every choice filled in. */
export const recurrencePatternSchema = z
  .object({
    rrule,
    tz: tz.optional(),
    start: start.optional(),
    exdate: exdate.optional(),
    anchor,
    month_end: monthEnd,
    catch_up: catchUp,
    max_open: open,
  })
  .openapi("RecurrencePattern");

const described = z.union([
  z.enum(Object.keys(recurrencePresets)).openapi({
    description:
      "A preset, with the defaults of the object, but for `month_end`: `monthly` and `yearly` take the last day of a month that is too short.",
  }),
  z.strictObject({
    rrule,
    tz: tz.optional(),
    start: start.optional(),
    exdate: exdate.optional(),
    anchor: anchor.default("schedule"),
    month_end: monthEnd.default("skip"),
    catch_up: catchUp.default("latest"),
    max_open: open.default(1),
  }),
]);

/** The words for a pattern in a request, which `parseRecurrencePattern` reads. */
export const patternInputWords = {
  ...jsonSchemaOf(described, "input"),
  description: "A preset, or a rule with its zone. Makes the task a template, whose occurrences are tasks.",
  example: { rrule: "FREQ=WEEKLY;BYDAY=MO", tz: "Europe/Berlin", start: "2026-01-05T09:00" },
};
