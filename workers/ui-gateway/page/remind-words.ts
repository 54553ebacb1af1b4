import { parseRelativeReminder } from "../../../shared/tasks/relative-reminder.ts";

/** The reminders a form offers, soonest before the due time first. */
export const offeredReminders: readonly string[] = ["PT0S", "PT10M", "PT1H", "P1D", "P1D@18:00"];

/** "at the due time", "an hour before", "the day before at 18:00"; a rule nobody here knows is told as it is. */
export function remindInWords(text: string): string {
  const rule = parseRelativeReminder(text);
  if (rule === null) return text;
  if (rule.kind === "at") {
    if (rule.days === 0) return `on the day at ${rule.time}`;
    return rule.days === 1 ? `the day before at ${rule.time}` : `${rule.days} days before at ${rule.time}`;
  }
  const minutes = Math.floor(rule.ms / 60_000);
  const parts = [
    counted(rule.days, "day"),
    counted(Math.floor(minutes / 60), "hour"),
    counted(minutes % 60, "minute"),
    counted(Math.floor(rule.ms / 1000) % 60, "second"),
  ].filter((part) => part !== "");
  if (parts.length === 0) return "at the due time";
  return `${parts
    .join(" ")
    .replace(/^1 hour$/, "an hour")
    .replace(/^1 day$/, "a day")} before`;
}

/** "at the due time and an hour before"; "none" for none. */
export function remindersInWords(rules: readonly string[]): string {
  const words = rules.map(remindInWords);
  const last = words.pop();
  if (last === undefined) return "none";
  return words.length === 0 ? last : `${words.join(", ")} and ${last}`;
}

function counted(count: number, unit: string): string {
  return count === 0 ? "" : `${count} ${unit}${count === 1 ? "" : "s"}`;
}
