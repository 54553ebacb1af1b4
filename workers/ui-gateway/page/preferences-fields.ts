import type { ChannelLink, ChannelType } from "../../../shared/preferences/channel-choices.ts";
import { askedTypes } from "./channels.ts";
import type { PreferencesJson } from "./shapes.ts";

/** Preferences as the dialog asks for them: texts as its controls hold them, "" where there is nothing. */
export type PreferencesFields = Readonly<{
  tz: string;
  allDayAt: string;
  reminders: readonly string[];
  isQuiet: boolean;
  quietFrom: string;
  quietTo: string;
  quietDays: readonly string[];
  urgentPasses: boolean;
  /** Local time of the browser, `2026-01-31T09:00`. */
  mutedUntil: string;
  latePolicy: PreferencesJson["late"]["policy"];
  /** Hours after which a late reminder is dropped. */
  lateHours: number;
  /** What is chosen of each channel that is asked for; null for nothing. */
  channels: Readonly<Partial<Record<ChannelType, ChannelLink | null>>>;
}>;

export function fieldsOf(preferences: PreferencesJson, local: (time: string) => string): PreferencesFields {
  const { tz, all_day_at, default_reminders, quiet_hours, urgent_passes, muted_until, late } = preferences;
  const first = (type: ChannelType) => preferences.channels.find((channel) => channel.type === type) ?? null;
  return {
    tz,
    allDayAt: all_day_at,
    reminders: default_reminders,
    isQuiet: quiet_hours !== null,
    quietFrom: quiet_hours?.from ?? "22:00",
    quietTo: quiet_hours?.to ?? "07:00",
    quietDays: quiet_hours?.days ?? ["MO", "TU", "WE", "TH", "FR", "SA", "SU"],
    urgentPasses: urgent_passes,
    mutedUntil: muted_until === null ? "" : local(muted_until),
    latePolicy: late.policy,
    lateHours: hoursOf(late.after),
    channels: Object.fromEntries(askedTypes.map((type) => [type, first(type)])),
  };
}

/**
 * What is sent: `base` with the fields put in. What the dialog does not ask for (fallbacks, a second webhook) stays as
 * it is there.
 */
export function preferencesOf(
  fields: PreferencesFields,
  base: PreferencesJson,
  local: (time: string) => string,
): PreferencesJson {
  const { isQuiet, quietFrom, quietTo, quietDays, mutedUntil, lateHours } = fields;
  const isSameMute = base.muted_until !== null && local(base.muted_until) === mutedUntil;
  return {
    tz: fields.tz,
    all_day_at: fields.allDayAt,
    default_reminders: fields.reminders,
    quiet_hours: isQuiet ? { from: quietFrom, to: quietTo, days: quietDays } : null,
    urgent_passes: fields.urgentPasses,
    muted_until: isSameMute ? base.muted_until : mutedUntil === "" ? null : new Date(mutedUntil).toISOString(),
    late: {
      policy: fields.latePolicy,
      after: lateHours === hoursOf(base.late.after) ? base.late.after : `PT${lateHours}H`,
    },
    channels: channelsOf(fields.channels, base.channels),
  };
}

function channelsOf(wanted: PreferencesFields["channels"], base: readonly ChannelLink[]): readonly ChannelLink[] {
  const isFirst = (channel: ChannelLink) => base.find(({ type }) => type === channel.type) === channel;
  const kept = base.flatMap((channel) => {
    const now = wanted[channel.type];
    if (now === undefined || !isFirst(channel)) return [channel];
    return now ? [{ ...channel, ...now }] : [];
  });
  const added = Object.values(wanted).filter(
    (channel) => channel !== null && !base.some(({ type }) => type === channel.type),
  );
  return [...kept, ...added.filter((channel) => channel !== null)];
}

function hoursOf(span: string): number {
  const [, days = "0", hours = "0"] = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?.*)?$/.exec(span) ?? [];
  return Number(days) * 24 + Number(hours);
}
