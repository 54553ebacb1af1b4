import { timeInWords } from "./due-words.ts";
import type { Notification } from "./shapes.ts";

/** "Water the plants", "3 reminders: Water the plants, Feed the cat, …". */
export function whatInWords({ kind, title, reminders, reminder_count }: Notification): string {
  if (kind === "reminder") return title ?? "A reminder";
  const titles = reminders.slice(0, 3).map((one) => one.title ?? "a reminder");
  const more = reminder_count > titles.length ? ["…"] : [];
  return `${reminder_count} reminders: ${[...titles, ...more].join(", ")}`;
}

/** "in the app", "by e-mail to ada@example.org", "by webhook to example.org". */
export function wayInWords({ channel, target }: Notification): string {
  switch (channel) {
    case "in-app":
      return "in the app";
    case "email":
      return `by e-mail to ${target ?? "nobody"}`;
    case "webhook":
      return `by webhook to ${target !== null && URL.canParse(target) ? new URL(target).host : "nowhere"}`;
    case "log":
    case "operator-webhook":
      return "to the operator";
  }
}

/** What became of it: "told today 17:00, 5 min late", "waits until tomorrow 08:00", "not told: late by 7200 s, …". */
export function fateInWords(told: Notification, now: Date): string {
  const because = told.reason === null ? "" : `: ${told.reason}`;
  switch (told.status) {
    case "delivered":
      return [
        `told ${timeInWords(told.delivered_at ?? told.triggered_at, now)}`,
        ...(told.late_by === null ? [] : [`${spanInWords(told.late_by)} late`]),
        ...(told.possibly_duplicated ? ["maybe twice"] : []),
      ].join(", ");
    case "pending":
      if (Date.parse(told.due_at) > now.getTime()) return `waits until ${timeInWords(told.due_at, now)}${because}`;
      return told.attempts > 0 ? `is tried again${because}` : "is on its way";
    case "bundled":
      return "waits, to be told with others";
    case "failed":
      return `could not be told${because}`;
    case "dropped":
    case "cancelled":
      return `not told${because}`;
  }
}

/** Whether it goes to the person: the log and the operator's webhook get the same for those who run the server. */
export function isToPerson({ channel }: Notification): boolean {
  return channel !== "log" && channel !== "operator-webhook";
}

/** Whether the server sends it again when asked. */
export function canBeSentAgain({ status, digest_id }: Notification): boolean {
  return digest_id === null && (status === "delivered" || status === "failed" || status === "dropped");
}

/** "40 s", "5 min", "3 h", "2 days". */
function spanInWords(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 2 * 86_400) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
