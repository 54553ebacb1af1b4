import { z } from "@hono/zod-openapi";
import { fieldValue } from "../../shared/tasks/fold-fields.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import { recurrencePatternSchema } from "../../shared/recurrence/pattern-schema.ts";
import type { SeriesStatus } from "./decide-series.ts";
import type { KeptDates } from "./keep-dates.ts";

export type SeriesViewRow = Readonly<{
  id: string;
  templateId: string;
  status: SeriesStatus;
  version: number;
  revision: number;
  kept: KeptDates | null;
  keptOf: number | null;
  keptUntil: Date | null;
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
        "template was made a plain task. With its template a series is deleted.",
    }),
    recurrence_pattern: recurrencePatternSchema.nullable(),
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
    version: z.int().openapi({
      description:
        "Counts what people changed: the template's schedule, what is skipped, moved or done ahead. If-Match is about it, as is the " +
        "number its ETag begins with; that it goes on by itself does not count.",
      example: 1,
    }),
  })
  .openapi("Series");
export type SeriesView = z.infer<typeof seriesSchema>;

export function seriesView(row: SeriesViewRow, { words, next }: KeptDates): SeriesView {
  const pattern = row.template === null ? null : fieldValue(row.template.fields, "recurrence_pattern");
  return {
    id: row.id,
    template_id: row.templateId,
    status: row.status,
    // The text was parsed before the series was made.
    recurrence_pattern: typeof pattern === "string" ? JSON.parse(pattern) : null,
    words,
    next_due: row.nextDue?.toISOString() ?? null,
    // jsonb keeps no order of keys, and the digest in the ETag is of the text.
    next: next.map(({ recurrence_id, due_date, due_on }) => ({ recurrence_id, due_date, due_on })),
    open_occurrences: row.openCount,
    made_occurrences: row.made,
    created_at: row.createdAt.toISOString(),
    version: row.version,
  };
}
