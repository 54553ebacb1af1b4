import { z } from "@hono/zod-openapi";
import { Problem } from "../problem.ts";
import { patternInputWords } from "../recurrence/pattern-schema.ts";
import { parseRecurrencePattern } from "../recurrence/recurrence-pattern.ts";
import { dueDay } from "./due-day.ts";
import { dueTime } from "./due-input.ts";
import { relativeReminders } from "./relative-reminders-input.ts";
import { priorities, type FieldSet, type PlainField } from "./task-fields.ts";
import type { ReadonlyRow, StoredTask } from "./task-table.ts";
import { visibleLine, visibleLines } from "./visible-text.ts";
import { zone } from "./zone.ts";

/** What a task may hold. Lengths count UTF-16 units, as JavaScript and most clients do. */
export const taskLimits = {
  titleLength: 500,
  descriptionLength: 20_000,
  tags: 50,
  tagLength: 64,
} as const;

const title = visibleLine(taskLimits.titleLength).openapi({
  description: `What is to be done, in one line; spaces around it are dropped. At most ${taskLimits.titleLength} UTF-16 units.`,
  example: "Water the plants",
});

const description = visibleLines(taskLimits.descriptionLength).openapi({
  description: `More about it. At most ${taskLimits.descriptionLength} UTF-16 units.`,
  example: "The fern needs less.",
});

const tags = z
  .array(visibleLine(taskLimits.tagLength, { composed: true }))
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
} satisfies Rules;

/** A rule for each field a person sets; what it makes of a plain one fits its column. */
type Rules = { [F in Exclude<PlainField, "title">]: z.ZodType<StoredTask[F] | undefined> } & {
  [F in FieldSet<"due" | "recurrence">]: z.ZodType;
};

const hasOneDue = ({ due_date, due_on }: Readonly<{ due_date?: unknown; due_on?: unknown }>) =>
  (due_date ?? null) === null || (due_on ?? null) === null;
const twoDues = { path: ["due_on"], error: "does not go with a due_date" };
type RecurrenceFlag = Readonly<{ is_recurring_template?: boolean | undefined; recurrence_pattern?: unknown }>;
const agrees = ({ is_recurring_template: flag, recurrence_pattern: pattern }: RecurrenceFlag) =>
  flag !== false || (pattern ?? null) === null;
const contradiction = { path: ["is_recurring_template"], error: "contradicts the recurrence_pattern" };
const hasPattern = ({ is_recurring_template: flag, recurrence_pattern: pattern }: RecurrenceFlag) =>
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
export type NewTask = ReadonlyRow<z.output<typeof newTask>>;

/**
 * The body of PATCH /v1/tasks/:id: what is missing stays, null clears; a due_date takes the place of a due_on, and the
 * other way round.
 */
export const taskPatch = z
  .strictObject({ title: title.optional(), ...fields })
  .refine(hasOneDue, twoDues)
  .refine(agrees, contradiction)
  .openapi("TaskPatch", { allOf: excluded });
export type TaskPatch = ReadonlyRow<z.output<typeof taskPatch>>;

/** The parts of a JSON pointer; "" is the whole. */
function pointerPath(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}
