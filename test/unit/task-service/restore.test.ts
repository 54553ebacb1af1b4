import { describe, expect, test } from "bun:test";
import { deriveId } from "../../../shared/messages/derive-id.ts";
import { Problem } from "../../../shared/problem.ts";
import { parseRecurrencePattern } from "../../../shared/recurrence/recurrence-pattern.ts";
import {
  decideRestore,
  decideSeriesRestore,
  type RestoreScope,
} from "../../../workers/task-service/restore/decide-restore.ts";
import type { SeriesRows } from "../../../workers/task-service/series-rows.ts";
import type { TaskRow } from "../../../workers/task-service/task-row.ts";
import { taskRow } from "../../support/task-row.ts";

const now = new Date("2026-03-31T10:00:00Z");
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000);
const template = "0190a000-0000-7000-8000-000000000001";
const other = "0190a000-0000-7000-8000-000000000002";
const user = "0190a000-0000-7000-8000-00000000000a";
const day = (n: number) => `2026-03-0${n}T09:00:00`;
const gone = daysAgo(2);

const row = (over: Partial<TaskRow>): TaskRow => taskRow({ id: template, user_id: user, version: 3, ...over });
const occurrence = (n: number, over: Partial<TaskRow> = {}, series = template): TaskRow => {
  const recurrence_id = over.recurrence_id ?? day(n);
  const place = { template_id: series, recurrence_id };
  return row({ id: deriveId("occurrence", series, recurrence_id), ...place, deleted_at: gone, ...over });
};
const patternText = (over: object = {}) =>
  JSON.stringify(parseRecurrencePattern({ rrule: "FREQ=DAILY", tz: "UTC", start: day(2), ...over }));
const templateRow = (over: Partial<TaskRow> = {}, pattern: object = {}) =>
  row({ is_recurring_template: true, recurrence_pattern: patternText(pattern), ...over });

function rowsOf(over: Partial<SeriesRows>): SeriesRows {
  const rest = { template: templateRow(), target: occurrence(3), open: [], closedPlaces: [] };
  return { ...rest, deletedWith: [], rivals: [], ...over };
}
/** What is written, each by the end of its id's row: `T` the template, else the day. */
const written = (rows: SeriesRows, scope: RestoreScope = "this") =>
  decideSeriesRestore(scope)(rows, now).writes.map(({ row: after, event }) => {
    expect(after.deleted_at).toBeNull();
    expect(event).toMatchObject({ type: "TaskUpdated", subject: after.id, sequence: after.version });
    expect(event.data).toMatchObject({ updated_fields: { deleted_at: null }, timestamp: now });
    return after.recurrence_id?.slice(9, 10) ?? "T";
  });
