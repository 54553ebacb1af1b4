import type { Task } from "./shapes.ts";

const presets: Readonly<Record<string, string>> = {
  "FREQ=DAILY": "every day",
  "FREQ=WEEKLY": "every week",
  "FREQ=MONTHLY": "every month",
  "FREQ=YEARLY": "every year",
  "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR": "every weekday",
};

/** "today 17:00", "tomorrow 09:00", "Fri 28 Nov 17:00", in the zone of the browser. */
export function dueInWords(due: string, now: Date): string {
  const date = new Date(due);
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
  const days = Math.round((startOfDay(date) - startOfDay(now)) / 86_400_000);
  if (days === 0) return `today ${time}`;
  if (days === 1) return `tomorrow ${time}`;
  if (days === -1) return `yesterday ${time}`;
  const sameYear = date.getFullYear() === now.getFullYear();
  return `${date.toLocaleDateString([], { weekday: "short", day: "numeric", month: "short", ...(sameYear ? {} : { year: "numeric" }) })} ${time}`;
}

export function repeatInWords(pattern: Task["recurrence_pattern"]): string {
  if (pattern === null) return "";
  if (typeof pattern === "string") return pattern;
  const rule = typeof pattern["rrule"] === "string" ? pattern["rrule"] : "";
  const words = presets[rule] ?? rule.toLowerCase().replaceAll(";", ", ");
  return pattern["anchor"] === "completion" ? `${words} after completion` : words;
}

function startOfDay(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
