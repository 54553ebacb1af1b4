import { z } from "@hono/zod-openapi";
import { fieldValue } from "../../shared/tasks/fold-fields.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import type { SeriesStatus } from "./decide-series.ts";

export type SeriesRow = Readonly<{
  id: string;
  templateId: string;
  status: SeriesStatus;
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
    next_due: instant.nullable().openapi({ description: "The due time of the earliest open occurrence." }),
    open_occurrences: z.number().int(),
    made_occurrences: z.number().int(),
    created_at: instant,
  })
  .openapi("Series");
export type SeriesView = z.infer<typeof seriesSchema>;

export function seriesView(row: SeriesRow): SeriesView {
  const pattern = row.template === null ? null : fieldValue(row.template.fields, "recurrence_pattern");
  return {
    id: row.id,
    template_id: row.templateId,
    status: row.status,
    // The text was parsed before the series was made.
    recurrence_pattern: typeof pattern === "string" ? JSON.parse(pattern) : null,
    next_due: row.nextDue?.toISOString() ?? null,
    open_occurrences: row.openCount,
    made_occurrences: row.made,
    created_at: row.createdAt.toISOString(),
  };
}
