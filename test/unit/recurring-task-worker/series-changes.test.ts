import { describe, expect, test } from "bun:test";
import { advanceSeries } from "../../../workers/recurring-task-worker/advance-series.ts";
import {
  at,
  occurrence,
  created,
  updated,
  completed,
  deleted,
  hear,
  daily,
  tue,
  wed,
  thu,
  fri,
} from "./series-world.ts";

describe("anchored on completion", () => {
  const every3 = { rrule: "FREQ=DAILY;INTERVAL=3", tz: "UTC", start: "2026-11-24T09:00", anchor: "completion" };
  test("the next one counts from the day of completion, at the time of the series", () => {
    const heard = hear().events(created(1, "11-23T10:00", every3));
    expect(heard.series()).toMatchObject({ status: "waiting", wakeAt: null });
    heard.events(completed(2, "11-28T22:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue, "2026-12-01T09:00:00"]);
  });
  test("completing early restarts the interval", () => {
    const heard = hear().events(created(1, "11-23T10:00", every3), completed(2, "11-23T11:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue, "2026-11-26T09:00:00"]);
  });
  test("an interval that ends where one was due that is done already goes on to the day after", () => {
    const heard = hear().events(
      created(1, "11-23T10:00", { ...every3, rrule: "FREQ=DAILY" }),
      completed(2, "11-23T11:00", occurrence(tue)),
    );
    expect(heard.asked()).toEqual([tue, wed]);
    heard.events(completed(2, "11-23T12:00", occurrence(wed)));
    expect(heard.asked()).toEqual([tue, wed, thu]);
  });
  test("completed earlier that day, the next one is not still today", () => {
    const heard = hear().events(created(1, "11-23T10:00", every3), completed(2, "11-24T08:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue, "2026-11-27T09:00:00"]);
  });
  test("a deleted one counts as skipped at that moment", () => {
    const heard = hear().events(created(1, "11-23T10:00", every3), deleted(2, "11-25T11:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue, "2026-11-28T09:00:00"]);
  });
  test("COUNT counts what was made", () => {
    const heard = hear().events(
      created(1, "11-23T10:00", { ...every3, rrule: "FREQ=DAILY;COUNT=2" }),
      completed(2, "11-24T11:00", occurrence(tue)),
      completed(2, "11-25T11:00", occurrence(wed)),
    );
    expect(heard.asked()).toEqual([tue, wed]);
    expect(heard.series().status).toBe("ended");
  });
});

describe("templates change", () => {
  test("a deleted template stops the series and leaves the open one", () => {
    const heard = hear().events(created(1, "11-23T10:00", daily), deleted(2, "11-23T11:00"));
    expect(heard.series()).toMatchObject({ status: "stopped", wakeAt: null });
    heard.pass("11-29T00:00").events(completed(2, "11-29T01:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue]);
    expect(heard.series().occurrences).toHaveLength(1);
  });
  test("a restored one goes on with what is still to come", () => {
    const heard = hear().events(
      created(1, "11-23T10:00", daily),
      completed(2, "11-23T10:30", occurrence(tue)),
      deleted(2, "11-23T11:00"),
      completed(2, "11-24T10:30", occurrence(wed)),
      updated(3, "11-26T12:00", { deleted_at: null }),
    );
    expect(heard.asked()).toEqual([tue, wed, fri]);
  });
  test("turning it into a task and back", () => {
    const heard = hear().events(
      created(1, "11-23T10:00", daily),
      updated(2, "11-23T11:00", { is_recurring_template: false, recurrence_pattern: null }),
      completed(2, "11-23T12:00", occurrence(tue)),
    );
    expect(heard.asked()).toEqual([tue]);
    heard.events(updated(3, "11-23T13:00", { is_recurring_template: true, recurrence_pattern: JSON.stringify(daily) }));
    expect(heard.asked()).toEqual([tue, wed]);
  });
  test("a plain task becomes a template that begins at its due date", () => {
    const heard = hear().events(
      created(1, "11-23T10:00", null, { due_date: at("11-30T08:00") }),
      updated(2, "11-23T11:00", { is_recurring_template: true, recurrence_pattern: '"weekly"' }),
    );
    expect(heard.asked()).toEqual(["2026-11-30T08:00:00"]);
  });
  test("a changed pattern counts from its change, once the open occurrence is done", () => {
    const yearly = { ...daily, rrule: "FREQ=YEARLY" };
    const heard = hear().events(
      created(1, "11-23T10:00", yearly),
      updated(2, "11-23T11:00", { recurrence_pattern: JSON.stringify(daily) }),
    );
    expect(heard.asked()).toEqual([tue]);
    heard.events(completed(2, "11-25T12:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue, thu]);
  });
  test("a changed pattern makes no second occurrence of a time there is one of", () => {
    const weekdays = { ...daily, rrule: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR" };
    const heard = hear().events(
      created(1, "11-23T10:00", daily),
      updated(2, "11-23T11:00", { recurrence_pattern: JSON.stringify(weekdays) }),
      completed(2, "11-23T12:00", occurrence(tue)),
    );
    expect(heard.asked()).toEqual([tue, wed]);
  });
  test("a completion from before the change, heard after it, makes nothing of the time before it", () => {
    const heard = hear().events(
      created(1, "11-23T10:00", daily),
      updated(2, "11-26T11:00", { recurrence_pattern: JSON.stringify({ ...daily, start: "2026-11-24T10:00" }) }),
      completed(2, "11-24T12:00", occurrence(tue)),
    );
    expect(heard.asked()).toEqual([tue, "2026-11-27T10:00:00"]);
  });
  test("completed far ahead of time, the next one follows the last, whatever else is remembered", () => {
    const heard = hear().events(created(1, "11-23T10:00", daily));
    const last = heard.series().occurrences[0];
    if (!last) throw new Error("no occurrence");
    const ahead = { ...last, state: "completed" as const, at: at("12-20T09:00"), duePassesAt: at("12-20T09:00") };
    const { messages } = advanceSeries({
      series: { ...heard.series(), occurrences: [{ ...ahead, recurrenceId: "2026-12-20T09:00:00" }] },
      tasks: heard.world().tasks,
      at: at("11-23T11:00"),
      by: "event",
    });
    expect(messages.map(({ subject }) => subject)).toEqual([occurrence("2026-12-21T09:00:00")]);
  });
  test("allowing more to be open asks for nothing by itself", () => {
    const heard = hear().events(
      created(1, "11-23T10:00", daily),
      updated(2, "11-23T11:00", { recurrence_pattern: JSON.stringify({ ...daily, max_open: 3 }) }),
    );
    expect(heard.asked()).toEqual([tue]);
    expect(heard.series()).toMatchObject({ status: "pending", wakeAt: at("11-24T09:00") });
  });
  test("COUNT ends the series", () => {
    const heard = hear().events(
      created(1, "11-23T10:00", { ...daily, rrule: "FREQ=DAILY;COUNT=2" }),
      completed(2, "11-23T11:00", occurrence(tue)),
      completed(2, "11-23T12:00", occurrence(wed)),
    );
    expect(heard.asked()).toEqual([tue, wed]);
    expect(heard.series()).toMatchObject({ status: "ended", wakeAt: null });
  });
  test("UNTIL ends it as well", () => {
    const heard = hear()
      .events(created(1, "11-23T10:00", { ...daily, rrule: "FREQ=DAILY;UNTIL=20261124" }))
      .events(completed(2, "11-24T12:00", occurrence(tue)));
    expect(heard.series().status).toBe("ended");
  });
});
