import { describe, expect, test } from "bun:test";
import { defaultPreferences, preferencesInput } from "../../../shared/preferences/preferences.ts";
import { judgeEndpoint } from "../../../workers/notification-service/send/endpoint-health.ts";
import {
  lateBy,
  planDelivery,
  planForOperator,
  type PrioritizedReminder,
} from "../../../workers/notification-service/plan/plan-delivery.ts";
import type { SendOutcome } from "../../../workers/notification-service/channels/channel.ts";
import type { Way } from "../../../workers/notification-service/plan/way.ts";

const now = new Date("2026-11-25T12:00:00Z");
const secret = `whsec_${"A".repeat(32)}`;
const hook = { type: "webhook", url: "https://hooks.example.org/a", secret };
const mail = { type: "email", to: "ada@example.org" };
const quiet = { quiet_hours: { from: "11:00", to: "13:00" } };
const windowEnd = "2026-11-25T13:00:00Z";

const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000);
const fired = (
  more: { lateMinutes?: number; priority?: PrioritizedReminder["priority"] } = {},
): PrioritizedReminder => {
  const remindAt = minutesAgo(more.lateMinutes ?? 0);
  return {
    reminderId: "r",
    taskId: "t",
    title: "Water the plants",
    priority: more.priority ?? null,
    remindAt,
    triggeredAt: now,
    lateBy: lateBy(remindAt, now, now),
  };
};
const plan = (reminder: PrioritizedReminder, settings: Record<string, unknown>, disabled: readonly string[] = []) =>
  planDelivery(
    reminder,
    preferencesInput.parse(settings),
    { isDisabled: ({ target }: Way) => disabled.includes(target), collapseMs: 10_000 },
    now,
  ).map(({ way, fallbacks, status, dueAt, bundle, reason }) => ({
    to: [way, ...fallbacks].map(({ channel }) => channel).join(" else "),
    status,
    due: dueAt.toISOString().replace(".000", ""),
    ...(bundle === null ? {} : { bundle }),
    ...(reason === null ? {} : { reason }),
  }));
const at = (due: Date | string) => (typeof due === "string" ? due : due.toISOString().replace(".000", ""));

describe("a reminder that fires in time", () => {
  test("is in the list at once for one who never said anything", () => {
    expect(plan(fired(), {})).toEqual([{ to: "in-app", status: "delivered", due: at(now) }]);
  });
  test("goes by every channel, each once, with what is left of its chain", () => {
    expect(
      plan(fired(), { channels: [{ type: "in-app" }, { ...hook, else: { ...mail, else: { type: "in-app" } } }, hook] }),
    ).toEqual([
      { to: "in-app", status: "delivered", due: at(now) },
      { to: "webhook else email else in-app", status: "pending", due: at(now) },
    ]);
  });
  test("goes nowhere for one who wants no channel", () => expect(plan(fired(), { channels: [] })).toEqual([]));
  test("passes over endpoints that are disabled, and says so", () => {
    const channels = [{ ...hook, else: mail }];
    expect(plan(fired(), { channels }, [hook.url])).toEqual([
      { to: "webhook", status: "failed", due: at(now), reason: "the endpoint is disabled" },
      { to: "email", status: "pending", due: at(now) },
    ]);
    expect(plan(fired(), { channels: [hook] }, [hook.url])).toMatchObject([{ to: "webhook", status: "failed" }]);
  });
});

describe("in quiet hours", () => {
  test.each<[string, PrioritizedReminder, Record<string, unknown>, object]>([
    ["put off to the end", fired(), {}, { status: "pending", due: windowEnd, bundle: "quiet" }],
    ["urgent passes", fired({ priority: "High" }), {}, { status: "delivered", due: at(now) }],
    ["unless it is not to", fired({ priority: "High" }), { urgent_passes: false }, { due: windowEnd, bundle: "quiet" }],
    ["medium does not", fired({ priority: "Medium" }), {}, { due: windowEnd }],
    ["late ones wait too", fired({ lateMinutes: 90 }), {}, { status: "pending", due: windowEnd, bundle: "quiet" }],
    [
      "late ones to be collapsed wait for the same end",
      fired({ lateMinutes: 90 }),
      { late: { policy: "collapse" } },
      { due: windowEnd, bundle: "quiet" },
    ],
    [
      "a mute does the same",
      fired(),
      { quiet_hours: null, muted_until: "2026-11-25T12:30:00Z" },
      { due: "2026-11-25T12:30:00Z" },
    ],
    [
      "urgent passes a mute",
      fired({ priority: "High" }),
      { quiet_hours: null, muted_until: "2026-11-25T12:30:00Z" },
      { status: "delivered" },
    ],
  ])("%s", (_title, reminder, more, expected) => {
    expect(plan(reminder, { ...quiet, ...more })).toMatchObject([expected]);
  });
});

