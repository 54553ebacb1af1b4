import { describe, expect, test } from "bun:test";
import { deriveId } from "../../../shared/messages/derive-id.ts";
import { Problem } from "../../../shared/problem.ts";
import { parseRecurrencePattern } from "../../../shared/recurrence/recurrence-pattern.ts";
import type { CreateOccurrence } from "../../../shared/messages/records.ts";
import { taskPatch } from "../../../shared/tasks/task-input.ts";
import { decideOccurrence } from "../../../workers/task-service/decide-occurrence.ts";
import { decideScopedPatch } from "../../../workers/task-service/decide-scope.ts";
import { decideTemplatePatch } from "../../../workers/task-service/decide-template.ts";
import type { SeriesRows } from "../../../workers/task-service/series-rows.ts";
import type { TaskRow } from "../../../workers/task-service/task-row.ts";
import { taskRow } from "../../support/task-row.ts";
import { noneDeleted } from "../../support/none-deleted.ts";

const now = new Date("2026-03-01T10:00:00Z");
const template = "0190a000-0000-7000-8000-000000000001";
const successor = "0190a000-0000-7000-8000-000000000002";
const user = "0190a000-0000-7000-8000-00000000000a";
const daily = { rrule: "FREQ=DAILY", tz: "UTC", start: "2026-03-01T09:00" };
const place = (day: number) => `2026-03-0${day}T09:00:00`;

const templateRow = (over: Partial<TaskRow> = {}): TaskRow =>
  taskRow({
    id: template,
    user_id: user,
    is_recurring_template: true,
    recurrence_pattern: JSON.stringify(parseRecurrencePattern(daily)),
    ...over,
  });
const occurrence = (day: number, over: Partial<TaskRow> = {}): TaskRow =>
  taskRow({
    id: deriveId("occurrence", template, place(day)),
    user_id: user,
    template_id: template,
    recurrence_id: place(day),
    due_date: new Date(`${place(day)}Z`),
    due_tz: "UTC",
    ...over,
  });
const dueOf = ({ due_date, due_on, due_tz }: TaskRow) => `${due_on ?? due_date?.toISOString()} ${due_tz}`;

/** The due of each open occurrence after a change of the template, and whether its version moved with it. */
function afterChange(pattern: object, open: readonly TaskRow[], by: "template" | "all"): readonly string[] {
  const body = taskPatch.parse({ recurrence_pattern: pattern });
  const [target] = open;
  if (target === undefined) throw new Error("none open");
  const at = { scope: "all", zone: null, newId: () => successor } as const;
  const [decide, addressed] =
    by === "template" ? [decideTemplatePatch(body, null), templateRow()] : [decideScopedPatch(body, at), target];
  const rows: SeriesRows = { template: templateRow(), target: addressed, open, closedPlaces: [], ...noneDeleted };
  const written = new Map(decide(rows, now).writes.map(({ row }) => [row.id, row]));
  return open.map((row) => {
    const after = written.get(row.id) ?? row;
    expect(after.id).toBe(row.id);
    expect(after.version - row.version).toBe(dueOf(after) === dueOf(row) ? 0 : 1);
    return dueOf(after);
  });
}

