import { z } from "@hono/zod-openapi";
import { parseRelativeReminder, relativeReminderLimits } from "./relative-reminder.ts";

/** Rules such as `PT15M` in a request: canonical spelling, each once, at most `relativeReminderLimits.perTask`. */
export const relativeReminders = z
  .array(
    z.string().transform((text, context) => {
      const rule = parseRelativeReminder(text);
      if (rule !== null) return rule.text;
      const message = `is no time before the due time, such as PT15M, P1D or P1D@18:00, up to ${relativeReminderLimits.days} days`;
      context.issues.push({ code: "custom", message, input: text });
      return z.NEVER;
    }),
  )
  .max(relativeReminderLimits.perTask)
  .transform((rules): readonly string[] => [...new Set(rules)])
  .openapi({ type: "array", items: { type: "string" }, example: ["PT0S", "PT1H", "P1D@18:00"] });
