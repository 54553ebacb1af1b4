import { z } from "@hono/zod-openapi";
import Ajv2020, { type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { beforeAll, describe, expect, test } from "bun:test";
import { assembleDocument } from "../../../dev/api/assemble-document.ts";
import { knownZone, parseRecurrencePattern } from "../../../shared/recurrence/recurrence-pattern.ts";
import { preferencesInput, spanMs } from "../../../shared/preferences/preferences.ts";
import { parseRelativeReminder } from "../../../shared/tasks/relative-reminder.ts";
import { dueTime } from "../../../shared/tasks/due-input.ts";
import { newTask, taskPatch } from "../../../shared/tasks/task-input.ts";
import { snoozeInput } from "../../../workers/reminder-service/snooze-until.ts";

const pattern = z.unknown().refine((input) => {
  try {
    return Boolean(parseRecurrencePattern(input));
  } catch {
    return false;
  }
});
/** The formats of the product's own, which other readers take for any text. */
const formats: Readonly<Record<string, (text: string) => boolean>> = {
  "time-zone": (text) => knownZone(text) !== null,
  "reminder-rule": (text) => parseRelativeReminder(text) !== null,
  span: (text) => spanMs(text) !== null,
  "due-time": (text) => dueTime.safeParse(text).success,
  "local-start": (text) => pattern.safeParse({ rrule: "FREQ=DAILY", start: text }).success,
  rrule: (text) => pattern.safeParse({ rrule: text }).success,
};

/** What the routes check with, by the name the document has for it. */
const taken: Readonly<Record<string, z.ZodType>> = {
  NewTask: newTask,
  TaskPatch: taskPatch,
  PreferencesInput: preferencesInput,
  Snooze: snoozeInput,
  RecurrencePatternInput: pattern,
};

let ajv: Ajv2020;
beforeAll(async () => {
  const { components } = await assembleDocument();
  ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  for (const [format, check] of Object.entries(formats)) ajv.addFormat(format, check);
  ajv.addSchema(
    JSON.parse(JSON.stringify({ $id: "api", components }).replaceAll('"#/components/', '"api#/components/')),
  );
});
const says = (name: string): ValidateFunction => {
  const validate = ajv.getSchema(`api#/components/schemas/${name}`);
  if (validate === undefined) throw new Error(`the document has no ${name}`);
  return validate;
};

const instant = "2030-01-01T10:00:00Z";
const webhook = { type: "webhook", url: "https://example.org/hook", secret: `whsec_${"A".repeat(32)}` };
const rule = { rrule: "FREQ=DAILY" };

/** A body of each kind that is taken, and the values its fields are then given, one at a time. */
const bodies: Readonly<
  Record<string, Readonly<{ base: Record<string, unknown>; fields: Readonly<Record<string, readonly unknown[]>> }>>
> = {
  NewTask: { base: { title: "a" }, fields: taskFields() },
  TaskPatch: { base: {}, fields: taskFields() },
  PreferencesInput: {
    base: {},
    fields: {
      tz: ["Europe/Berlin", 1],
      all_day_at: ["09:00", "24:00", "9:00"],
      default_reminders: [[], ["PT0S", "P1D@18:00"], ["1h"], Array.from({ length: 11 }, (_, i) => `PT${i + 1}M`)],
      quiet_hours: [{ from: "22:00", to: "07:00" }, { from: "22:00", to: "07:00", days: [] }, { from: "22:00" }],
      urgent_passes: [true, "yes"],
      muted_until: [instant, "tomorrow"],
      late: [{}, { policy: "drop" }, { after: "PT1H" }, { after: "1h" }, { policy: "never" }],
      channels: [
        [],
        [{ type: "in-app" }],
        [{ type: "in-app", else: { type: "log" } }],
        [{ type: "in-app", else: { type: "log", else: { type: "email", to: "a@example.org" } } }],
        [{ type: "in-app", else: { type: "log", else: { type: "in-app", else: { type: "log" } } } }],
        [webhook],
        [{ ...webhook, secret: "no" }],
        [{ type: "webhook", url: webhook.url }],
        [{ type: "sms" }],
        Array.from({ length: 6 }, () => ({ type: "in-app" })),
      ],
    },
  },
  Snooze: {
    base: { for: "PT10M" },
    fields: { until: [instant], for: ["PT1H", "P31D7H8M9S", "1h"], preset: ["1h", "never"] },
  },
  RecurrencePatternInput: {
    base: { ...rule },
    fields: {
      rrule: ["FREQ=WEEKLY", `FREQ=DAILY;BYHOUR=${"1,".repeat(300)}2`],
      tz: ["Europe/Berlin"],
      start: ["2030-01-01T09:00", "2030-01-01T09:00:00", "2030-01-01", "2030-01-01T09:00Z", "1969-01-01"],
      exdate: [[], ["2030-01-01T09:00"], [1], Array.from({ length: 367 }, () => "2030-01-01")],
      anchor: ["completion", "x"],
      month_end: ["skip", "x"],
      catch_up: ["all", "x"],
      max_open: [1, 100, 0, 101, 1.5, "1"],
    },
  },
};

function taskFields(): Readonly<Record<string, readonly unknown[]>> {
  return {
    title: ["b", "", " ", "x".repeat(500), "x".repeat(501)],
    description: ["", "x".repeat(20_000), "x".repeat(20_001)],
    due_date: [
      instant,
      "2030-01-01T10:00:00+01:00",
      "2030-01-01T10:00",
      "2030-02-30T10:00:00Z",
      "1969-06-01T00:00:00Z",
      "2200-06-01T00:00:00Z",
    ],
    due_on: ["2030-01-01", "2030-02-30", "1969-12-31", "2200-01-01", "x"],
    due_tz: ["Europe/Berlin"],
    priority: ["High", "high"],
    tags: [[], ["a"], [""], [" "], ["x".repeat(65)], Array.from({ length: 51 }, (_, i) => `${i}`)],
    remind: [[], ["PT15M", "P1D@18:00", "p1w"], ["-PT15M"], Array.from({ length: 11 }, (_, i) => `PT${i + 1}M`)],
    recurrence_pattern: ["daily", "hourly", rule, {}, { ...rule, x: 1 }],
    is_recurring_template: [false, "x"],
  };
}

describe.each(Object.entries(bodies))("%s says what the server takes", (name, { base, fields }) => {
  const agree = (made: unknown) => {
    const body: unknown = JSON.parse(JSON.stringify(made));
    const validate = says(name);
    const document = validate(body);
    expect({ body: JSON.stringify(body).slice(0, 200), document }).toEqual({
      body: JSON.stringify(body).slice(0, 200),
      document: taken[name]?.safeParse(body).success ?? !document,
    });
  };
  test("of each field alone, of null, of another type, and of nothing", () => {
    for (const [field, values] of Object.entries(fields))
      for (const value of [...values, null, 7, {}, "\u0000x", [null]]) {
        agree({ ...base, [field]: value });
        agree({ [field]: value });
      }
    for (const other of [{}, base, { ...base, stranger: 1 }, [], null, "daily"]) agree(other);
  });
  test("of any two fields together", () => {
    const names = Object.keys(fields);
    for (const first of names)
      for (const second of names)
        for (const one of [fields[first]?.[0], null])
          for (const other of [fields[second]?.[0], null, fields[second]?.[1]])
            agree({ ...base, [first]: one, [second]: other });
  });
  test("names every field of it", () => {
    const { properties, anyOf } = says(name).schema as { properties?: object; anyOf?: { properties?: object }[] };
    const named = properties ?? anyOf?.find((each) => each.properties)?.properties;
    expect(Object.keys(named ?? {}).toSorted()).toEqual(Object.keys(fields).toSorted());
  });
});
