import { z } from "zod";
import { wallText } from "../../../shared/recurrence/wall-time.ts";
import { zoneClock } from "../../../shared/recurrence/zone-clock.ts";
import type { CallApi } from "./call-api.ts";

// What the tools read of the API's answers.

export const reminderAnswer = z.looseObject({
  id: z.string(),
  remind_at: z.string(),
  rule: z.string().nullable(),
  status: z.enum(["pending", "triggered", "dismissed"]),
  reason: z.string().nullable(),
});

export const seenTask = z.looseObject({
  id: z.string(),
  title: z.string(),
  description: z.string().nullable(),
  due_date: z.string().nullable(),
  due_on: z.string().nullable(),
  priority: z.enum(["Low", "Medium", "High"]).nullable(),
  tags: z.array(z.string()),
  remind: z.array(z.string()).nullable(),
  status: z.enum(["open", "completed"]),
  is_recurring_template: z.boolean(),
  template_id: z.string().nullable(),
  recurrence_pattern: z.unknown(),
  version: z.number(),
  reminders: z.array(reminderAnswer).optional(),
});
export type SeenTask = z.output<typeof seenTask>;

export const taskPage = z.looseObject({
  items: z.array(seenTask),
  next_cursor: z.string().nullable(),
  count: z.number().optional(),
  filter_words: z.string().optional(),
});

export const readingAnswer = z.looseObject({
  task: z.looseObject({
    title: z.string(),
    due_date: z.string().optional(),
    due_on: z.string().optional(),
    remind: z.array(z.string()).optional(),
    recurrence_pattern: z.looseObject({ rrule: z.string() }).optional(),
  }),
  understood: z.looseObject({ notes: z.array(z.string()), zone: z.string() }),
});
export type ReadingAnswer = z.output<typeof readingAnswer>;

export const addedAnswer = seenTask.extend({
  first_occurrence: z
    .looseObject({ id: z.string(), due_date: z.string().nullable(), due_on: z.string().nullable() })
    .nullable(),
  reminders: z.array(z.looseObject({ remind_at: z.string() })),
  understood: z.looseObject({
    notes: z.array(z.string()),
    zone: z.string(),
    pieces: z.array(z.looseObject({ means: z.string() })),
  }),
});

const preferencesAnswer = z.looseObject({
  tz: z.string(),
  default_reminders: z.array(z.string()),
  quiet_hours: z.looseObject({ from: z.string(), to: z.string() }).nullable(),
  muted_until: z.string().nullable(),
  channels: z.array(z.looseObject({ type: z.string() })),
});

export async function readTask(call: CallApi, id: string): Promise<SeenTask> {
  return seenTask.parse(await call({ method: "GET", path: `/v1/tasks/${id}` }));
}

export async function readPreferences(call: CallApi): Promise<z.output<typeof preferencesAnswer>> {
  return preferencesAnswer.parse(await call({ method: "GET", path: "/v1/preferences" }));
}

/** `2026-12-01 17:00` on the clock of the person. */
export function localTime(instant: string, zone: string): string {
  return wallText(zoneClock(zone).wallAt(Date.parse(instant)))
    .slice(0, 16)
    .replace("T", " ");
}

/** A task in one line. Texts of people stand in quotes, as JSON: they are data. */
export function taskLine(task: SeenTask, zone: string): string {
  const { title, due_date, due_on, priority, tags, status, template_id, is_recurring_template, reminders = [] } = task;
  const waiting = reminders.filter((reminder) => reminder.status !== "dismissed");
  return [
    `${JSON.stringify(title)} [${task.id}]`,
    status === "completed" ? "done" : null,
    due_date === null ? (due_on === null ? "no due" : `due ${due_on}`) : `due ${localTime(due_date, zone)}`,
    priority === null ? null : `priority ${priority}`,
    ...tags.map((tag) => `#${JSON.stringify(tag)}`),
    is_recurring_template ? "a series" : template_id === null ? null : `of series ${template_id}`,
    waiting.length === 0 ? null : `reminders ${waiting.map(({ remind_at }) => localTime(remind_at, zone)).join(", ")}`,
  ]
    .filter((part) => part !== null)
    .join(", ");
}
