import { z } from "@hono/zod-openapi";
import { Problem } from "../problem.ts";
import { patternInputWords } from "../recurrence/pattern-schema.ts";
import { parseRecurrencePattern } from "../recurrence/recurrence-pattern.ts";
import { dueDay } from "./due-day.ts";
import { dueTime } from "./due-input.ts";
import { relativeReminders } from "./relative-reminders-input.ts";
import { visibleLine, visibleLines } from "./visible-text.ts";
import { zone } from "./zone.ts";

/** What a task may hold. Lengths count UTF-16 units, as JavaScript and most clients do. */
export const taskLimits = {
  titleLength: 500,
  descriptionLength: 20_000,
  tags: 50,
  tagLength: 64,
} as const;

export const priorities = ["Low", "Medium", "High"] as const;

const title = visibleLine(taskLimits.titleLength).openapi({
  description: `What is to be done, in one line; spaces around it are dropped. At most ${taskLimits.titleLength} UTF-16 units.`,
  example: "Water the plants",
});

const description = visibleLines(taskLimits.descriptionLength).openapi({
  description: `More about it. At most ${taskLimits.descriptionLength} UTF-16 units.`,
  example: "The fern needs less.",
});

const tags = z
  .array(visibleLine(taskLimits.tagLength, z.string().normalize("NFC")))
  .max(taskLimits.tags)
  .transform((all): readonly string[] => [...new Set(all)])
  .openapi({
    description: "Labels in Unicode's form NFC, in this order; repeated ones are dropped.",
    example: ["home", "garden"],
  });

const recurrencePattern = z
  .unknown()
  .transform((input, context) => {
    try {
      return parseRecurrencePattern(input);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      for (const { path, message } of error.extra.mistakes ?? [{ path: "", message: error.message }])
        context.issues.push({ code: "custom", message, input, path: pointerPath(path) });
      return z.NEVER;
    }
  })
  .openapi("RecurrencePatternInput", patternInputWords);

const isTemplate = z
  .boolean()
  .openapi({ description: "Follows from recurrence_pattern; where it is sent it must agree with it." });

const fields = {
  description: description.nullable().optional(),
  due_date: dueTime.nullable().optional(),
  due_on: dueDay.nullable().optional().openapi({
    pattern: "^(19[7-9]\\d|2[01]\\d\\d)-",
    description: "The day an all-day task is due; a task has this or due_date. From 1970 to 2199.",
    example: "2026-12-31",
  }),
  due_tz: zone
    .nullable()
    .optional()
    .openapi({ description: "The zone the due day or time is meant in; null for the user's, wherever that is." }),
  priority: z.enum(priorities).nullable().optional().openapi({ example: "High" }),
  tags: tags.optional(),
  remind: relativeReminders.nullable().optional().openapi({
    description: "When to remind, before the due time; null for the user's usual reminders, [] for none.",
  }),
  recurrence_pattern: recurrencePattern.nullable().optional(),
  is_recurring_template: isTemplate.optional(),
};

const hasOneDue = ({ due_date, due_on }: Readonly<{ due_date?: unknown; due_on?: unknown }>) =>
  (due_date ?? null) === null || (due_on ?? null) === null;
const twoDues = { path: ["due_on"], error: "does not go with a due_date" };
type Flagged = Readonly<{ is_recurring_template?: boolean | undefined; recurrence_pattern?: unknown }>;
const agrees = ({ is_recurring_template: flag, recurrence_pattern: pattern }: Flagged) =>
  flag !== false || (pattern ?? null) === null;
const contradiction = { path: ["is_recurring_template"], error: "contradicts the recurrence_pattern" };
const hasPattern = ({ is_recurring_template: flag, recurrence_pattern: pattern }: Flagged) =>
  flag !== true || (pattern ?? null) !== null;
const noPattern = { path: ["is_recurring_template"], error: "needs a recurrence_pattern" };
const nothing = { type: "null" as const };
const given = { not: nothing };
/** The same in JSON Schema; a pattern that is given and `is_recurring_template: false` contradict each other, too. */
const excluded = [
  { not: { required: ["due_date", "due_on"], properties: { due_date: given, due_on: given } } },
  {
    not: {
      required: ["is_recurring_template", "recurrence_pattern"],
      properties: { is_recurring_template: { const: false }, recurrence_pattern: given },
    },
  },
];
/** A new template needs its pattern; of a task that is one already, a patch may say so. */
const patternless = {
  not: {
    required: ["is_recurring_template"],
    properties: { is_recurring_template: { const: true }, recurrence_pattern: nothing },
  },
};

/** The body of POST /v1/tasks. Unknown fields are refused by name. */
export const newTask = z
  .strictObject({ title, ...fields })
  .refine(hasOneDue, twoDues)
  .refine(agrees, contradiction)
  .refine(hasPattern, noPattern)
  .openapi("NewTask", { allOf: [...excluded, patternless] });
export type NewTask = z.output<typeof newTask>;

/** The body of PATCH /v1/tasks/:id: what is missing stays, null clears; a due_date takes the place of a due_on, and the other way round. */
export const taskPatch = z
  .strictObject({ title: title.optional(), ...fields })
  .refine(hasOneDue, twoDues)
  .refine(agrees, contradiction)
  .openapi("TaskPatch", { allOf: excluded });
export type TaskPatch = z.output<typeof taskPatch>;

const rfc3339 = z.iso.datetime({ offset: true });

/**
 * `updated_fields` of TaskUpdated, for both sides: names and types of the fields this build knows; those of a newer build pass
 * through. Absent is unchanged, null is cleared, times are RFC 3339 text.
 */
export const updatedFields = z.looseObject({
  title: z.string().min(1).exactOptional(),
  description: z.string().nullable().exactOptional(),
  due_date: rfc3339.nullable().exactOptional(),
  due_on: z.iso.date().nullable().exactOptional(),
  due_tz: z.string().nullable().exactOptional(),
  priority: z.enum(priorities).nullable().exactOptional(),
  tags: z.array(z.string()).readonly().exactOptional(),
  remind: z.array(z.string()).readonly().nullable().exactOptional(),
  /** Reopened; a completion is TaskCompleted. */
  status: z.literal("open").exactOptional(),
  completed_at: z.null().exactOptional(),
  /** Restored; a deletion is TaskDeleted. */
  deleted_at: z.null().exactOptional(),
  is_recurring_template: z.boolean().exactOptional(),
  /** JSON text. */
  recurrence_pattern: z.string().nullable().exactOptional(),
});
type KnownKeys<T> = { [K in keyof T as string extends K ? never : K]: T[K] };
/** The fields this build writes. */
export type UpdatedFields = KnownKeys<z.output<typeof updatedFields>>;

/** The parts of a JSON pointer; "" is the whole. */
function pointerPath(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}
