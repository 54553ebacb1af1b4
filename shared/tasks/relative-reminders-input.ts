import { z } from "@hono/zod-openapi";
import { parseRelativeReminder, relativeReminderLimits, relativeReminderPattern } from "./relative-reminder.ts";

const { perTask, days } = relativeReminderLimits;

const rule = z
  .string()
  .refine((text) => parseRelativeReminder(text) !== null, {
    error: `is no time before the due time, such as PT15M, P1D or P1D@18:00, up to ${days} days`,
    abort: true,
  })
  .overwrite((text) => parseRelativeReminder(text)?.text ?? text)
  .openapi("ReminderRule", {
    format: "reminder-rule",
    pattern: relativeReminderPattern,
    description:
      "When to remind, before the due time: an ISO 8601 duration of weeks, days, hours, minutes and seconds (`PT15M`; `PT0S` is at the " +
      "due time), or whole days and a time of day (`P1D@18:00`: on the day before at 18:00, on the clocks of the task's due_tz, else the " +
      `user's). At most ${days} days. Answers spell it one way: \`P1W\` comes back as \`P7D\`.`,
    example: "PT15M",
  });

/** Rules such as `PT15M` in a request: canonical spelling, each once, at most `relativeReminderLimits.perTask`. */
export const relativeReminders = z
  .array(rule)
  .max(perTask)
  .overwrite((rules) => [...new Set(rules)])
  .openapi({ example: ["PT0S", "PT1H", "P1D@18:00"] });
