/** The shapes the API and the stream speak, as far as the page reads them. Times are RFC 3339 text. */
export type Task = Readonly<{
  id: string;
  title: string;
  due_date: string | null;
  status: "open" | "completed";
  created_at: string;
  deleted_at?: string | null;
  is_recurring_template: boolean;
  recurrence_pattern: string | Readonly<Record<string, unknown>> | null;
  template_id: string | null;
  version: number;
}>;

export type Reminder = Readonly<{
  id: string;
  task_id: string;
  remind_at: string;
  status: "pending" | "triggered" | "dismissed";
  version: number;
}>;

/** The payload of a `task.changed` event: the whole task as the broadcaster knows it, with its reminders. */
export type TaskView = Task & Readonly<{ view_version: number; reminders: readonly Reminder[] }>;

export type TaskChanged = Readonly<{
  task_id: string;
  change_type: "created" | "updated" | "completed" | "deleted";
  payload: TaskView;
}>;

export type Page<T> = Readonly<{ items: readonly T[]; next_cursor: string | null }>;

export type Session = Readonly<{ user_id: string; user?: string | null }>;
