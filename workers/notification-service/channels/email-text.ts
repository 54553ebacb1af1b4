import type { Notification, ToldReminder } from "./channel.ts";
import { dayWords, localTimeWords } from "./local-time.ts";
import { isolated } from "./one-line.ts";

/** Longer ones are cut: a subject line is read, not scrolled. */
const subjectLength = 120;

/**
 * The subject and the text of a mail: one reminder, or a digest as a list, oldest first. A time is on the clock of the
 * due, else of the person, with its zone; of an all-day task the day is told alone.
 */
export function emailText({ kind, reminders }: Notification): Readonly<{ subject: string; text: string }> {
  const [first] = reminders;
  const begin = kind === "reminder" ? "Reminder: " : `${reminders.length} reminders, first: `;
  const title = clip(titleOf(first), subjectLength - begin.length);
  return { subject: `${begin}${isolated(title)}`, text: `${reminders.map(lineOf).join("\n")}\n` };
}

function lineOf(fired: ToldReminder): string {
  const late = fired.lateBy === null ? "" : `, told ${minutes(fired.lateBy)} late`;
  return `- ${isolated(titleOf(fired))}: ${timeOf(fired)}${late}`;
}

function timeOf({ remindAt, triggeredAt, tz, dueOn }: ToldReminder): string {
  return dueOn === null ? localTimeWords(remindAt ?? triggeredAt, tz) : `due ${dayWords(dueOn)}`;
}

function titleOf(fired: ToldReminder | undefined): string {
  return isolated(fired?.title ?? "") || "a task";
}

function minutes(seconds: number): string {
  const whole = Math.round(seconds / 60);
  return whole < 120 ? `${whole} min` : `${Math.round(whole / 60)} h`;
}

function clip(text: string, length: number): string {
  const characters = [...text];
  return characters.length > length ? `${characters.slice(0, length - 1).join("")}…` : text;
}
