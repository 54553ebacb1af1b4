import { list } from "../../shared/config.ts";

/**
 * Where the other roles are: several addresses, separated by commas, are used in turn. Unless told, where `bun run dev` puts
 * them: never where it puts another server, which would be sent the tokens of users.
 */
export const upstreamSettings = {
  "task-service": list("TASK_SERVICE_URL", "http://127.0.0.1:8100"),
  "reminder-service": list("REMINDER_SERVICE_URL", "http://127.0.0.1:8160"),
  "recurring-task-worker": list("RECURRING_TASK_WORKER_URL", "http://127.0.0.1:8120"),
  "reminder-scheduling-worker": list("REMINDER_SCHEDULING_WORKER_URL", "http://127.0.0.1:8140"),
  "notification-service": list("NOTIFICATION_SERVICE_URL", "http://127.0.0.1:8180"),
};

export type Upstream = keyof typeof upstreamSettings;
export const upstreamNames: readonly Upstream[] = [
  "task-service",
  "reminder-service",
  "recurring-task-worker",
  "reminder-scheduling-worker",
  "notification-service",
];

/** The role that answers a path, `null` when none does. */
export function upstreamOf(path: string): Upstream | null {
  // A task's reminders are the reminder service's, everything else below a task the task service's.
  if (/^\/v1\/tasks\/[^/]+\/reminders(\/|$)/.test(path)) return "reminder-service";
  switch (/^\/v1\/([^/]+)/.exec(path)?.[1]) {
    case "tasks":
      return "task-service";
    case "reminders":
      return "reminder-service";
    case "series":
      return "recurring-task-worker";
    case "preferences":
      return "reminder-scheduling-worker";
    case "notifications":
      return "notification-service";
    default:
      return null;
  }
}
