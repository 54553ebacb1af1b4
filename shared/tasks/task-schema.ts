import { z } from "@hono/zod-openapi";
import { recurrencePatternSchema } from "../recurrence/pattern-schema.ts";
import { priorities, type JsonField } from "./task-fields.ts";
import type { TaskView } from "./task-view.ts";

const time = z.string().openapi({ format: "date-time", example: "2026-11-02T08:30:00.000Z" });

/** A task as HTTP shows it. */
export const taskSchema = z
  .object({
    id: z.uuid().openapi({ example: "0193b2c8-7d5e-7c3a-9b1e-4f2f0c6b8d11" }),
    user_id: z.uuid(),
    title: z.string().openapi({ example: "Water the plants" }),
    description: z.string().nullable(),
    created_at: time,
    updated_at: time,
    due_date: time.nullable(),
    due_on: z.iso.date().nullable().openapi({ description: "The day an all-day task is due." }),
    due_tz: z.string().nullable(),
    priority: z.enum(priorities).nullable(),
    tags: z.array(z.string()),
    remind: z
      .array(z.string())
      .nullable()
      .openapi({ description: "null: the user's usual reminders.", example: ["PT1H"] }),
    status: z.enum(["open", "completed"]),
    completed_at: time.nullable(),
    deleted_at: time.nullable(),
    is_recurring_template: z.boolean(),
    recurrence_pattern: recurrencePatternSchema.nullable().openapi({ description: "Of a template; null for others." }),
    template_id: z.uuid().nullable(),
    recurrence_id: z.string().nullable().openapi({
      description:
        "Of an occurrence: the local start it was made for, which it keeps when the time of its series changes and its due with it.",
      example: "2026-01-31T09:00:00",
    }),
    version: z.int().openapi({ description: "Counts the events of the task; also its ETag.", example: 1 }),
    view_version: z
      .int()
      .nullable()
      .openapi({
        description:
          "Of the newest view of it, its reminders included, that this has all of; changes come with theirs. null where there was none. " +
          "Of two of one task take the one with the higher view_version, but none with a lower version than you have.",
        example: 1,
      }),
  } satisfies ViewSchemas)
  .openapi("Task");

/** A schema for each field of the view, of the field's type. */
type ViewSchemas = { [F in Exclude<keyof TaskView, JsonField>]: z.ZodType<TaskView[F]> } & {
  [F in JsonField | "view_version"]: z.ZodType;
};
