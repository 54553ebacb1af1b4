import { describe, expect, test } from "bun:test";
import { defaultPreferences, preferencesInput } from "../../../../shared/preferences/preferences.ts";
import { shouldOffer } from "../../../../workers/ui-gateway/page/offer-zone.ts";
import { patchOf } from "../../../../workers/ui-gateway/page/patch-of.ts";
import { readRepeat } from "../../../../workers/ui-gateway/page/read-repeat.ts";
import { repeatPattern, type RepeatFields } from "../../../../workers/ui-gateway/page/repeat-rule.ts";
import { fieldsOf, preferencesOf } from "../../../../workers/ui-gateway/page/preferences-fields.ts";
import type { PreferencesJson } from "../../../../workers/ui-gateway/page/shapes.ts";
import { wantsTold } from "../../../../workers/ui-gateway/page/wants-told.ts";
import { isWebhookSecret, secretHint } from "../../../../shared/preferences/webhook-secret.ts";
import { newWebhookSecret, secretPattern } from "../../../../workers/ui-gateway/page/webhook-secret.ts";
import { shownTask } from "../../../support/shown-task.ts";

const task = shownTask({ due_date: "2026-11-27T16:00:00.250Z" });
const read = { ...task, due_date: "2026-11-27T16:00:00.000Z", recurrence_pattern: null };

test("only what was changed in a form is sent", () => {
  expect(patchOf(task, read)).toEqual({});
  expect(patchOf(task, { ...read, title: "Water the fern" })).toEqual({ title: "Water the fern" });
  expect(patchOf(task, { ...read, remind: [] })).toEqual({ remind: [] });
  expect(patchOf({ ...task, remind: ["PT1H"] }, { ...read, remind: ["PT1H"] })).toEqual({});
  expect(patchOf(task, { ...read, priority: "High" })).toEqual({ priority: "High" });
  expect(patchOf(task, { title: "Of all of them", remind: null, priority: null })).toEqual({
    title: "Of all of them",
  });
});

test("a due time becomes a day, a day a time, and both can be taken away", () => {
  expect(patchOf(task, { ...read, due_date: null, due_on: "2026-11-28" })).toEqual({ due_on: "2026-11-28" });
  const day = { ...task, due_date: null, due_on: "2026-11-28" };
  expect(patchOf(day, { ...read, due_date: "2026-11-28T16:00:00.000Z", due_on: null })).toEqual({
    due_date: "2026-11-28T16:00:00.000Z",
  });
  expect(patchOf(day, { ...read, due_date: null, due_on: "2026-11-28" })).toEqual({});
  expect(patchOf(day, { ...read, due_date: null, due_on: null })).toEqual({ due_date: null, due_on: null });
});

test("a pattern is sent only where the form says another", () => {
  const known = { rrule: "FREQ=DAILY", tz: "UTC", start: "2026-11-27T16:00:00", anchor: "schedule", month_end: "skip" };
  const template = { ...task, recurrence_pattern: { ...known, max_open: 3 } };
  const said = {
    rrule: "FREQ=DAILY",
    tz: "UTC",
    start: "2026-11-27T16:00",
    anchor: "schedule",
    month_end: "skip",
  } as const;
  expect(patchOf(template, { recurrence_pattern: said })).toEqual({});
  const weekly = { ...said, rrule: "FREQ=WEEKLY" };
  expect(patchOf(template, { recurrence_pattern: weekly })).toEqual({ recurrence_pattern: weekly });
  const later = { ...said, start: "2026-11-27T18:00" };
  expect(patchOf(template, { recurrence_pattern: later })).toEqual({ recurrence_pattern: later });
});

test("a pattern that the API was sent in other words than the form's is no change of somebody who touched nothing", () => {
  const start = "2026-11-27T16:00:00";
  for (const known of [
    { rrule: "FREQ=MONTHLY", month_end: "clamp", anchor: "schedule" },
    { rrule: "FREQ=MONTHLY;INTERVAL=2", month_end: "clamp", anchor: "completion" },
    { rrule: "FREQ=YEARLY", month_end: "clamp", anchor: "schedule" },
  ]) {
    const stored = { ...known, tz: "UTC", start, catch_up: "latest", max_open: 1 };
    const fields = readRepeat(stored);
    const read = (more: Partial<RepeatFields>) =>
      fields && repeatPattern({ ...fields, ...more }, { start: start.slice(0, 16), tz: "UTC" });
    const template = { ...task, recurrence_pattern: stored };
    expect(patchOf(template, { recurrence_pattern: read({}) })).toEqual({});
    const other = read({ interval: 5 });
    expect(patchOf(template, { recurrence_pattern: other })).toEqual({ recurrence_pattern: other });
  }
});

const local = (time: string) => time.slice(0, 16);

test("preferences that nobody touched are sent as they came", () => {
  const all: PreferencesJson = preferencesInput.parse({
    tz: "Europe/Berlin",
    quiet_hours: { from: "23:00", to: "06:30", days: ["FR", "SA"] },
    muted_until: "2026-11-25T20:00:31Z",
    late: { policy: "drop", after: "PT90M" },
    channels: [
      { type: "email", to: "ada@example.org", else: { type: "log" } },
      { type: "webhook", url: "https://one.example/", secret: `whsec_${"a".repeat(32)}` },
      { type: "webhook", url: "https://two.example/", secret: `whsec_${"b".repeat(32)}` },
    ],
  });
  for (const preferences of [defaultPreferences, all])
    expect(preferencesOf(fieldsOf(preferences, local), preferences, local)).toEqual(preferences);
});

