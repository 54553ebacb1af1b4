import { describe, expect, test } from "bun:test";
import { deriveId } from "../../../shared/messages/derive-id.ts";
import { parseRecurrencePattern, parseRecurrencePatternText } from "../../../shared/recurrence/recurrence-pattern.ts";
import { makeRecurrences } from "../../../shared/recurrence/recurrence.ts";
import { taskPatch } from "../../../shared/tasks/task-input.ts";
import { scheduleOf } from "../../../workers/task-service/cut-pattern.ts";
import {
  decideScopedDelete,
  decideScopedPatch,
  decideStopAfter,
  type SeriesScope,
} from "../../../workers/task-service/decide-scope.ts";
import type { DecideSeriesChange, SeriesRows } from "../../../workers/task-service/series-rows.ts";
import type { TaskRow } from "../../../workers/task-service/task-row.ts";
import { taskRow } from "../../support/task-row.ts";
import { noneDeleted } from "../../support/none-deleted.ts";

const title = { title: "feed" };
const now = new Date("2026-03-01T10:00:00Z");
const template = "0190a000-0000-7000-8000-000000000001";
const successor = "0190a000-0000-7000-8000-000000000002";
const user = "0190a000-0000-7000-8000-00000000000a";
const day = (n: number) => `2026-03-0${n}T09:00:00`;

function row(over: Partial<TaskRow>): TaskRow {
  return taskRow({ id: template, user_id: user, title: "water", due_tz: "UTC", tags: ["home"], version: 3, ...over });
}
const occurrence = (n: number, over: Partial<TaskRow> = {}): TaskRow =>
  row({
    id: deriveId("occurrence", template, day(n)),
    due_date: new Date(`${day(n)}Z`),
    template_id: template,
    recurrence_id: day(n),
    ...over,
  });
const patternText = (over: object = {}) =>
  JSON.stringify(parseRecurrencePattern({ rrule: "FREQ=DAILY", tz: "UTC", start: day(2), ...over }));

/** The series with the 2nd to the 5th open; the nth is addressed. */
function series(
  n: number,
  over: { pattern?: object; target?: Partial<TaskRow>; closed?: readonly string[] } = {},
): SeriesRows {
  const target = occurrence(n, over.target);
  const open = [2, 3, 4, 5]
    .map((each) => (each === n ? target : occurrence(each)))
    .filter(({ status }) => status === "open");
  const pattern = patternText(over.pattern);
  return {
    template: row({ is_recurring_template: true, recurrence_pattern: pattern }),
    target,
    open,
    closedPlaces: over.closed ?? [],
    ...noneDeleted,
  };
}
/**
 * What is written, in short: the task by its day (`T` the template, `N` the new one, primes those of its series), and
 * what.
 */
function told(decide: DecideSeriesChange, rows: SeriesRows): readonly string[] {
  return decide(rows, now).writes.map(({ row, event }) => {
    const name = row.id === template ? "T" : row.id === successor ? "N" : String(row.recurrence_id).slice(9, 10);
    const rule = row.recurrence_pattern === null ? "" : ` ${JSON.parse(row.recurrence_pattern).rrule}`;
    const prime = row.template_id === successor ? "'" : "";
    const what = { TaskCreated: "made", TaskUpdated: "changed", TaskDeleted: "deleted" }[String(event.type)];
    return `${name}${prime} ${what}${event.type === "TaskDeleted" ? "" : rule}`;
  });
}
const patching = (scope: SeriesScope, body: object) =>
  decideScopedPatch(taskPatch.parse(body), { scope, zone: "UTC", newId: () => successor });