describe.each(["template", "all"] as const)("open occurrences follow a pattern changed by %s", (by) => {
  test.each<[string, object, Partial<TaskRow>, string]>([
    ["to its new time", { ...daily, start: "2026-03-01T18:00" }, {}, "2026-03-02T18:00:00.000Z UTC"],
    ["to an earlier one", { ...daily, start: "2026-03-01T07:30" }, {}, "2026-03-02T07:30:00.000Z UTC"],
    ["to the whole day", { ...daily, start: "2026-03-01" }, {}, "2026-03-02 UTC"],
    ["to another zone", { ...daily, tz: "Asia/Tokyo" }, {}, "2026-03-02T00:00:00.000Z Asia/Tokyo"],
    [
      "to another interval that has its day",
      { ...daily, start: "2026-02-28T18:00", rrule: "FREQ=DAILY;INTERVAL=2" },
      {},
      "2026-03-02T18:00:00.000Z UTC",
    ],
    [
      "not where the day is none any more",
      { ...daily, rrule: "FREQ=WEEKLY;BYDAY=FR" },
      {},
      "2026-03-02T09:00:00.000Z UTC",
    ],
    [
      "not what a person moved",
      { ...daily, start: "2026-03-01T18:00" },
      { due_date: new Date("2026-03-02T12:00:00Z") },
      "2026-03-02T12:00:00.000Z UTC",
    ],
    [
      "not the zone that a person chose",
      { ...daily, tz: "Asia/Tokyo" },
      { due_tz: "America/Lima" },
      "2026-03-02T00:00:00.000Z America/Lima",
    ],
    [
      "counted from completion, on its own day",
      { ...daily, rrule: "FREQ=WEEKLY", start: "2026-03-01T18:00", anchor: "completion" },
      {},
      "2026-03-02T18:00:00.000Z UTC",
    ],
  ])("%s", (_title, pattern, over, expected) => {
    expect(afterChange(pattern, [occurrence(2, over)], by)).toEqual([expected]);
  });
  test("today's too, done or overdue by the old time or not; an earlier day's stays", () => {
    const yesterday = {
      ...occurrence(1),
      id: successor,
      recurrence_id: "2026-02-28T09:00:00",
      due_date: new Date("2026-02-28T09:00Z"),
    };
    const open = [occurrence(1), occurrence(3), yesterday];
    const evening = { ...daily, start: "2026-02-01T18:00" };
    expect(afterChange(evening, open, by)).toEqual([
      "2026-03-01T18:00:00.000Z UTC",
      "2026-03-03T18:00:00.000Z UTC",
      "2026-02-28T09:00:00.000Z UTC",
    ]);
  });
  test("again and again, by the id it was made under", () => {
    const evening = JSON.stringify(parseRecurrencePattern({ ...daily, start: "2026-03-01T18:00" }));
    const row = occurrence(2, { due_date: new Date("2026-03-02T18:00:00Z") });
    const target = templateRow({ recurrence_pattern: evening });
    const body = taskPatch.parse({ recurrence_pattern: { ...daily, start: "2026-03-01T20:00" } });
    const { writes } = decideTemplatePatch(body, null)(
      { template: target, target, open: [row], closedPlaces: [], ...noneDeleted },
      now,
    );
    expect(writes.map((write) => dueOf(write.row)).at(-1)).toBe("2026-03-02T20:00:00.000Z UTC");
  });
});

describe("an occurrence asked for before its template changed", () => {
  const command = (over: Partial<CreateOccurrence> = {}): CreateOccurrence => ({
    occurrence_id: deriveId("occurrence", template, place(2)),
    template_id: template,
    user_id: user,
    recurrence_id: place(2),
    due_date: new Date(`${place(2)}Z`),
    due_on: null,
    due_tz: "UTC",
    requested_at: now,
    completed_at: null,
    ...over,
  });
  test.each<[string, object, Partial<CreateOccurrence>, string]>([
    ["is due as the pattern says now", { start: "2026-03-01T18:00" }, {}, "2026-03-02T18:00:00.000Z UTC"],
    ["is due on the day", { start: "2026-03-01" }, {}, "2026-03-02 UTC"],
    [
      "keeps a due it was given",
      { start: "2026-03-01T18:00" },
      { due_date: new Date("2026-03-02T11:00:00Z") },
      "2026-03-02T11:00:00.000Z UTC",
    ],
    [
      "keeps its own where the day is none any more",
      { rrule: "FREQ=WEEKLY;BYDAY=FR" },
      {},
      "2026-03-02T09:00:00.000Z UTC",
    ],
    ["is due as asked where nothing changed", {}, {}, "2026-03-02T09:00:00.000Z UTC"],
  ])("%s", (_title, over, asked, expected) => {
    const recurrence_pattern = JSON.stringify(parseRecurrencePattern({ ...daily, ...over }));
    const decided = decideOccurrence(templateRow({ recurrence_pattern }), command(asked), now);
    if (typeof decided === "string") throw new Error(decided);
    expect(dueOf(decided.row)).toBe(expected);
  });
});

