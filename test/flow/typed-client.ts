import { describe, expect, test } from "bun:test";
import type { components } from "../support/api-schema.ts";
import { signIn } from "../support/client.ts";
import { typedClient } from "../support/typed-client.ts";
import { until } from "../support/until.ts";
import { gateway } from "./everyday-system.ts";

type Schemas = components["schemas"];

async function setup() {
  const { token } = await signIn(gateway, `typed-${crypto.randomUUID()}`);
  return typedClient(gateway, token);
}

describe("a client made of the document's types", () => {
  test("makes a task with everything, and clears every field that can be", async () => {
    const { call } = await setup();
    const everything: Schemas["NewTask"] = {
      title: "Water the plants",
      description: "The fern needs less",
      due_date: "2030-01-01T10:00:00+01:00",
      due_tz: "Europe/Berlin",
      priority: "High",
      tags: ["home"],
      remind: ["PT1H", "P1D@18:00"],
    };
    const made = await call("post", "/v1/tasks", {
      body: everything,
      header: { "idempotency-key": crypto.randomUUID() },
    });
    expect(made).toMatchObject({ ...everything, due_date: "2030-01-01T09:00:00.000Z", status: "open", version: 1 });
    const path = { id: made.id };
    const cleared: Schemas["TaskPatch"] = {
      description: null,
      due_date: null,
      due_tz: null,
      priority: null,
      remind: null,
    };
    expect(await call("patch", "/v1/tasks/{id}", { path, body: cleared, header: { "if-match": '"1"' } })).toMatchObject(
      {
        ...cleared,
        version: 2,
      },
    );
    expect(await call("patch", "/v1/tasks/{id}", { path, body: { due_on: "2030-01-01" } })).toMatchObject({
      due_on: "2030-01-01",
    });
    expect(await call("patch", "/v1/tasks/{id}", { path, body: { due_on: null } })).toMatchObject({ due_on: null });
    expect(await call("get", "/v1/tasks/{id}", { path })).toMatchObject({ remind: null, recurrence_pattern: null });
    expect(await call("delete", "/v1/tasks/{id}", { path })).toBeNull();
    expect(await call("get", "/v1/tasks", { query: { status: "all", limit: 1 } })).toEqual({
      items: [],
      next_cursor: null,
    });
  });

  test("makes a task of nothing but nulls", async () => {
    const { call } = await setup();
    const nulls = {
      description: null,
      due_date: null,
      due_on: null,
      due_tz: null,
      priority: null,
      remind: null,
    } as const;
    const made = await call("post", "/v1/tasks", { body: { title: "a", ...nulls, recurrence_pattern: null } });
    expect(made).toMatchObject({ ...nulls, is_recurring_template: false });
  });

  test("makes a template, reads its choices, and makes it plain again", async () => {
    const { call } = await setup();
    const pattern: Schemas["RecurrencePatternInput"] = {
      rrule: "FREQ=MONTHLY;BYDAY=-1FR",
      tz: "Europe/Berlin",
      start: "2030-01-25T17:00",
    };
    const { id, recurrence_pattern: stored } = await call("post", "/v1/tasks", {
      body: { title: "Invoices", recurrence_pattern: pattern },
    });
    expect(stored).toMatchObject({
      ...pattern,
      start: "2030-01-25T17:00:00",
      anchor: "schedule",
      month_end: "skip",
      catch_up: "latest",
      max_open: 1,
    });
    const series = await until("the series is there", () =>
      call("get", "/v1/series/{id}", { path: { id } }).catch(() => null),
    );
    expect(series.recurrence_pattern?.rrule).toBe(pattern.rrule);
    const { items } = await call("get", "/v1/series/{id}/occurrences", { path: { id }, query: { limit: 2 } });
    expect(items.map((each) => each.recurrence_id)).toEqual(["2030-01-25T17:00:00", "2030-02-22T17:00:00"]);
    const plain = await call("patch", "/v1/tasks/{id}", { path: { id }, body: { recurrence_pattern: null } });
    expect(plain).toMatchObject({ recurrence_pattern: null, is_recurring_template: false });
    const daily = await call("post", "/v1/tasks", { body: { title: "Daily", recurrence_pattern: "daily" } });
    expect(daily.recurrence_pattern?.rrule).toBe("FREQ=DAILY");
  });

  test("changes preferences by what it wants to say alone", async () => {
    const { call } = await setup();
    const before = await call("get", "/v1/preferences", {});
    expect(before.channels).toEqual([{ type: "in-app" }]);
    for (const body of [
      {},
      { channels: [{ type: "in-app" }] },
      { muted_until: null, quiet_hours: null },
      { channels: [{ type: "in-app", else: { type: "log", else: { type: "email", to: "ada@example.org" } } }] },
      { quiet_hours: { from: "22:00", to: "07:00" }, late: { policy: "collapse" } },
    ] satisfies Schemas["PreferencesInput"][])
      expect(await call("put", "/v1/preferences", { body })).toMatchObject(body);
    const { muted_until: muted } = await call("put", "/v1/preferences", {
      body: { muted_until: "2030-01-01T00:00:00Z" },
    });
    expect(muted).toBe("2030-01-01T00:00:00.000Z");
  });

  test("sets, snoozes and dismisses a reminder", async () => {
    const { call } = await setup();
    const { id } = await call("post", "/v1/tasks", { body: { title: "Cake" } });
    const path = { id };
    const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
    const remind_at = inDays(100);
    const set = () => call("post", "/v1/tasks/{id}/reminders", { path, body: { remind_at, drop_after: null } });
    const made = await until("the task is known to reminders", () => set().catch(() => null));
    const snoozed = await call("post", "/v1/reminders/{id}/snooze", {
      path: { id: made.id },
      body: { until: inDays(200) },
    });
    expect(snoozed.snoozed_from).toBe(remind_at);
    const { status } = await call("post", "/v1/reminders/{id}/dismiss", { path: { id: made.id } });
    expect(status).toBe("dismissed");
  });

  test("refuses at compile time what the server refuses", async () => {
    const { call } = await setup();
    const refused = [
      // @ts-expect-error a task has a title
      () => call("post", "/v1/tasks", { body: {} }),
      // @ts-expect-error a title is text, never null
      () => call("patch", "/v1/tasks/{id}", { path: { id: crypto.randomUUID() }, body: { title: null } }),
      // @ts-expect-error there is no such channel
      () => call("put", "/v1/preferences", { body: { channels: [{ type: "sms" }] } }),
      // Only the server knows whether it keeps a secret for a webhook.
      () => call("put", "/v1/preferences", { body: { channels: [{ type: "webhook", url: "https://example.org" }] } }),
    ];
    for (const send of refused) await expect(send()).rejects.toThrow("answered 422");
  });
});
