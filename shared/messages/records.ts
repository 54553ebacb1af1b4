// Generated from schemas/ by `npx bun run gen`; do not edit.

/** How much it matters. A reader that does not know a newer symbol reads Medium. */
export type Priority = "Low" | "Medium" | "High";

/** A task was created. */
export type TaskCreated = Readonly<{
  /** The task. */
  id: string;
  /** The user the task belongs to. */
  user_id: string;
  /** What is to be done; never empty. */
  title: string;
  /** More about it; null when there is none. */
  description: string | null;
  /** When it was created. */
  created_at: Date;
  /** The instant it is due; null when it has no due time. */
  due_date: Date | null;
  /** How much it matters; null when not said. */
  priority: Priority | null;
  /** Labels in the order the user gave them. */
  tags: readonly string[];
  /** True for a template: not a to-do item itself, its occurrences are. */
  is_recurring_template: boolean;
  /** How the template repeats, as JSON text; null for a plain task. */
  recurrence_pattern: string | null;
  /** The template this task is an occurrence of; null for a task of its own. */
  template_id: string | null;
  /** Which occurrence of the template it is; null for a task of its own. */
  recurrence_id: string | null;
  /** The day it is due, for an all-day task; null otherwise. */
  due_on: string | null;
  /** The IANA zone the due day or time was meant in; null when not said. */
  due_tz: string | null;
  /**
   * The reminders wanted, as rules such as PT15M or P1D@18:00 before the due time; null for the user's usual ones,
   * empty for none.
   */
  remind: readonly string[] | null;
}>;

/** Fields of a task were changed. Reopening is status open with completed_at null, restoring is deleted_at null. */
export type TaskUpdated = Readonly<{
  /** The task. */
  id: string;
  /** The user the task belongs to. */
  user_id: string;
  /**
   * The changed fields by name with their new values: absent is unchanged, null is cleared, dates are RFC 3339 text.
   */
  updated_fields: Readonly<Record<string, boolean | number | string | readonly string[] | null>>;
  /** When it was changed. */
  timestamp: Date;
}>;

/** A task was completed. */
export type TaskCompleted = Readonly<{
  /** The task. */
  id: string;
  /** The user the task belongs to. */
  user_id: string;
  /** When it was completed. */
  completed_at: Date;
}>;

/** A task was deleted. */
export type TaskDeleted = Readonly<{
  /** The task. */
  id: string;
  /** The user the task belongs to. */
  user_id: string;
  /** When it was deleted. */
  deleted_at: Date;
}>;

/** The state of a reminder just scheduled. */
export type ReminderStatus = "pending";

/** A reminder was scheduled, or scheduled anew for another time. */
export type ReminderScheduled = Readonly<{
  /** The reminder. */
  id: string;
  /** The task it reminds of. */
  task_id: string;
  /** The user the task belongs to. */
  user_id: string;
  /** When it is to fire. */
  remind_at: Date;
  /** Always pending. */
  status: ReminderStatus;
  /** Counts the times this reminder was scheduled anew; null where the writer did not say. */
  generation: number | null;
  /** The rule that wants it, such as PT15M; null for one set by a person, or where the writer did not say. */
  rule: string | null;
  /** The time it had before it was snoozed; null where it is not. */
  snoozed_from: Date | null;
  /** How late it may fire, such as PT2H; null for however late, or where the writer did not say. */
  drop_after: string | null;
}>;

/** How much the task matters. A reader that does not know a newer symbol reads Medium. */
export type TaskPriority = "Low" | "Medium" | "High";

/** The time of a reminder has come. */
export type ReminderTriggered = Readonly<{
  /** The reminder. */
  id: string;
  /** The task it reminds of. */
  task_id: string;
  /** The user the task belongs to. */
  user_id: string;
  /** When it fired, by the clock of the database. */
  triggered_at: Date;
  /** The scheduling that fired; null where the writer did not say. */
  generation: number | null;
  /** When it was to fire; null where the writer did not say. */
  remind_at: Date | null;
  /** The title of the task when it fired, for the notification; null when not known. */
  title: string | null;
  /** The rule that wanted it, such as PT15M; null for one set by a person, or where the writer did not say. */
  rule: string | null;
  /** The priority of the task when it fired; null when it has none. */
  priority: TaskPriority | null;
}>;

/** A reminder was dismissed, by the user or because it no longer applies. */
export type ReminderDismissed = Readonly<{
  /** The reminder. */
  id: string;
  /** The task it reminds of. */
  task_id: string;
  /** The user the task belongs to. */
  user_id: string;
  /** When it was dismissed. */
  dismissed_at: Date;
  /** The scheduling that was dismissed; null where the writer did not say. */
  generation: number | null;
  /** Why: user, completed, deleted, unscheduled or the like; null where the writer did not say. */
  reason: string | null;
}>;

