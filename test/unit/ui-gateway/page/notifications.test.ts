import { expect, test } from "bun:test";
import { parseRecurrencePattern } from "../../../../shared/recurrence/recurrence-pattern.ts";
import { hasBefore } from "../../../../workers/task-service/cut-pattern.ts";
import { placeUnder } from "../../../../workers/task-service/follow-schedule.ts";
import { keepsTimes } from "../../../../workers/ui-gateway/page/keeps-times.ts";
import { defaultPreferences } from "../../../../shared/preferences/preferences.ts";
import {
  withChanged,
  withNewest,
  withOlder,
  type NotificationPage,
} from "../../../../workers/ui-gateway/page/notification-list.ts";
import {
  canBeSentAgain,
  fateInWords,
  isToPerson,
  wayInWords,
  whatInWords,
} from "../../../../workers/ui-gateway/page/notification-words.ts";
import { reasonInWords } from "../../../../workers/ui-gateway/page/reason-words.ts";
import type { NotificationJson, PreferencesJson, Task } from "../../../../workers/ui-gateway/page/shapes.ts";

/** Local to wherever the test runs, as the browser's zone is to the page. */
const at = (local: string) => new Date(local).toISOString();
const now = new Date("2026-11-25T12:00");
const told = (over: Partial<NotificationJson> = {}): NotificationJson => ({
  id: "n1",
  kind: "reminder",
  channel: "in-app",
  target: null,
  status: "delivered",
  reason: null,
  title: "Water the plants",
  triggered_at: at("2026-11-25T09:00"),
  late_by: null,
  due_at: at("2026-11-25T09:00"),
  attempts: 1,
  possibly_duplicated: false,
  digest_id: null,
  reminders: [{ title: "Water the plants" }],
  reminder_count: 1,
  delivered_at: at("2026-11-25T09:00"),
  read_at: null,
  ...over,
});

test("what is told: the task, or how many and the first of them", () => {
  const titles = ["a", null, "c"].map((title) => ({ title }));
  const digest = { kind: "digest", title: null } as const;
  expect([
    whatInWords(told()),
    whatInWords(told({ title: null })),
    whatInWords(told({ ...digest, reminders: titles.slice(0, 2), reminder_count: 2 })),
    whatInWords(told({ ...digest, reminders: [...titles, { title: "d" }], reminder_count: 40 })),
  ]).toEqual(["Water the plants", "A reminder", "2 reminders: a, a reminder", "40 reminders: a, a reminder, c, …"]);
});

test("the way: no more of a webhook than its host", () => {
  const way = (channel: NotificationJson["channel"], target: string | null = null) =>
    wayInWords(told({ channel, target }));
  expect([
    way("in-app"),
    way("email", "ada@example.org"),
    way("webhook", "https://hooks.example.org/secret/path"),
    way("webhook", "nonsense"),
    way("log"),
  ]).toEqual([
    "in the app",
    "by e-mail to ada@example.org",
    "by webhook to hooks.example.org",
    "by webhook to nowhere",
    "to the operator",
  ]);
});

test("what became of it: when it was told and how late, till when it waits and why, or why it was not told", () => {
  const fate = (over: Partial<NotificationJson>) => fateInWords(told(over), now, null);
  const waiting = { status: "pending", due_at: at("2026-11-26T08:00"), delivered_at: null } as const;
  expect([
    fate({}),
    fate({ late_by: 300 }),
    fate({ late_by: 7_200, possibly_duplicated: true }),
    fate({ late_by: 200_000 }),
    fate({ ...waiting, attempts: 0 }),
    fate({ ...waiting, reason: "only 30 an hour go to one address" }),
    fate({ status: "pending", delivered_at: null, attempts: 0 }),
    fate({ status: "pending", delivered_at: null, attempts: 1 }),
    fate({ status: "pending", delivered_at: null, attempts: 2, reason: "HTTP 503" }),
    fate({ status: "bundled", delivered_at: null }),
    fate({ status: "failed", delivered_at: null, reason: "HTTP 410" }),
    fate({ status: "dropped", delivered_at: null, late_by: 9_000, reason: "late by 9000 s, wanted within PT2H" }),
    fate({ status: "cancelled", delivered_at: null, reason: "task completed" }),
  ]).toEqual([
    "told today 09:00",
    "told today 09:00, 5 min late",
    "told today 09:00, 2 h late, maybe twice",
    "told today 09:00, 2 days late",
    "waits until tomorrow 08:00",
    "waits until tomorrow 08:00: only 30 an hour go to one address",
    "is on its way",
    "is on its way",
    "is tried again: the receiver answered 503",
    "waits, to be told with others",
    "could not be told: the receiver wants no more of them",
    "not told, 3 h late: later than you want to be told",
    "not told: the task was completed",
  ]);
});

test("why it waits is what its person wants, where no attempt says so", () => {
  const waiting = told({ status: "pending", due_at: at("2026-11-25T13:00"), delivered_at: null });
  const plain: PreferencesJson = { ...defaultPreferences, tz: Intl.DateTimeFormat().resolvedOptions().timeZone };
  const quiet = { from: "11:00", to: "13:00", days: ["WE"] };
  const fate = (preferences: Partial<PreferencesJson>, over: Partial<NotificationJson> = {}) =>
    fateInWords({ ...waiting, ...over }, now, { ...plain, ...preferences });
  expect([
    fate({ muted_until: at("2026-11-25T13:00") }),
    fate({ quiet_hours: quiet, muted_until: at("2026-11-25T11:59") }),
    fate({ quiet_hours: { ...quiet, days: ["TH"] } }),
    fate({}, { late_by: 300 }),
    fate({ quiet_hours: quiet }, { reason: "ECONNREFUSED" }),
    fate({ quiet_hours: quiet }, { due_at: at("2026-11-25T11:59") }),
    fate({ quiet_hours: quiet }, { status: "failed" }),
  ]).toEqual([
    "waits until today 13:00: you are muted",
    "waits until today 13:00: quiet hours",
    "waits until today 13:00",
    "waits until today 13:00, 5 min late: what is late is told as one",
    "waits until today 13:00: the receiver could not be reached (ECONNREFUSED)",
    "is on its way",
    "could not be told",
  ]);
});

