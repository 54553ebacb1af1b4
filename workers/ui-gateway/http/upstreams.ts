import { urlList, type Setting } from "../../../shared/role/config.ts";
import { rolePorts } from "../../../shared/role/role-ports.ts";

/**
 * Where the other roles are: several addresses, separated by commas, are used in turn. Unless told, on the ports they
 * take by themselves.
 */
export const upstreamSettings = {
  "task-service": address("TASK_SERVICE_URL", "task-service"),
  "reminder-service": address("REMINDER_SERVICE_URL", "reminder-service"),
  "recurring-task-worker": address("RECURRING_TASK_WORKER_URL", "recurring-task-worker"),
  "reminder-scheduling-worker": address("REMINDER_SCHEDULING_WORKER_URL", "reminder-scheduling-worker"),
  "notification-service": address("NOTIFICATION_SERVICE_URL", "notification-service"),
};

export type Upstream = keyof typeof upstreamSettings;
export const upstreamNames: readonly Upstream[] = [
  "task-service",
  "reminder-service",
  "recurring-task-worker",
  "reminder-scheduling-worker",
  "notification-service",
];

function address(name: string, role: keyof typeof rolePorts): Setting<readonly string[]> {
  return urlList(name, ["http", "https"], `http://127.0.0.1:${rolePorts[role]}`);
}

/** The role that answers a path, `null` when none does. */
export function upstreamOf(path: string): Upstream | null {
  // A task's reminders are the reminder service's, everything else below a task the task service's.
  if (/^\/v1\/tasks\/[^/]+\/reminders(\/|$)/.test(path)) return "reminder-service";
  switch (/^\/v1\/([^/]+)/.exec(path)?.[1]) {
    case "tasks":
    case "tags":
    case "quick-add":
    case "batch":
    case "export.ics":
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
