import { z } from "@hono/zod-openapi";
import { instant } from "../tasks/instant.ts";
import { relativeReminders } from "../tasks/relative-reminders-input.ts";
import { zone } from "../tasks/zone.ts";
import { chained, channelChoices } from "./channel-choices.ts";

const clock = (what: string) =>
  z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, "is not a time of day such as 09:00")
    .openapi({ description: what, example: "09:00" });

export const weekdays = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] as const;

const quietHoursShape = z.strictObject({
  from: clock("When a window begins, on the user's wall clock."),
  to: clock("When it ends, another time than `from`; before it means on the next day."),
  days: z
    .array(z.enum(weekdays))
    .min(1)
    .overwrite((days) => weekdays.filter((day) => days.includes(day)))
    .default([...weekdays])
    .openapi({ description: "The days on which a window begins." }),
});
const quietHours = quietHoursShape.refine(({ from, to }) => from !== to, {
  path: ["to"],
  error: "is the same as from",
});

/** What JSON Schema says of a text that `spanMs` reads. */
export const spanWords = {
  format: "span",
  pattern: "^P(?=\\d|T\\d)(?:(?:[12]?\\d|30)D)?(?:T(?=\\d)(?:\\d{1,3}H)?(?:\\d{1,5}M)?(?:\\d{1,7}S)?)?$",
  description: "An ISO 8601 duration in days, hours, minutes and seconds, at most 30 days.",
};

/** A duration of at most 30 days; its milliseconds are those of `spanMs`. */
export const span = z
  .string()
  .refine((text) => spanMs(text) !== null, "is not a duration of up to 30 days such as PT6H")
  .openapi({ ...spanWords, example: "PT6H" });

const late = z.strictObject({
  policy: z
    .enum(["deliver", "collapse", "drop"])
    .default("deliver")
    .openapi({
      description:
        "What becomes of reminders that fire late, after downtime: each is delivered and marked late; they become one " +
        "notification; or those later than `after` are recorded and not sent.",
    }),
  after: span.default("PT6H"),
});

const lastChannel = z.discriminatedUnion("type", channelChoices).openapi("LastChannel");
const secondChannel = chained(lastChannel).openapi("FallbackChannel");
/** A way to a person; `else` is used when it has finally failed. Chains are at most three long. */
const channel = chained(secondChannel).openapi("Channel", {
  description: "A way to a person. `else` is used when it has finally failed; chains are at most three long.",
});

/** The body of PUT /v1/preferences: what is missing takes its default. Unknown fields are refused by name. */
export const preferencesInput = z
  .strictObject({
    tz: zone.default("UTC"),
    all_day_at: clock("When a whole day counts as due, for its reminders.").default("09:00"),
    default_reminders: relativeReminders.default(["PT0S"]).openapi({
      description: "The reminders of a task that does not say its own.",
    }),
    quiet_hours: quietHours.nullable().default(null),
    urgent_passes: z
      .boolean()
      .default(true)
      .openapi({ description: "Tasks of priority High are told in quiet hours and while muted, too." }),
    muted_until: instant
      .transform((date) => date.toISOString())
      .pipe(z.iso.datetime())
      .nullable()
      .default(null),
    late: late.default({ policy: "deliver", after: "PT6H" }),
    channels: z
      .array(channel)
      .max(5)
      .default([{ type: "in-app" }]),
  })
  .openapi("Preferences");

const choices = preferencesInput.shape;
/** The body of PATCH /v1/preferences, a JSON Merge Patch: what is missing stays, `null` is the default again. */
export const preferencesPatch = z
  .strictObject({
    tz: choices.tz.unwrap().nullable(),
    all_day_at: choices.all_day_at.unwrap().nullable(),
    default_reminders: choices.default_reminders.unwrap().nullable(),
    quiet_hours: z
      .strictObject({
        from: quietHoursShape.shape.from.nullable(),
        to: quietHoursShape.shape.to.nullable(),
        days: quietHoursShape.shape.days.unwrap().nullable(),
      })
      .partial()
      .nullable(),
    urgent_passes: choices.urgent_passes.unwrap().nullable(),
    muted_until: choices.muted_until.unwrap(),
    late: z
      .strictObject({ policy: late.shape.policy.unwrap().nullable(), after: late.shape.after.unwrap().nullable() })
      .partial()
      .nullable(),
    channels: choices.channels.unwrap().nullable(),
  })
  .partial()
  .openapi("PreferencesPatch");

/** What a person wants of reminders and notifications, every choice filled in. JSON through and through. */
export type Preferences = z.output<typeof preferencesInput>;
export type ChannelChoice = Preferences["channels"][number];

/** Those of a person who never said anything. */
export const defaultPreferences: Preferences = preferencesInput.parse({});

/** The milliseconds of an ISO 8601 duration of at most 30 days, without years and months; `null` for another text. */
export function spanMs(text: string): number | null {
  const found = /^P(?=.)(?:(\d{1,2})D)?(?:T(?=\d)(?:(\d{1,3})H)?(?:(\d{1,5})M)?(?:(\d{1,7})S)?)?$/.exec(text);
  if (found === null) return null;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = found.slice(1).map((part = "0") => Number(part));
  const ms = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
  return ms <= 30 * 24 * 60 * 60 * 1000 ? ms : null;
}
