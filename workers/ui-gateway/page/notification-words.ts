import { channelOf } from "./channels.ts";
import { timeInWords } from "./due-words.ts";
import { reasonInWords } from "./reason-words.ts";
import type { NotificationJson, PreferencesJson } from "./shapes.ts";
import { isMuted, isQuietHour } from "./wants-told.ts";

/** "Water the plants", "3 reminders: Water the plants, Feed the cat, …". */
export function whatInWords({ kind, title, reminders, reminder_count }: NotificationJson): string {
  if (kind === "reminder") return title ?? "A reminder";
  const titles = reminders.slice(0, 3).map((one) => one.title ?? "a reminder");
  const more = reminder_count > titles.length ? ["…"] : [];
  return `${reminder_count} reminders: ${[...titles, ...more].join(", ")}`;
}

/** "in the app", "by e-mail to ada@example.org", "by webhook to example.org". */
export function wayInWords({ channel, target }: NotificationJson): string {
  return channelOf(channel)?.words(target) ?? "to the operator";
}

/**
 * What became of it: "told today 17:00, 5 min late", "waits until tomorrow 08:00: quiet hours", "not told: the task was
 * completed".
 */
export function fateInWords(told: NotificationJson, now: Date, preferences: PreferencesJson | null): string {
  const late = told.late_by === null ? "" : `, ${spanInWords(told.late_by)} late`;
  const twice = told.possibly_duplicated ? ", maybe twice" : "";
  const why = told.reason === null ? waitsFor(told, now, preferences) : reasonInWords(told.reason);
  const because = why === null ? "" : `: ${why}`;
  switch (told.status) {
    case "delivered":
      return `told ${timeInWords(told.delivered_at ?? told.triggered_at, now)}${late}${twice}`;
    case "pending":
      if (isToCome(told, now)) return `waits until ${timeInWords(told.due_at, now)}${late}${because}`;
      return told.attempts > 0 && why !== null ? `is tried again${late}${because}` : `is on its way${late}`;
    case "bundled":
      return `waits, to be told with others${late}`;
    case "failed":
      return `could not be told${late}${because}`;
    case "dropped":
    case "cancelled":
      return `not told${late}${because}`;
  }
}

/** Why it waits where no attempt says so: its person wants to hear nothing now, or what is late is told as one. */
function waitsFor(told: NotificationJson, now: Date, preferences: PreferencesJson | null): string | null {
  if (told.status !== "pending" || !isToCome(told, now) || preferences === null) return null;
  if (isMuted(preferences, now)) return "you are muted";
  if (isQuietHour(preferences, now)) return "quiet hours";
  return told.late_by === null ? null : "what is late is told as one";
}

function isToCome({ due_at }: NotificationJson, now: Date): boolean {
  return Date.parse(due_at) > now.getTime();
}

/** Whether it goes to the person: the log and the operator's webhook get the same for those who run the server. */
export function isToPerson({ channel }: NotificationJson): boolean {
  return channelOf(channel)?.isToPerson ?? false;
}

/** Whether the server sends it again when asked. */
export function canBeSentAgain({ status, digest_id }: NotificationJson): boolean {
  return digest_id === null && (status === "delivered" || status === "failed" || status === "dropped");
}

/** "40 s", "5 min", "3 h", "2 days". */
function spanInWords(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 2 * 86_400) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
