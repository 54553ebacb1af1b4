import { weekdays } from "./repeat-rule.ts";
import type { PreferencesJson, PriorityJson } from "./shapes.ts";

/**
 * Whether a person wants a reminder to pop up at a moment: they want to be told on the page at all, and it is no quiet
 * hour of theirs, nor are they muted, unless the task is of high priority and that may pass. What may not waits; it is
 * not dropped.
 */
export function wantsTold(preferences: PreferencesJson, priority: PriorityJson | null, at: Date): boolean {
  const { channels, urgent_passes } = preferences;
  if (!channels.some((channel) => hasInApp(channel))) return false;
  if (urgent_passes && priority === "High") return true;
  return !isMuted(preferences, at) && !isQuietHour(preferences, at);
}

export function isMuted({ muted_until }: PreferencesJson, at: Date): boolean {
  return muted_until !== null && at.getTime() < Date.parse(muted_until);
}

function hasInApp(channel: PreferencesJson["channels"][number]): boolean {
  return channel.type === "in-app" || (channel.else !== undefined && hasInApp(channel.else));
}

/** A window that ends in the morning began on the day before; `days` are those on which one begins. */
export function isQuietHour({ quiet_hours: hours, tz }: PreferencesJson, at: Date): boolean {
  if (hours === null) return false;
  const { day, clock } = wallClock(at, tz);
  const begins = (offset: number) => hours.days.includes(weekdays[(day + offset + 7) % 7] ?? "");
  if (hours.from < hours.to) return begins(0) && hours.from <= clock && clock < hours.to;
  return (begins(0) && hours.from <= clock) || (begins(-1) && clock < hours.to);
}

/** The weekday, Monday 0, and `HH:MM` in a zone. */
function wallClock(at: Date, timeZone: string): Readonly<{ day: number; clock: string }> {
  const format = new Intl.DateTimeFormat("en", {
    timeZone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const day = weekdays.findIndex((name) => name === parts.get("weekday")?.slice(0, 2).toUpperCase());
  return { day, clock: `${parts.get("hour")}:${parts.get("minute")}` };
}