describe("a due said to a template", () => {
  const shown = { due_date: new Date("2026-03-01T09:00:00Z"), due_tz: "UTC" };
  const patched = (body: object, over: Partial<TaskRow> = shown) => {
    const target = templateRow(over);
    const rows: SeriesRows = { template: target, target, open: [], closedPlaces: [], ...noneDeleted };
    return decideTemplatePatch(taskPatch.parse(body), "Europe/Rome")(rows, now).row;
  };
  test.each<[string, object, readonly string[]]>([
    ["another time", { due_date: "2026-03-05T10:00:00Z" }, ["/due_date"]],
    ["a day", { due_on: "2026-03-05" }, ["/due_on"]],
    ["another zone", { due_tz: "America/New_York" }, ["/due_tz"]],
    ["none", { due_date: null }, ["/due_date"]],
    ["none, with a pattern", { due_date: null, recurrence_pattern: "daily" }, ["/due_date"]],
    ["a time and a zone", { due_date: "2026-03-05T10:00:00Z", due_tz: "Asia/Tokyo" }, ["/due_date", "/due_tz"]],
    [
      "another start than the pattern's",
      { due_date: "2026-03-05T10:00:00Z", recurrence_pattern: daily },
      ["/due_date"],
    ],
    ["another zone than the pattern's", { due_tz: "Asia/Tokyo", recurrence_pattern: daily }, ["/due_tz"]],
  ])("is refused where it would move nothing: %s", (_title, body, paths) => {
    let thrown: unknown;
    try {
      patched(body);
    } catch (error) {
      thrown = error;
    }
    if (!(thrown instanceof Problem)) throw new Error("not refused");
    expect(thrown.extra.mistakes?.map(({ path }) => path)).toEqual([...paths]);
  });
  test("that it has already is no change", () => {
    expect(patched({ due_date: "2026-03-01T10:00:00+01:00", due_on: null, due_tz: "UTC" }).version).toBe(1);
  });
  test.each<[string, object, string, string]>([
    [
      "a time",
      { due_date: "2026-03-05T10:00:00Z", recurrence_pattern: "daily" },
      "2026-03-05T10:00:00 UTC",
      "2026-03-05T10:00:00.000Z UTC",
    ],
    ["a day", { due_on: "2026-03-05", recurrence_pattern: "daily" }, "2026-03-05 UTC", "2026-03-05 UTC"],
    [
      "a time in a zone",
      { due_date: "2026-03-05T10:00", due_tz: "Asia/Tokyo", recurrence_pattern: "daily" },
      "2026-03-05T10:00:00 Asia/Tokyo",
      "2026-03-05T01:00:00.000Z Asia/Tokyo",
    ],
    [
      "a zone",
      { due_tz: "Asia/Tokyo", recurrence_pattern: "daily" },
      "2026-03-01T09:00:00 Asia/Tokyo",
      "2026-03-01T00:00:00.000Z Asia/Tokyo",
    ],
    [
      "nothing but a new start",
      { recurrence_pattern: { ...daily, start: "2026-03-04T18:00" } },
      "2026-03-04T18:00:00 UTC",
      "2026-03-04T18:00:00.000Z UTC",
    ],
  ])("with a pattern that names no start is its start: %s", (_title, body, start, due) => {
    const row = patched(body);
    const pattern = JSON.parse(row.recurrence_pattern ?? "{}");
    expect([`${pattern.start} ${pattern.tz}`, dueOf(row)]).toEqual([start, due]);
  });
});
