import { z } from "@hono/zod-openapi";
import { fieldValue } from "../../shared/tasks/fold-fields.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import { describePattern } from "../../shared/recurrence/describe-pattern.ts";
import type { SeriesStatus } from "./decide-series.ts";
import type { Told } from "./preview-occurrences.ts";
import type { TemplateSchedule } from "./template-schedule.ts";

export type SeriesRow = Readonly<{
  id: string;
  templateId: string;
  status: SeriesStatus;
  version: number;
  createdAt: Date;
  template: FoldedTask | null;
  nextDue: Date | null;
  openCount: number;
  made: number;
}>;

const instant = z.string().openapi({ format: "date-time", example: "2026-12-31T23:59:59.000Z" });

export const seriesSchema = z
  .object({
    id: z.string().openapi({ format: "uuid" }),
    template_id: z.string().openapi({ format: "uuid" }),
    status: z.enum(["pending", "waiting", "ended", "stopped"]).openapi({
      description:
        "pending: the next occurrence comes when the due of the last one has passed, or it is completed; waiting: as many are open " +
        "as may be, or it counts from completion, so one must be completed or deleted first; ended: by its rule; stopped: the " +
        "template was deleted, completed or made a plain task.",
    }),
    recurrence_pattern: z.unknown(),
    words: z.string().nullable().openapi({
      description: "The pattern in English; null for a series that has stopped.",
      example: "every last Friday of the month at 17:00 (Europe/Berlin)",
    }),
    next_due: instant.nullable().openapi({ description: "The due time of the earliest open occurrence." }),
    next: z
      .array(
        z.object({
          recurrence_id: z.string(),
          due_date: instant.nullable(),
          due_on: z.iso.date().nullable(),
        }),
      )
      .openapi({
        description:
          "The next five from now on, made or not; what was skipped, completed or deleted is not among them.",
      }),
    open_occurrences: z.number().int(),
    made_occurrences: z.number().int(),
    created_at: instant,
    version: z.int().openapi({ description: "Also its ETag.", example: 1 }),
  })
  .openapi("Series");
export type SeriesView = z.infer<typeof seriesSchema>;

export function seriesView(
  row: SeriesRow,
  { template, next }: Readonly<{ template: TemplateSchedule | null; next: readonly Told[] }>,
): SeriesView {
  const pattern = row.template === null ? null : fieldValue(row.template.fields, "recurrence_pattern");
  return {
    id: row.id,
    template_id: row.templateId,
    status: row.status,
    // The text was parsed before the series was made.
    recurrence_pattern: typeof pattern === "string" ? JSON.parse(pattern) : null,
    words: template === null ? null : wordsOf(template),
    next_due: row.nextDue?.toISOString() ?? null,
    next: next.map(({ recurrenceId, due }) => ({
      recurrence_id: recurrenceId,
      due_date: due.date?.toISOString() ?? null,
      due_on: due.on,
    })),
    open_occurrences: row.openCount,
    made_occurrences: row.made,
    created_at: row.createdAt.toISOString(),
    version: row.version,
  };
}

function wordsOf({ pattern, schedule: { tz, start } }: TemplateSchedule): string {
  return describePattern({ ...pattern, tz, start });
}