function refusal(work: () => unknown): Problem {
  try {
    work();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

describe("of two for one place one comes back", () => {
  // Undone and done again, a date was made twice: the first was taken back, the second deleted with its series.
  const first = occurrence(3, { deleted_at: daysAgo(3) });
  const second = occurrence(3, { recurrence_id: `${day(3)}#2` });
  const goneTemplate = templateRow({ deleted_at: gone });

  test("where the one asked for was deleted before the series, the other is named", () => {
    const rows = rowsOf({ template: goneTemplate, target: first, deletedWith: [second] });
    const { code, extra } = refusal(() => decideSeriesRestore("all")(rows, now));
    expect([code, (extra["current"] as { id: string }).id]).toEqual(["OCCURRENCE_REPLACED", second.id]);
    expect(written({ ...rows, target: second }, "all")).toEqual(["3", "T"]);
  });

  test("where the other has come back by itself, it stays the only one", () => {
    const open = [{ ...first, deleted_at: null }];
    const rows = rowsOf({ template: goneTemplate, target: goneTemplate, deletedWith: [second, occurrence(4)], open });
    expect(written(rows, "all")).toEqual(["4", "T"]);
  });
});

describe("a task", () => {
  test.each(["open", "completed"] as const)("that was %s is there again as it was", (status) => {
    const before = row({
      status,
      completed_at: status === "open" ? null : daysAgo(3),
      deleted_at: gone,
      title: "mine",
    });
    const { row: after, event } = decideRestore(before, now);
    expect(after).toEqual({ ...before, deleted_at: null, updated_at: now, version: 4 });
    expect(event).toMatchObject({ type: "TaskUpdated", sequence: 4, data: { updated_fields: { deleted_at: null } } });
  });

  test("that is not deleted stays, without an event", () => {
    const before = row({});
    expect(decideRestore(before, now)).toEqual({ row: before, event: null });
  });

  test("is restored within 30 days of its deletion, and not later", () => {
    const at = (ms: number) => row({ deleted_at: new Date(daysAgo(30).getTime() + ms) });
    expect(decideRestore(at(1), now).event).not.toBeNull();
    const { code, message } = refusal(() => decideRestore(at(0), now));
    expect([code, message]).toEqual([
      "TASK_NOT_FOUND",
      `The task ${template} was deleted more than 30 days ago, and can no longer be restored`,
    ]);
  });
});

describe("an occurrence", () => {
  test("comes back alone, whether its series goes on or was deleted", () => {
    expect(written(rowsOf({}))).toEqual(["3"]);
    const deleted = templateRow({ deleted_at: gone });
    expect(written(rowsOf({ template: deleted, deletedWith: [occurrence(3), occurrence(4)] }))).toEqual(["3"]);
  });

  test("that is there already writes nothing, whatever else is on its day", () => {
    const target = occurrence(3, { deleted_at: null });
    expect(written(rowsOf({ target, rivals: [occurrence(3, { id: other, deleted_at: null })] }))).toEqual([]);
  });

  test.each<[string, Partial<TaskRow>, object]>([
    ["a copy of its date", { recurrence_id: `${day(3)}#2` }, {}],
    ["the one of its day at another time", { recurrence_id: "2026-03-03T18:00:00" }, { start: "2026-03-02T18:00:00" }],
    ["one that is completed", { recurrence_id: `${day(3)}#2`, status: "completed", completed_at: now }, {}],
  ])("is refused where its place has %s", (_title, over, pattern) => {
    const there = occurrence(3, { ...over, deleted_at: null });
    const rows = rowsOf({ template: templateRow({}, pattern), rivals: [there] });
    const { code, extra } = refusal(() => written(rows));
    expect([code, (extra["current"] as { id: string }).id]).toEqual(["OCCURRENCE_REPLACED", there.id]);
  });

  test("is not refused for another one of its day, where the series has several", () => {
    const pattern = { rrule: "FREQ=DAILY;BYHOUR=9,17" };
    const evening = occurrence(3, { recurrence_id: "2026-03-03T17:00:00", deleted_at: null });
    expect(written(rowsOf({ template: templateRow({}, pattern), rivals: [evening] }))).toEqual(["3"]);
  });

  test("is refused where the series has become a plain task, and that is what is there", () => {
    for (const deleted_at of [null, gone]) {
      const plain = row({ recurrence_pattern: null, deleted_at });
      const { code, extra } = refusal(() => written(rowsOf({ template: plain })));
      expect([code, (extra["current"] as { id: string }).id]).toEqual(["OCCURRENCE_REPLACED", template]);
    }
  });

  test.each([
    ["of its day, where that is there", [templateRow({ id: other }), occurrence(3, { deleted_at: null }, other)], 1],
    ["of its day, where that is deleted too", [templateRow({ id: other }), occurrence(3, {}, other)], 1],
    ["itself, where it has none of its day", [templateRow({ id: other }), occurrence(4, {}, other)], 0],
  ])("that a split moved into another series is refused for what that has %s", (_title, rivals, index) => {
    const ended = templateRow({}, { rrule: "FREQ=DAILY;UNTIL=20260303T085959" });
    const { code, extra } = refusal(() => written(rowsOf({ template: ended, rivals })));
    expect([code, (extra["current"] as { id: string }).id]).toEqual(["OCCURRENCE_REPLACED", rivals[index]?.id ?? ""]);
    // Of a series that was not ended, another one made at that moment has nothing to do with it.
    expect(written(rowsOf({ rivals }))).toEqual(["3"]);
  });
});

describe("with scope all", () => {
  const whole = templateRow({ deleted_at: gone });
  const deletedWith = [occurrence(3), occurrence(4)];

  test("a template comes back with what was deleted with it, itself last", () => {
    expect(written(rowsOf({ template: whole, target: whole, deletedWith }), "all")).toEqual(["3", "4", "T"]);
  });

  test("without it, the template alone", () => {
    expect(written(rowsOf({ template: whole, target: whole, deletedWith }))).toEqual(["T"]);
  });

  test("an occurrence brings its template back, also where it is there itself", () => {
    expect(written(rowsOf({ template: whole, deletedWith }), "all")).toEqual(["4", "3", "T"]);
    const target = occurrence(5, { deleted_at: null });
    expect(written(rowsOf({ template: whole, target, deletedWith }), "all")).toEqual(["3", "4", "T"]);
  });

  test("where nothing is deleted, nothing is written", () => {
    expect(written(rowsOf({ target: templateRow(), template: templateRow() }), "all")).toEqual([]);
  });

  test("an occurrence whose template is none any more has no series", () => {
    const rows = rowsOf({ template: row({ deleted_at: gone }), target: occurrence(3, { deleted_at: null }) });
    expect(refusal(() => written(rows, "all")).code).toBe("TASK_HAS_NO_SERIES");
  });

  test("a template deleted too long ago is refused, and so is its occurrence with it", () => {
    const old = templateRow({ deleted_at: daysAgo(31) });
    for (const target of [old, occurrence(3)])
      expect(refusal(() => written(rowsOf({ template: old, target }), "all")).code).toBe("TASK_NOT_FOUND");
  });
});
