import { fieldValue, type FieldValue } from "./fold-fields.ts";
import type { FoldedTask } from "./fold-task.ts";

/** A task as HTTP and TaskChanged show it. Times are RFC 3339 UTC; `due_on` is the date of an all-day task, `due_tz` its zone. */
export type TaskView = Readonly<{
  id: string;
  user_id: string;
  title: string;
  description: string | null;
  created_at: string;
  updated_at: string;
  due_date: string | null;
  due_on: string | null;
  due_tz: string | null;
  priority: string | null;
  tags: readonly string[];
  /** Rules such as PT15M; null for the user's usual reminders. */
  remind: readonly string[] | null;
  status: "open" | "completed";
  completed_at: string | null;
  deleted_at: string | null;
  is_recurring_template: boolean;
  /** An object or a preset's name; JSON text only inside events. */
  recurrence_pattern: unknown;
  template_id: string | null;
  recurrence_id: string | null;
  version: number;
}>;

/** The view of a folded task. Whole only once TaskCreated is folded (`isCreated`); fields of a newer build are left out. */
export function taskView(task: FoldedTask): TaskView {
  const value = (name: string): FieldValue => fieldValue(task.fields, name);
  const text = (name: string): string | null => {
    const found = value(name);
    return typeof found === "string" ? found : null;
  };
  const tags = value("tags");
  const remind = value("remind");
  return {
    id: task.id,
    user_id: task.user_id,
    title: text("title") ?? "",
    description: text("description"),
    created_at: text("created_at") ?? "",
    updated_at: text("updated_at") ?? "",
    due_date: text("due_date"),
    due_on: text("due_on"),
    due_tz: text("due_tz"),
    priority: text("priority"),
    tags: Array.isArray(tags) ? tags : [],
    remind: Array.isArray(remind) ? remind : null,
    status: value("status") === "completed" ? "completed" : "open",
    completed_at: text("completed_at"),
    deleted_at: text("deleted_at"),
    is_recurring_template: value("is_recurring_template") === true,
    recurrence_pattern: parsedPattern(text("recurrence_pattern")),
    template_id: text("template_id"),
    recurrence_id: text("recurrence_id"),
    version: task.version,
  };
}

function parsedPattern(json: string | null): unknown {
  if (json === null) return null;
  try {
    return JSON.parse(json);
  } catch {
    return json; // a preset written without quotes is still its name
  }
}
