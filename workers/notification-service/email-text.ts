import type { Fired, Notification } from "./channel.ts";

/** Longer ones are cut: a subject line is read, not scrolled. */
const subjectLength = 120;

/** The subject and the text of a mail: one reminder, or a digest as a list, oldest first. Times are UTC. */
export function emailText({ kind, reminders }: Notification): Readonly<{ subject: string; text: string }> {
  const [first] = reminders;
  const subject =
    kind === "reminder" ? `Reminder: ${titleOf(first)}` : `${reminders.length} reminders, first: ${titleOf(first)}`;
  return { subject: clip(subject), text: `${reminders.map(lineOf).join("\n")}\n` };
}

function lineOf(fired: Fired): string {
  const at = (fired.remindAt ?? fired.triggeredAt).toISOString().replace("T", " ").slice(0, 16);
  return `- ${titleOf(fired)} (${at} UTC${fired.lateBy === null ? "" : `, told ${minutes(fired.lateBy)} late`})`;
}

function titleOf(fired: Fired | undefined): string {
  return fired?.title?.replaceAll(/\s+/g, " ").trim() || "a task";
}

function minutes(seconds: number): string {
  const whole = Math.round(seconds / 60);
  return whole < 120 ? `${whole} min` : `${Math.round(whole / 60)} h`;
}

function clip(text: string): string {
  const characters = [...text];
  return characters.length > subjectLength ? `${characters.slice(0, subjectLength - 1).join("")}…` : text;
}