describe("late", () => {
  const log = { channels: [{ type: "log" }] };
  test("within a minute is in time; nobody said when: in time", () => {
    expect([60, 61].map((seconds) => lateBy(new Date(now.getTime() - seconds * 1000), now, now))).toEqual([null, 61]);
    expect(lateBy(null, now, now)).toBeNull();
  });
  test("what fired in time is late where it was heard of more than a moment after, and by as much", () => {
    const heard = (seconds: number) => lateBy(now, now, new Date(now.getTime() + seconds * 1000));
    expect([60, 61, 7_200].map(heard)).toEqual([null, 61, 7_200]);
    expect(lateBy(null, now, new Date(now.getTime() + 7_200_000))).toBeNull();
  });
  test.each<[string, number, Record<string, unknown>, object]>([
    ["deliver: in the order in which they were to fire", 90, {}, { status: "pending", due: at(minutesAgo(90)) }],
    [
      "collapse: gathered for a moment",
      90,
      { late: { policy: "collapse" } },
      { status: "pending", due: "2026-11-25T12:00:10Z", bundle: "late" },
    ],
    ["drop: within the span it is told", 90, { late: { policy: "drop", after: "PT2H" } }, { status: "pending" }],
    ["drop: at the span it is told", 120, { late: { policy: "drop", after: "PT2H" } }, { status: "pending" }],
    [
      "drop: later it is not, and says why",
      121,
      { late: { policy: "drop", after: "PT2H" } },
      { status: "dropped", reason: "late by 7260 s, wanted within PT2H" },
    ],
    [
      "drop in quiet hours is the same",
      121,
      { ...quiet, late: { policy: "drop", after: "PT2H" } },
      { status: "dropped" },
    ],
    ["a span of nothing drops all that is late", 2, { late: { policy: "drop", after: "PT0S" } }, { status: "dropped" }],
  ])("%s", (_title, lateMinutes, more, expected) => {
    expect(plan(fired({ lateMinutes }), { ...log, ...more })).toMatchObject([expected]);
  });
  test("what is dropped is not handed to the next of a chain, even where the first is disabled", () => {
    const settings = { channels: [{ ...hook, else: mail }], late: { policy: "drop", after: "PT1H" } };
    expect(plan(fired({ lateMinutes: 90 }), settings, [hook.url])).toMatchObject([{ status: "dropped" }]);
  });
});

test("the operator's own ways get everything at once", () => {
  const planned = planForOperator(fired({ lateMinutes: 90 }), [{ channel: "operator-webhook", target: "" }], now);
  expect(planned).toMatchObject([{ status: "pending", dueAt: minutesAgo(90), bundle: null }]);
  expect(defaultPreferences.channels).toEqual([{ type: "in-app" }]);
});

describe("the breaker of an endpoint", () => {
  const hourMs = 3_600_000;
  const policy = { threshold: 3, baseMs: 1_000, capMs: 10_000, disableAfterMs: 24 * hourMs };
  const failed: SendOutcome = { outcome: "retry", reason: "HTTP 500", afterMs: null };
  test.each<[string, { failures: number; failingForMs: number }, SendOutcome, object]>([
    [
      "a success closes it",
      { failures: 9, failingForMs: hourMs },
      { outcome: "delivered" },
      { failures: 0, openMs: null, disable: null },
    ],
    [
      "two failures leave it closed",
      { failures: 1, failingForMs: 10 },
      failed,
      { failures: 2, openMs: null, disable: null },
    ],
    ["the third opens it", { failures: 2, failingForMs: 10 }, failed, { failures: 3, openMs: 1_000, disable: null }],
    ["a failed probe opens it for longer", { failures: 3, failingForMs: 10 }, failed, { failures: 4, openMs: 2_000 }],
    ["at most for the cap", { failures: 60, failingForMs: 10 }, failed, { failures: 61, openMs: 10_000 }],
    [
      "a refusal counts as a failure",
      { failures: 2, failingForMs: 10 },
      { outcome: "refused", reason: "x" },
      { failures: 3, openMs: 1_000 },
    ],
    [
      "410 disables it at once",
      { failures: 0, failingForMs: 0 },
      { outcome: "refused", reason: "HTTP 410", gone: true },
      { disable: "HTTP 410" },
    ],
    [
      "a day of failures disables it",
      { failures: 40, failingForMs: 25 * hourMs },
      failed,
      { openMs: null, disable: "failing for 25 h, at last HTTP 500" },
    ],
    ["two failures a day apart do not", { failures: 1, failingForMs: 25 * hourMs }, failed, { disable: null }],
  ])("%s", (_title, health, sent, expected) => {
    expect(judgeEndpoint(health, sent, policy, () => 1)).toMatchObject(expected);
  });
  test("the pause is jittered by up to half", () => {
    expect(judgeEndpoint({ failures: 2, failingForMs: 0 }, failed, policy, () => 0).openMs).toBe(500);
  });
});
