import { describe, expect, test } from "bun:test";
import type { TaskEvent } from "../../../shared/tasks/task-event.ts";
import { askingId } from "../../../workers/recurring-task-worker/asking-id.ts";
import {
  at,
  completed,
  created,
  daily,
  deleted,
  hear,
  occurrence,
  template,
  thu,
  tue,
  updated,
  wed,
} from "./series-world.ts";

const pattern = (over: object = {}) => ({ recurrence_pattern: JSON.stringify({ ...daily, ...over }) });
const ended = (version: number) =>
  updated(version, "11-23T11:10", pattern({ rrule: "FREQ=DAILY;UNTIL=20261124T235959Z" }));
const prolonged = (version: number) => updated(version, "11-23T11:20", pattern());
const made = (id: string) => created(1, "11-23T11:00", null, {}, occurrence(id));
const begun = () => hear().events(created(1, "11-23T10:00", daily), completed(2, "11-23T11:00", occurrence(tue)));
const states = (heard: ReturnType<typeof hear>) =>
  heard
    .series()
    .occurrences.toSorted((a, b) => a.number - b.number)
    .map(({ recurrenceId, state, dropped }) => [recurrenceId, dropped ? "dropped" : state]);

test("a series says that it has ended, once each time, and when its last one was", () => {
  const twice = { ...daily, rrule: "FREQ=DAILY;COUNT=2" };
  const heard = hear().events(created(1, "11-23T10:00", twice), completed(2, "11-24T08:00", occurrence(tue)));
  expect(heard.ended()).toEqual([]);
  heard.events(completed(2, "11-25T08:00", occurrence(wed)));
  const data = { series_id: template, last_start: wed, ended_at: at("11-25T08:00") };
  expect(heard.ended()).toMatchObject([{ type: "SeriesEnded", key: template, subject: template, data }]);
  // Heard of again, it is no new end.
  heard.events(completed(2, "11-25T08:00", occurrence(wed)));
  expect(heard.ended()).toHaveLength(1);
  const longer = JSON.stringify({ ...twice, rrule: "FREQ=DAILY;COUNT=3" });
  heard.events(updated(2, "11-25T09:00", { recurrence_pattern: longer }));
  expect([heard.asked(), heard.ended().length]).toEqual([[tue, wed, thu], 1]);
  heard.events(completed(2, "11-26T08:00", occurrence(thu)));
  expect(heard.ended().map(({ data }) => data.last_start)).toEqual([wed, thu]);
  heard.events(deleted(3, "11-26T10:00"));
  expect([heard.series().status, heard.ended().length]).toEqual(["stopped", 2]);
});

describe("a series that is ended before one asked for was heard of", () => {
  test.each<[string, readonly TaskEvent[]]>([
    ["and prolonged again", [ended(2), prolonged(3)]],
    [
      "by making its template a plain task and a template again",
      [
        updated(2, "11-23T11:10", { is_recurring_template: false }),
        updated(3, "11-23T11:20", { is_recurring_template: true }),
      ],
    ],
  ])("%s asks for it again under its own id, and goes on from it", (_title, changes) => {
    const heard = begun().events(...changes);
    expect(heard.asked()).toEqual([tue, wed, wed]);
    heard.events(made(wed));
    expect(states(heard)).toEqual([
      [tue, "completed"],
      [wed, "open"],
    ]);
    heard.events(completed(2, "11-23T12:00", occurrence(wed)));
    expect(heard.asked()).toEqual([tue, wed, wed, thu]);
  });

  test("and not prolonged takes it in if it had been made", () => {
    const heard = begun().events(ended(2));
    expect(states(heard).at(-1)).toEqual([wed, "dropped"]);
    expect(states(heard.events(made(wed))).at(-1)).toEqual([wed, "open"]);
  });

  test("does not make again what a person deleted meanwhile", () => {
    const heard = begun().events(ended(2), made(wed), deleted(2, "11-23T11:15", occurrence(wed)), prolonged(3));
    expect(heard.asked()).toEqual([tue, wed]);
    expect(states(heard).at(-1)).toEqual([wed, "deleted"]);
  });

  test("makes under another id what its own undoing had removed", () => {
    const heard = begun().events(
      updated(3, "11-23T11:05", { status: "open", completed_at: null }, occurrence(tue)),
      ended(2),
      prolonged(3),
      completed(4, "11-23T11:30", occurrence(tue)),
    );
    expect([heard.removed(), heard.asked()]).toEqual([[occurrence(wed)], [tue, wed, wed]]);
    heard.events(made(wed), deleted(2, "11-23T11:06", occurrence(wed)));
    expect(heard.asked()).toEqual([tue, wed, wed, `${wed}#2`]);
  });

  test("counts what it dropped no more, so COUNT ends where it did", () => {
    const counted = { ...daily, rrule: "FREQ=DAILY;COUNT=2", anchor: "completion" };
    const heard = hear()
      .events(created(1, "11-23T10:00", counted), completed(2, "11-23T11:00", occurrence(tue)))
      .events(
        updated(2, "11-23T11:10", { is_recurring_template: false }),
        updated(3, "11-23T11:20", { is_recurring_template: true }),
      );
    expect(Object.values(heard.series().made)).toEqual([2]);
    expect(states(heard)).toHaveLength(2);
  });
});

test("asked for again by a timer or a person, it is another message", () => {
  const dropped = begun().events(ended(2)).series();
  const first = askingId(begun().series(), occurrence(thu));
  expect(askingId(dropped, occurrence(thu))).toBe(first);
  expect(askingId(dropped, occurrence(wed))).not.toBe(askingId(begun().series(), occurrence(wed)));
});
