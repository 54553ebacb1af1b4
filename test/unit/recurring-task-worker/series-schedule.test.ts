import { describe, expect, test } from "bun:test";
import type { TaskCreated } from "../../../shared/messages/records.ts";
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

describe("anchored on the schedule", () => {
  test("the first occurrence is asked for with the template, and its due waited for where more may be open", () => {
    const heard = hear().events(created(1, "11-23T10:00", { ...daily, max_open: 2 }));
    expect(heard.asked()).toEqual([tue]);
    expect(heard.series()).toMatchObject({ status: "pending", wakeAt: at("11-24T09:00"), generation: 1 });
  });

  test("where one may be open, it is waited for to be completed", () => {
    const heard = hear().events(created(1, "11-23T10:00", daily));
    expect(heard.series()).toMatchObject({ status: "waiting", wakeAt: null, generation: 0 });
  });

  test("completing early asks for the next one of the schedule", () => {
    const heard = hear().events(created(1, "11-23T10:00", daily), completed(2, "11-23T11:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue, wed]);
  });

  test("when the due passes and the occurrence is open, nothing more is asked for while one may be open", () => {
    const heard = hear()
      .events(created(1, "11-23T10:00", daily))
      .pass("11-24T09:00");
    expect(heard.asked()).toEqual([tue]);
    expect(heard.series()).toMatchObject({ status: "waiting", wakeAt: null });
  });

  test("when the due passes and two may be open, the next one is asked for", () => {
    const heard = hear()
      .events(created(1, "11-23T10:00", { ...daily, max_open: 2 }))
      .pass("11-24T09:00")
      .pass("11-25T09:00");
    expect(heard.asked()).toEqual([tue, wed]);
  });

  test("completing late asks for the next one to come, never one already past", () => {
    const heard = hear()
      .events(created(1, "11-23T10:00", daily))
      .pass("11-24T09:00")
      .events(completed(2, "11-26T12:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue, fri]);
  });

  test("a completion heard late counts from when it was made", () => {
    const heard = hear().events(created(1, "11-23T10:00", daily), completed(2, "11-24T10:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue, wed]);
    expect(heard.pass("11-30T00:00").asked()).toEqual([tue, wed]);
  });

  test("a deleted occurrence is skipped: the next one comes when its due has passed", () => {
    const heard = hear().events(created(1, "11-23T10:00", daily), deleted(2, "11-23T11:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue]);
    expect(heard.pass("11-24T09:00").asked()).toEqual([tue, wed]);
  });

  test("completing, reopening and completing again asks once", () => {
    const first = occurrence(tue);
    const heard = hear().events(
      created(1, "11-23T10:00", daily),
      completed(2, "11-23T11:00", first),
      updated(3, "11-23T11:30", { status: "open", completed_at: null }, first),
      completed(4, "11-23T12:00", first),
    );
    expect(heard.asked()).toEqual([tue, wed]);
  });
});

describe("after ten days of standstill", () => {
  const template2 = (catch_up: string, max_open: number) =>
    hear().events(
      created(1, "11-23T10:00", { ...daily, catch_up, max_open }),
      deleted(2, "11-23T11:00", occurrence(tue)),
    );
  test.each<[string, number, readonly string[]]>([
    ["latest", 1, ["2026-12-04T09:00:00"]],
    ["latest", 5, ["2026-12-04T09:00:00", "2026-12-05T09:00:00"]],
    ["none", 5, ["2026-12-05T09:00:00"]],
    ["all", 1, [wed]],
    ["all", 3, [wed, thu, fri]],
    [
      "all",
      100,
      [
        wed,
        thu,
        fri,
        ...["11-28", "11-29", "11-30", "12-01", "12-02", "12-03", "12-04", "12-05"].map(
          (day) => `2026-${day}T09:00:00`,
        ),
      ],
    ],
  ])("catch_up %s with %d open makes exactly its occurrences", (catchUp, maxOpen, expected) => {
    const heard = template2(catchUp, maxOpen).pass("12-04T12:00").pass("12-04T12:01");
    expect(heard.asked()).toEqual([tue, ...expected]);
  });
});

describe("where a series begins", () => {
  test.each<[string, unknown, Partial<TaskCreated>, readonly string[]]>([
    ["at the due date", "weekly", { due_date: at("12-01T08:00") }, ["2026-12-01T08:00:00"]],
    [
      "in the zone of the due date",
      "weekly",
      { due_date: at("12-01T08:00"), due_tz: "Europe/Berlin" },
      ["2026-12-01T09:00:00"],
    ],
    ["on the due day, all day", "weekly", { due_on: "2026-12-01", due_tz: "Europe/Berlin" }, ["2026-12-01"]],
    ["at the moment of creation", "daily", {}, ["2026-11-23T10:00:00"]],
    ["with the latest of a past start", { ...daily, start: "2026-01-01T09:00" }, {}, ["2026-11-23T09:00:00"]],
    [
      "at the past start when all are wanted",
      { ...daily, start: "2026-01-01T09:00", catch_up: "all" },
      {},
      ["2026-01-01T09:00:00"],
    ],
    ["in the future when none is made up for", { ...daily, start: "2026-01-01T09:00", catch_up: "none" }, {}, [tue]],
  ])("%s", (_title, pattern, over, expected) => {
    expect(
      hear()
        .events(created(1, "11-23T10:00", pattern, over))
        .asked(),
    ).toEqual([...expected]);
  });

  test("an all-day occurrence is past when its day is over, not when it begins", () => {
    const allDay = { rrule: "FREQ=DAILY", max_open: 2 };
    const heard = hear().events(created(1, "11-23T10:00", allDay, { due_on: "2026-11-24", due_tz: "Europe/Berlin" }));
    expect(heard.series().wakeAt).toEqual(at("11-24T23:00"));
  });
});
