import { z } from "@hono/zod-openapi";
import type { SeriesHistory } from "./decide-history.ts";
import { occurrenceSchema, occurrenceView } from "./occurrence-view.ts";

const count = z.int();

export const historySchema = z
  .object({
    items: z
      .array(
        occurrenceSchema.extend({
          outcome: z.enum(["done", "skipped", "missed", "open"]),
          on_time: z.boolean().nullable().openapi({ description: "Of what was done: before its due had passed." }),
        }),
      )
      .openapi({ description: "One per recurrence, oldest first." }),
    totals: z.object({ done: count, on_time: count, late: count, skipped: count, missed: count, open: count }),
    current_streak: count.openapi({
      description: "Done one after another up to the newest; what was skipped neither breaks nor extends it.",
    }),
    longest_streak: count,
    on_time_rate: z.number().nullable().openapi({ description: "Of what was done or missed, the part done on time." }),
    next_from: z.string().nullable().openapi({
      format: "date-time",
      description: "Set where there was more than fits: ask again from here. Totals and streaks are those of `items`.",
    }),
  })
  .openapi("SeriesHistory");

export function historyView(history: SeriesHistory, nextFrom: Date | null): z.infer<typeof historySchema> {
  const { done, onTime, late, skipped, missed, open } = history.totals;
  return {
    items: history.entries.map(({ told, outcome, onTime }) => ({ ...occurrenceView(told), outcome, on_time: onTime })),
    totals: { done, on_time: onTime, late, skipped, missed, open },
    current_streak: history.currentStreak,
    longest_streak: history.longestStreak,
    on_time_rate: history.onTimeRate,
    next_from: nextFrom?.toISOString() ?? null,
  };
}
