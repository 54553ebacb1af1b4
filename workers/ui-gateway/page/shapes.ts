import type { ChannelLink } from "../../../shared/preferences/channel-choices.ts";
import type { TaskView } from "../../../shared/tasks/task-view.ts";

// The shapes the API and the stream speak, as far as the page reads them. Times are RFC 3339 text, days `2026-01-31`.

/** A task as every answer shows it. */
export type Task = Omit<TaskView, "user_id">;
export type PriorityJson = NonNullable<Task["priority"]>;

export type ReminderJson = Readonly<{
  id: string;
  task_id: string;
  remind_at: string;
  /** The time it had before it was snoozed. */
  snoozed_from?: string | null;
  status: "pending" | "triggered" | "dismissed";
  version: number;
}>;

/** The payload of a `task.changed` event: the whole task as the broadcaster knows it, with its reminders. */
export type TaskViewJson = Task & Readonly<{ view_version: number; reminders: readonly ReminderJson[] }>;

export type TaskChangedJson = Readonly<{
  task_id: string;
  change_type: "created" | "updated" | "completed" | "deleted";
  payload: TaskViewJson;
}>;

/** A series has the id of its template. `version` is its ETag. */
export type SeriesJson = Readonly<{
  id: string;
  template_id: string;
  status: "pending" | "waiting" | "ended" | "stopped";
  version: number;
}>;

export type OccurrenceJson = Readonly<{
  recurrence_id: string;
  due_date: string | null;
  due_on: string | null;
  /** Without a task: skipped, missed, upcoming, or expected where the series counts from completion. */
  state: "open" | "completed" | "deleted" | "skipped" | "missed" | "upcoming" | "expected";
  /** Whether a person gave it another due than the rule. */
  moved: boolean;
  task_id: string | null;
}>;

export type HistoryJson = Readonly<{
  totals: Readonly<{ done: number; skipped: number; missed: number }>;
  current_streak: number;
}>;

export type PreferencesJson = Readonly<{
  tz: string;
  all_day_at: string;
  default_reminders: readonly string[];
  quiet_hours: Readonly<{ from: string; to: string; days: readonly string[] }> | null;
  urgent_passes: boolean;
  muted_until: string | null;
  late: Readonly<{ policy: "deliver" | "collapse" | "drop"; after: string }>;
  channels: readonly ChannelLink[];
}>;

export type NotificationJson = Readonly<{
  id: string;
  kind: "reminder" | "digest";
  channel: string;
  /** The URL of a webhook, the address of an e-mail. */
  target: string | null;
  status: "pending" | "bundled" | "delivered" | "failed" | "dropped" | "cancelled";
  /** Why it was not sent, or why the last attempt failed. */
  reason: string | null;
  title: string | null;
  triggered_at: string;
  late_by: number | null;
  due_at: string;
  attempts: number;
  possibly_duplicated: boolean;
  digest_id: string | null;
  /** What a digest tells; the first of them. */
  reminders: readonly Readonly<{ title: string | null }>[];
  reminder_count: number;
  delivered_at: string | null;
  read_at: string | null;
}>;

export type ListPage<T> = Readonly<{ items: readonly T[]; next_cursor: string | null }>;

export type SessionJson = Readonly<{ user_id: string }>;

/** `name`: any name will do. `token`: one of the identity provider, which `url` leads to. */
export type SignIn = Readonly<{ by: "name" | "token"; url: string | null }>;
