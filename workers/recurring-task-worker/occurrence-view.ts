import { z } from "@hono/zod-openapi";
import type { RecurrenceView } from "./preview-occurrences.ts";

const instant = z.string().openapi({ format: "date-time", example: "2026-12-31T23:59:59.000Z" });

export const occurrenceSchema = z
  .object({
    recurrence_id: z.string().openapi({
      description:
        "The local start as the rule says it, in the series' zone; names the recurrence in paths (without #2). One made before the time " +
        "of the series changed keeps its own; the start its day has now finds it too.",
      example: "2026-01-31T09:00:00",
    }),
    starts_at: instant.openapi({ description: "The instant of that start." }),
    due_date: instant.nullable(),
    due_on: z.iso.date().nullable().openapi({ description: "The day, for an all-day one." }),
    state: z.enum(["open", "completed", "deleted", "skipped", "missed", "upcoming", "expected"]).openapi({
      description:
        "Of its task: open, completed, deleted. Without a task: skipped; missed: it passed without being made; upcoming; expected: " +
        "the series counts from completion, and each one before is taken to be completed when due.",
    }),
    moved: z.boolean().openapi({ description: "Whether a person gave it another due than the rule." }),
    task_id: z.uuid().nullable().openapi({ description: "Its task; null while there is none." }),
    closed_at: instant.nullable().openapi({ description: "When its task was completed or deleted." }),
  })
  .openapi("SeriesOccurrence");

export function occurrenceView(told: RecurrenceView): z.infer<typeof occurrenceSchema> {
  return {
    recurrence_id: told.recurrenceId,
    starts_at: told.at.toISOString(),
    due_date: told.due.date?.toISOString() ?? null,
    due_on: told.due.on,
    state: told.state,
    moved: told.moved,
    task_id: told.taskId,
    closed_at: told.closedAt?.toISOString() ?? null,
  };
}
