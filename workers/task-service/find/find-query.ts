import { z } from "@hono/zod-openapi";
import { pageQuery } from "../../../shared/http/page-query.ts";
import { repeated } from "../../../shared/http/repeated.ts";
import { dueDay } from "../../../shared/tasks/due-day.ts";
import { instant } from "../../../shared/tasks/instant.ts";
import { priorities } from "../../../shared/tasks/task-fields.ts";
import { taskLimits } from "../../../shared/tasks/task-input.ts";
import { restorableDays } from "../restore/restorable.ts";
import type { SpanEdge } from "./due-range.ts";
import { filterLimits } from "./parse-filter.ts";
import { hasWord } from "./search-words.ts";
import { taskOrders, type TaskOrder } from "./task-sort.ts";

const dayShape = /^\d{4}-\d\d-\d\d$/;
const edge = (what: string) =>
  z
    .string()
    .transform((text, context): SpanEdge => {
      const read = (dayShape.test(text) ? dueDay : instant).safeParse(text);
      if (read.success) return read.data;
      for (const { message } of read.error.issues)
        context.issues.push({
          code: "custom",
          message: dayShape.test(text) ? message : `${message}, and no day such as 2026-12-31`,
          input: text,
        });
      return z.NEVER;
    })
    .optional()
    .openapi({
      type: "string",
      format: "instant-or-day",
      example: "2026-12-31",
      description: `${what} An RFC 3339 time with an offset, or a day, which begins at midnight in the zone of your preferences.`,
    });
const search = z
  .string()
  .max(200, "has more than 200 UTF-16 units")
  .refine(hasWord, "has no word to search for")
  .optional()
  .openapi({
    // Something that is neither a blank nor a punctuation mark.
    pattern: "[^\\s!-/:-@\\[-`{-~\\u00A0-\\u00BF\\u2000-\\u206F\\u3000-\\u303F]",
    example: "plants",
    description:
      "Tasks with words in title, description or tags that begin with each of these words. Capitals and accents do not count; nothing is stemmed.",
  });
const orderWords =
  "By what, with a minus from the other end: `due`, the earliest first, where an all-day task comes at the end of its day; `priority`, High first; " +
  "`-created`, the newest first; `-deleted`, the latest deletion first, of deleted tasks alone. `-created` unless told, of deleted tasks `-deleted`. Tasks without it come last either way; equal ones are in the order of their ids.";

/** How a list of tasks is narrowed and ordered. Several filters must all hold. */
const findQuery = {
  q: search,
  filter: z
    .string()
    .min(1)
    .max(filterLimits.length)
    .optional()
    .openapi({
      format: "task-filter",
      example: "today | overdue & (p1 | #home) & !#waiting",
      description:
        "Terms joined by & and |, with ! and parentheses, or by and, or, not: today, tomorrow, overdue, this week, next 7 days, " +
        "no date, due before 2026-12-31, due after friday, created this week, completed yesterday, p1 (High) to p4 (none), #tag, no tags, " +
        'open, completed, recurring, all day, "words". Open tasks alone, unless it or status says otherwise. ' +
        "Days are those of the zone of your preferences. The answer says in filter_words how it was understood.",
    }),
  due_after: edge("Due then or later."),
  due_before: edge("Due earlier."),
  completed_after: edge("Completed then or later."),
  completed_before: edge("Completed earlier."),
  updated_since: edge("Changed then or later."),
  tag: repeated(z.string().min(1).max(taskLimits.tagLength).normalize("NFC"), { max: 10 }).openapi({
    description: "Tasks with this tag as it is written; given several times, with all of them.",
    example: ["home"],
  }),
  priority: repeated(z.enum([...priorities, "none"]), { max: 4 }).openapi({
    description: "Given several times, one of them; none for tasks without one.",
    example: ["High"],
  }),
  template_id: z.uuid({ error: "is not a UUID" }).toLowerCase().optional().openapi({
    description: "The occurrences of this template that are or were tasks.",
  }),
  ids: repeated(z.uuid({ error: "is not a UUID" }).toLowerCase(), { max: 200, comma: true }).openapi({
    description: "Of these tasks, those that are there; up to 200, separated by commas.",
  }),
  sort: z.enum(taskOrders).optional().openapi({ description: orderWords }),
  count: z
    .enum(["true", "false"])
    .default("false")
    .openapi({ description: "Whether to count all that the filters leave, on all pages together." }),
  expand: z
    .enum(["reminders"])
    .optional()
    .openapi({ description: "reminders: with the reminders of each task, so that nobody asks for them one by one." }),
};

export const listQuery = z
  .strictObject({
    status: z.enum(["open", "completed", "all"]).optional().openapi({ description: "Only these; all unless told." }),
    templates: z
      .enum(["true", "false"])
      .default("false")
      .openapi({ description: "Lists recurring templates too; they are no to-do items." }),
    deleted: z
      .enum(["true", "false"])
      .default("false")
      .openapi({
        description: `Lists instead the tasks that were deleted in the last ${restorableDays} days: POST /v1/tasks/{id}/restore restores one.`,
      }),
    ...findQuery,
    ...pageQuery,
  })
  .openapi("TaskListQuery");

/** What is asked for, with the order that is meant where none is named. */
export type TaskListQuery = z.output<typeof listQuery> & Readonly<{ sort: TaskOrder }>;

export function withOrder(asked: z.output<typeof listQuery>): TaskListQuery {
  return { ...asked, sort: asked.sort ?? (asked.deleted === "true" ? "-deleted" : "-created") };
}