/** What happened. A reader that does not know a newer symbol reads updated. */
export type ChangeType = "created" | "updated" | "completed" | "deleted";

/** A task or one of its reminders changed; the full view of the task as it is now. */
export type TaskChanged = Readonly<{
  /** The task. */
  task_id: string;
  /** The user the task belongs to; the key of the record. */
  user_id: string;
  /** What happened to the task. */
  change_type: ChangeType;
  /** The full task view, as JSON text. */
  payload: string;
  /** When the change happened. */
  timestamp: Date;
}>;

/**
 * Asks the task service to make an occurrence of a template. One that exists, or whose template is gone, is ignored.
 */
export type CreateOccurrence = Readonly<{
  /** The id of the task to make, derived from the template and the recurrence id. */
  occurrence_id: string;
  /** The template; the key of the record. */
  template_id: string;
  /** The user both belong to. */
  user_id: string;
  /** Which occurrence of the template it is. */
  recurrence_id: string;
  /** The instant the occurrence is due; null for an all-day one. */
  due_date: Date | null;
  /** The day the occurrence is due, for an all-day one; null otherwise. */
  due_on: string | null;
  /** The IANA zone of the template; null when it has none. */
  due_tz: string | null;
  /** When it was asked for. */
  requested_at: Date;
  /** Set where the occurrence was completed ahead of its time: it is made and completed at once; null otherwise. */
  completed_at: Date | null;
}>;

/**
 * Asks the task service to delete an occurrence again that nobody has touched. One that was changed, completed or
 * deleted meanwhile stays as it is.
 */
export type RemoveOccurrence = Readonly<{
  /** The task to delete. */
  occurrence_id: string;
  /** Its template; the key of the record. */
  template_id: string;
  /** The user both belong to. */
  user_id: string;
  /** The version of the task this was decided from: at any other it stays. */
  version: number;
  /** When it was asked for. */
  requested_at: Date;
}>;

/**
 * A series has come to its end by its rule: nothing more is to come of it. One that is prolonged goes on, and may end
 * again.
 */
export type SeriesEnded = Readonly<{
  /** The series, which has the id of its template; the key of the record. */
  series_id: string;
  /** The user it belongs to. */
  user_id: string;
  /**
   * The local start of its last occurrence as the rule says it, 2026-01-31T09:00:00 or 2026-01-31; null where none was
   * made.
   */
  last_start: string | null;
  /** When that became so. */
  ended_at: Date;
}>;

/** Whether a task is still to be done. A reader that does not know a newer symbol reads open. */
export type TaskStatus = "open" | "completed";

/** One reminder that is wanted. */
export type ReminderRule = Readonly<{
  /** The name of the rule, unique per task, such as at-due. */
  rule: string;
  /** Added to the due time, in milliseconds; zero or negative means before it. */
  offset_ms: number;
}>;

/** Tells the reminder service which reminders a task should have, with the facts of the task this was decided from. */
export type SetTaskReminders = Readonly<{
  /** The task; the key of the record. */
  task_id: string;
  /** The user the task belongs to. */
  user_id: string;
  /** The instant the task is due; null when it has none. */
  due_date: Date | null;
  /** The version of the task that last set its due date. */
  due_version: number;
  /** When the due date was last set. */
  due_time: Date;
  /** Whether the task is still to be done. */
  status: TaskStatus;
  /** The version of the task that last set its status. */
  status_version: number;
  /** When the status was last set. */
  status_time: Date;
  /** Whether the task is deleted. */
  deleted: boolean;
  /** The version of the task that last deleted or restored it. */
  deleted_version: number;
  /** When it was last deleted or restored. */
  deleted_time: Date;
  /** The title of the task, for the notification; null when not known. */
  title: string | null;
  /** True for a recurring template, which has no reminders itself. */
  is_template: boolean;
  /** The reminders wanted; empty for none. */
  rules: readonly ReminderRule[];
  /** When it was asked for. */
  requested_at: Date;
}>;

/** Every record by its name, which is also its `ce_type`. */
export type Records = {
  TaskCreated: TaskCreated;
  TaskUpdated: TaskUpdated;
  TaskCompleted: TaskCompleted;
  TaskDeleted: TaskDeleted;
  ReminderScheduled: ReminderScheduled;
  ReminderTriggered: ReminderTriggered;
  ReminderDismissed: ReminderDismissed;
  TaskChanged: TaskChanged;
  CreateOccurrence: CreateOccurrence;
  RemoveOccurrence: RemoveOccurrence;
  SeriesEnded: SeriesEnded;
  SetTaskReminders: SetTaskReminders;
};