test("reasons are told as people say them, and one that is not known as it is", () => {
  const words: Readonly<Record<string, string>> = {
    "dismissed: completed": "the task was completed",
    "dismissed: unscheduled": "the reminder is not wanted any more",
    "no longer among the user's addresses": "the address was removed",
    "the endpoint is disabled": "the webhook is switched off, as it failed for too long",
    "mail is not set up": "this server sends no mail",
    "HTTP 500": "the receiver answered 500",
    "SMTP 550": "the mail server answered 550",
    TimeoutError: "no answer in time",
    ENOTFOUND: "the receiver could not be reached (ENOTFOUND)",
    "only 30 an hour go to one address": "only 30 an hour go to one address",
  };
  for (const [reason, said] of Object.entries(words)) expect(reasonInWords(reason)).toBe(said);
});

test("what is read again goes before what is older, and alone where the two do not meet", () => {
  const listed = (ids: string, next_cursor: string | null = null): NotificationPage => ({
    items: [...ids].map((id) => told({ id })),
    next_cursor,
  });
  const ids = ({ items, next_cursor }: NotificationPage) => [items.map(({ id }) => id).join(""), next_cursor];
  const known = withOlder(listed("dc", "after c"), listed("ba", "after a"));
  expect([
    ids(known),
    ids(withNewest(listed(""), listed("dc", "after c"))),
    ids(withNewest(known, listed("ed", "after d"))),
    ids(withNewest(known, listed("hg", "after g"))),
    ids(withNewest(known, listed("ba"))),
    ids(withNewest(known, listed(""))),
  ]).toEqual([
    ["dcba", "after a"],
    ["dc", "after c"],
    ["edcba", "after a"],
    ["hg", "after g"],
    ["ba", null],
    ["", null],
  ]);
  const fresh = withNewest(known, {
    ...listed("dc", "after c"),
    items: [told({ id: "d", title: "now" }), told({ id: "c" })],
  });
  expect(fresh.items.map(({ title }) => title)[0]).toBe("now");
  const changed = withChanged(known, told({ id: "b", status: "pending" }));
  expect(changed.items.map(({ status }) => status)).toEqual(["delivered", "delivered", "pending", "delivered"]);
});

test("what goes to the operator alone is not listed", () => {
  const channels = ["in-app", "log", "webhook", "email", "operator-webhook"] as const;
  expect(channels.filter((channel) => isToPerson(told({ channel })))).toEqual(["in-app", "webhook", "email"]);
});

test("only what is settled, and not part of a digest, can be sent again", () => {
  const statuses = ["pending", "bundled", "delivered", "failed", "dropped", "cancelled"] as const;
  expect(statuses.filter((status) => canBeSentAgain(told({ status })))).toEqual(["delivered", "failed", "dropped"]);
  expect(canBeSentAgain(told({ digest_id: "d" }))).toBe(false);
});

test("the first occurrence, and any of a series counted from completion, keeps its times with those after it", () => {
  // Only the pattern is looked at.
  const template = (pattern: object | string) => ({ recurrence_pattern: pattern }) as Task;
  const daily = { rrule: "FREQ=DAILY", start: "2026-11-25T09:00:00" };
  const of = (recurrence_id: string | null, pattern: object | string) =>
    keepsTimes({ recurrence_id }, template(pattern));
  expect([
    of("2026-11-25T09:00:00", daily),
    of("2026-11-25T09:00:00#2", daily),
    of("2026-11-26T09:00:00", daily),
    of("2026-11-26T09:00:00", { ...daily, anchor: "completion" }),
    of(null, daily),
    of("2026-11-25T09:00:00", "daily"),
    keepsTimes({ recurrence_id: "2026-11-25T09:00:00" }, null),
  ]).toEqual([true, true, false, true, false, false, false]);
});

test("the first occurrence is the first date of the rule, which need not be its start", () => {
  const last = "2026-11-27T17:00:00";
  const after = "2026-12-25T17:00:00";
  const lastFriday = { rrule: "FREQ=MONTHLY;BYDAY=-1FR", tz: "Europe/Berlin", start: "2026-11-26T17:00:00" };
  const daily = { rrule: "FREQ=DAILY", tz: "UTC", start: "2026-11-25", exdate: ["2026-11-25"] };
  const cases: readonly (readonly [recurrence_id: string, pattern: object, keeps: boolean])[] = [
    [last, lastFriday, true],
    [after, lastFriday, false],
    // Made before the series was given a later start.
    ["2026-10-30T17:00:00", lastFriday, true],
    // Made before the series was given another time of day.
    ["2026-11-27T20:00:00", lastFriday, true],
    // The first is left out.
    [after, { ...lastFriday, exdate: [last] }, true],
    ["2026-11-26", daily, true],
    ["2026-11-27", daily, false],
  ];
  for (const [recurrence_id, pattern, keeps] of cases) {
    // Only the pattern is looked at.
    const template = { recurrence_pattern: pattern } as Task;
    expect([recurrence_id, keepsTimes({ recurrence_id }, template)]).toEqual([recurrence_id, keeps]);
    // As the server finds it, which refuses a due there.
    const parsed = parseRecurrencePattern(pattern);
    expect(hasBefore(parsed, placeUnder(parsed, { recurrence_id }))).toBe(!keeps);
  }
});