test("what is changed in the dialog is changed alone, and the server takes it", () => {
  const base: PreferencesJson = defaultPreferences;
  const fields = { ...fieldsOf(base, local), tz: "Europe/Berlin", isQuiet: true, quietFrom: "21:00" };
  const secret = newWebhookSecret();
  const changed = preferencesOf(
    {
      ...fields,
      latePolicy: "drop",
      lateHours: 2,
      channels: { ...fields.channels, "in-app": null, webhook: { type: "webhook", url: "https://a.example", secret } },
    },
    base,
    local,
  );
  expect(changed).toEqual({
    ...base,
    tz: "Europe/Berlin",
    quiet_hours: { from: "21:00", to: "07:00", days: ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] },
    late: { policy: "drop", after: "PT2H" },
    channels: [{ type: "webhook", url: "https://a.example", secret }],
  });
  expect(preferencesInput.safeParse(changed).error).toBeUndefined();
});

test("an address that changes keeps its place and its fallback", () => {
  const base: PreferencesJson = preferencesInput.parse({
    channels: [{ type: "email", to: "old@example.org", else: { type: "log" } }, { type: "in-app" }],
  });
  const changed = preferencesOf(
    {
      ...fieldsOf(base, local),
      channels: { ...fieldsOf(base, local).channels, email: { type: "email", to: "new@example.org" } },
    },
    base,
    local,
  );
  expect(changed.channels).toEqual([
    { type: "email", to: "new@example.org", else: { type: "log" } },
    { type: "in-app" },
  ]);
});

test("a zone is offered to a person who never chose one, and not again once declined", () => {
  expect(shouldOffer("UTC", "Europe/Berlin", null)).toBe(true);
  expect(shouldOffer("UTC", "Europe/Berlin", "Europe/Berlin")).toBe(false);
  expect(shouldOffer("UTC", "Asia/Tokyo", "Europe/Berlin")).toBe(true);
  expect(shouldOffer("America/New_York", "Europe/Berlin", null)).toBe(false);
  expect(shouldOffer("UTC", "UTC", null)).toBe(false);
});

describe("a reminder pops up", () => {
  const quiet = { from: "22:00", to: "07:00", days: ["FR"] };
  const base: PreferencesJson = { ...defaultPreferences, tz: "Europe/Berlin" };
  // Friday 27 November 2026; Berlin is an hour ahead of UTC.
  const rows: readonly (readonly [what: string, preferences: PreferencesJson, at: string, told: boolean])[] = [
    ["by default", base, "27T12:00", true],
    ["before the window", { ...base, quiet_hours: quiet }, "27T20:59", true],
    ["as it begins: not", { ...base, quiet_hours: quiet }, "27T21:00", false],
    ["in the morning after: not", { ...base, quiet_hours: quiet }, "28T05:59", false],
    ["as it ends", { ...base, quiet_hours: quiet }, "28T06:00", true],
    ["in the morning before the first", { ...base, quiet_hours: quiet }, "27T02:00", true],
    ["on a day without one", { ...base, quiet_hours: quiet }, "28T21:30", true],
    [
      "at noon of a window by day: not",
      { ...base, quiet_hours: { ...quiet, from: "12:00", to: "14:00" } },
      "27T12:00",
      false,
    ],
    ["after noon of another day", { ...base, quiet_hours: { ...quiet, from: "12:00", to: "14:00" } }, "28T12:00", true],
    ["while muted: not", { ...base, muted_until: "2026-11-27T13:00:00.000Z" }, "27T12:59", false],
    ["when the mute is over", { ...base, muted_until: "2026-11-27T13:00:00.000Z" }, "27T13:00", true],
    ["where the page is no channel: not", { ...base, channels: [{ type: "log" }] }, "27T12:00", false],
    ["where it is a fallback", { ...base, channels: [{ type: "log", else: { type: "in-app" } }] }, "27T12:00", true],
  ];
  for (const [what, preferences, at, told] of rows)
    test(what, () => expect(wantsTold(preferences, "Low", new Date(`2026-11-${at}:00Z`))).toBe(told));

  test("in quiet hours, when it is urgent and that may pass", () => {
    const at = new Date("2026-11-27T22:00:00Z");
    expect(wantsTold({ ...base, quiet_hours: quiet }, "High", at)).toBe(true);
    expect(wantsTold({ ...base, quiet_hours: quiet, urgent_passes: false }, "High", at)).toBe(false);
    expect(wantsTold({ ...base, channels: [] }, "High", at)).toBe(false);
  });
});

test("the field of a webhook's secret takes a new one, and the hint of one that is kept", () => {
  const pattern = new RegExp(`^(?:${secretPattern})$`, "v");
  for (let n = 0; n < 20; n++) {
    const secret = newWebhookSecret();
    expect([isWebhookSecret(secret), pattern.test(secret), pattern.test(secretHint(secret))]).toEqual([
      true,
      true,
      true,
    ]);
  }
  for (const text of ["hunter2", "whsec_", "whsec_…", "whsec_…abc"]) expect(pattern.test(text)).toBe(false);
});