describe("what is written of a series", () => {
  test.each<[string, DecideSeriesChange, SeriesRows, readonly string[]]>([
    [
      "all",
      patching("all", title),
      series(3),
      ["T changed FREQ=DAILY", "3 changed", "2 changed", "4 changed", "5 changed"],
    ],
    [
      "future",
      patching("future", title),
      series(4),
      [
        "T changed FREQ=DAILY;UNTIL=20260304T085959",
        "4 deleted",
        "5 deleted",
        "N made FREQ=DAILY",
        "4' made",
        "5' made",
      ],
    ],
    [
      "future with a COUNT",
      patching("future", title),
      series(5, { pattern: { rrule: "FREQ=DAILY;COUNT=9" } }),
      ["T changed FREQ=DAILY;UNTIL=20260305T085959", "5 deleted", "N made FREQ=DAILY;COUNT=6", "5' made"],
    ],
    [
      "future to another time of day",
      patching("future", { due_date: "2026-03-04T18:00:00Z" }),
      series(4),
      [
        "T changed FREQ=DAILY;UNTIL=20260304T085959",
        "4 deleted",
        "5 deleted",
        "N made FREQ=DAILY",
        "4' made",
        "5' made",
      ],
    ],
    [
      "future of the first",
      patching("future", title),
      series(2),
      ["T changed FREQ=DAILY", "2 changed", "3 changed", "4 changed", "5 changed"],
    ],
    [
      "future, counted from completion",
      patching("future", title),
      series(4, { pattern: { anchor: "completion" } }),
      ["T changed FREQ=DAILY", "4 changed", "5 changed"],
    ],
    [
      "future past the end",
      patching("future", title),
      series(4, { pattern: { rrule: "FREQ=DAILY;UNTIL=20260303" } }),
      ["4 changed", "5 changed"],
    ],
    ["a patch that changes nothing", patching("all", { title: "water" }), series(4), []],
    [
      "delete all",
      decideScopedDelete("all", "UTC"),
      series(4),
      ["T deleted", "4 deleted", "2 deleted", "3 deleted", "5 deleted"],
    ],
    [
      "delete future",
      decideScopedDelete("future", "UTC"),
      series(4),
      ["T changed FREQ=DAILY;UNTIL=20260304T085959", "4 deleted", "5 deleted"],
    ],
    [
      "delete future of the first",
      decideScopedDelete("future", "UTC"),
      series(2),
      ["T deleted", "2 deleted", "3 deleted", "4 deleted", "5 deleted"],
    ],
    ["stop after", decideStopAfter("UTC"), series(4), ["T changed FREQ=DAILY;UNTIL=20260304T090000", "5 deleted"]],
    [
      "stop after, past the end",
      decideStopAfter("UTC"),
      series(4, { pattern: { rrule: "FREQ=DAILY;UNTIL=20260303" } }),
      ["5 deleted"],
    ],
    [
      "stop after the last of a COUNT",
      decideStopAfter("UTC"),
      series(5, { pattern: { rrule: "FREQ=DAILY;COUNT=4" } }),
      ["T changed FREQ=DAILY;UNTIL=20260305T090000"],
    ],
  ])("%s", (_title, decide, rows, expected) => {
    expect(told(decide, rows)).toEqual([...expected]);
  });

  test("an occurrence follows in the fields it has not got of its own; the one addressed takes the whole patch", () => {
    const mine = occurrence(3, { title: "mine" });
    const target = occurrence(4, { title: "also mine" });
    const rows = { ...series(4), target, open: [mine, target] };
    const decided = patching("all", { title: "feed", priority: "High" })(rows, now);
    const titles = decided.writes.map(({ row }) => [row.title, row.priority]);
    expect(titles).toEqual([
      ["feed", "High"],
      ["feed", "High"],
      ["mine", "High"],
    ]);
  });

  test("moved by hand, the one addressed keeps its due in the new series", () => {
    const moved = new Date("2026-03-04T12:00:00Z");
    const { row: made } = patching("future", { title: "feed" })(series(4, { target: { due_date: moved } }), now);
    expect(made).toMatchObject({ due_date: moved, recurrence_id: day(4), version: 1, template_id: successor });
    expect(made.id).toBe(deriveId("occurrence", successor, day(4)));
  });

  test.each<[string, object, string, object, readonly string[]]>([
    ["a monthly", { rrule: "FREQ=MONTHLY", start: "2026-01-31" }, "2026-02-28", title, ["2026-02-28", "2026-03-31"]],
    [
      "another hour of a monthly",
      { rrule: "FREQ=MONTHLY", start: "2026-01-31T09:00" },
      "2026-02-28T09:00:00",
      { due_date: "2026-02-28T18:00:00Z" },
      ["2026-02-28T18:00:00", "2026-03-31T18:00:00"],
    ],
    [
      "another day of a monthly",
      { rrule: "FREQ=MONTHLY", start: "2026-01-31" },
      "2026-02-28",
      { due_on: "2026-02-27" },
      ["2026-02-27", "2026-03-27"],
    ],
    ["a yearly", { rrule: "FREQ=YEARLY", start: "2024-02-29" }, "2027-02-28", title, ["2027-02-28", "2028-02-29"]],
    [
      "a yearly in two months",
      { rrule: "FREQ=YEARLY;BYMONTH=1,2", start: "2026-01-31" },
      "2026-02-28",
      title,
      ["2026-02-28", "2027-01-31"],
    ],
  ])("a month end stays one across a split: %s", (_title, over, at, body, expected) => {
    const pattern = patternText({ ...over, month_end: "clamp" });
    const due = at.length === 10 ? { due_on: at, due_date: null } : { due_date: new Date(`${at}Z`) };
    const target = occurrence(2, { recurrence_id: at, ...due });
    const rows = {
      template: row({ is_recurring_template: true, recurrence_pattern: pattern }),
      target,
      open: [target],
      ...noneDeleted,
    };
    const { writes } = patching("future", body)({ ...rows, closedPlaces: [] }, now);
    const made = writes.find((write) => write.row.id === successor)?.row.recurrence_pattern ?? "";
    const recurrences = makeRecurrences(scheduleOf(parseRecurrencePatternText(made)));
    const first = recurrences.first();
    expect([first?.id, recurrences.next(first?.at ?? now)?.id]).toEqual([...expected]);
  });

  test.each<[string, object, readonly [rule: string, start: string]]>([
    [
      "the start of the old one",
      { rrule: "FREQ=WEEKLY;BYDAY=MO,FR", start: day(2) },
      ["FREQ=WEEKLY;BYDAY=MO,FR", day(6)],
    ],
    [
      "every other day of an older start",
      { rrule: "FREQ=DAILY;INTERVAL=2", start: day(1) },
      ["FREQ=DAILY;INTERVAL=2", day(5)],
    ],
    ["a COUNT from then on", { rrule: "FREQ=DAILY;COUNT=9", start: day(2) }, ["FREQ=DAILY;COUNT=7", day(4)]],
    [
      "an earlier time of day",
      { rrule: "FREQ=DAILY", start: "2026-03-02T08:00" },
      ["FREQ=DAILY", "2026-03-04T08:00:00"],
    ],
    ["days instead of times", { rrule: "FREQ=DAILY", start: "2026-03-02" }, ["FREQ=DAILY", "2026-03-04"]],
    [
      "several times a day",
      { rrule: "FREQ=DAILY;BYHOUR=8,12", start: day(2) },
      ["FREQ=DAILY;BYHOUR=8,12", "2026-03-04T12:00:00"],
    ],
    [
      "a month end",
      { rrule: "FREQ=MONTHLY", start: "2025-08-31T09:00", month_end: "clamp" },
      ["FREQ=MONTHLY", "2026-03-31T09:00:00"],
    ],
    ["a later start", { rrule: "FREQ=DAILY", start: day(8) }, ["FREQ=DAILY", day(8)]],
  ])("a pattern that names its start goes on from the occurrence: %s", (_title, given, expected) => {
    const { row: first, writes } = patching("future", { recurrence_pattern: given })(series(4), now);
    const made = writes.find((write) => write.row.id === successor)?.row.recurrence_pattern ?? "{}";
    expect([JSON.parse(made).rrule, JSON.parse(made).start]).toEqual([...expected]);
    expect(first.recurrence_id).toBe(expected[1]);
  });

  test("a pattern whose start has it end before the occurrence is refused", () => {
    for (const end of ["COUNT=2", "UNTIL=20260303"])
      expect(() =>
        patching("future", { recurrence_pattern: { rrule: `FREQ=DAILY;${end}`, start: day(2) } })(series(4), now),
      ).toThrow(
        expect.objectContaining({
          extra: { mistakes: [expect.objectContaining({ path: "/recurrence_pattern/start" })] },
        }),
      );
  });

  test.each<[string, object, string]>([
    ["a due on the date before", { due_date: "2026-03-03T09:00:00Z" }, "/due_date"],
    ["a due before it", { due_date: "2026-03-01T09:00:00Z" }, "/due_date"],
    ["a day before it", { due_on: "2026-03-02" }, "/due_on"],
  ])("%s would double it or reorder the series, and is refused", (_title, body, path) => {
    expect(() => patching("future", body)(series(4), now)).toThrow(
      expect.objectContaining({
        extra: {
          mistakes: [{ path, message: `is not after ${day(3)}, which comes before this occurrence and stays` }],
        },
      }),
    );
    const late = patching("future", { due_date: "2026-03-03T09:00:01Z" })(series(4), now);
    expect(late.row.recurrence_id).toBe("2026-03-03T09:00:01");
  });

  test("what was closed beyond the split is left out of the new series", () => {
    const { writes } = patching("future", { title: "feed" })(series(4, { closed: [day(6), day(8)] }), now);
    const made = writes.find(({ row }) => row.id === successor);
    expect(JSON.parse(made?.row.recurrence_pattern ?? "{}").exdate).toEqual([day(6), day(8)]);
  });

  test.each<[string, object, SeriesScope, string]>([
    ["a due of all", { due_date: "2026-03-04T10:00:00Z" }, "all", "/due_date"],
    ["a due cleared for the rest", { due_on: null }, "future", "/due_on"],
    ["no pattern", { recurrence_pattern: null }, "all", "/recurrence_pattern"],
    ["a due the rule does not name", { due_date: "2026-03-04T10:00:00Z" }, "future", "/due_date"],
  ])("%s is refused, naming the field", (_title, body, scope, path) => {
    const rows = series(4, { pattern: { rrule: "FREQ=DAILY;BYHOUR=9" } });
    expect(() => patching(scope, body)(rows, now)).toThrow(
      expect.objectContaining({ extra: { mistakes: [expect.objectContaining({ path })] } }),
    );
  });

  test("a due for the first and all after it, or counted from completion, is refused unless the pattern says it too", () => {
    const due = { due_date: "2026-03-02T18:00:00Z", due_tz: "Europe/Berlin" };
    for (const rows of [series(2), series(2, { pattern: { anchor: "completion" } })]) {
      expect(() => patching("future", due)(rows, now)).toThrow(
        expect.objectContaining({
          extra: {
            mistakes: ["/due_date", "/due_tz"].map((path) => expect.objectContaining({ path })),
          },
        }),
      );
      expect(told(patching("future", { due_date: `${day(2)}Z`, due_tz: "UTC" }), rows)).toEqual([]);
      const pattern = { rrule: "FREQ=DAILY", start: "2026-03-02T18:00" };
      const { writes } = patching("future", { ...due, recurrence_pattern: pattern })(rows, now);
      expect(JSON.parse(writes[0]?.row.recurrence_pattern ?? "{}").start).toBe("2026-03-02T18:00:00");
    }
  });

  test("with the template gone a change is refused, a deletion is not", () => {
    const gone = {
      ...series(4),
      template: row({ is_recurring_template: true, recurrence_pattern: patternText(), deleted_at: now }),
    };
    expect(() => patching("all", { title: "feed" })(gone, now)).toThrow(
      expect.objectContaining({ code: "TASK_DELETED" }),
    );
    expect(told(decideScopedDelete("future", "UTC"), gone)).toEqual(["4 deleted", "5 deleted"]);
  });
});
