import { describe, expect, test } from "bun:test";
import { z } from "zod";
import type { Message } from "../../../shared/messages/message.ts";
import { Problem } from "../../../shared/problem.ts";
import { taskFieldNames } from "../../../shared/tasks/task-fields.ts";
import { newTask, taskPatch } from "../../../shared/tasks/task-input.ts";
import {
  decideComplete,
  decideCreate,
  decideDelete,
  decidePatch,
  decideReopen,
  taskCreated,
} from "../../../workers/task-service/decide-task.ts";
import { decideOccurrence, decideRemoval } from "../../../workers/task-service/decide-occurrence.ts";
import { matches, readIfMatch, readIfNoneMatch } from "../../../shared/http/if-match.ts";
import { mistakesOf as mistakesOfZod } from "../../../shared/http/problem-response.ts";
import type { TaskRow } from "../../../workers/task-service/task-row.ts";

const id = "0190a000-0000-7000-8000-000000000001";
const userId = "0190a000-0000-7000-8000-00000000000a";
const made = new Date("2026-03-01T10:00:00Z");
const later = new Date("2026-03-02T10:00:00Z");

const zone = "UTC";
const create = (body: object) =>
  decideCreate(newTask.parse({ title: "milk", ...body }), { id, userId, now: made, zone });
const open = create({});
const completed: TaskRow = { ...open, status: "completed", completed_at: made, version: 2 };
const template = create({ recurrence_pattern: { rrule: "FREQ=DAILY", tz: "Europe/Berlin" } });
const occurrenceRow: TaskRow = { ...open, template_id: template.id, recurrence_id: "2026-03-02T11:00:00" };
const mondays = {
  recurrence_pattern: { rrule: "FREQ=WEEKLY;BYDAY=MO", tz: "Europe/Berlin", start: "2030-01-05T09:00" },
};
const patch = (row: TaskRow, body: object) => decidePatch(taskPatch.parse(body), zone)(row, later);

function fieldsOf(event: Message | null): unknown {
  if (event?.type !== "TaskUpdated") return event;
  expect(taskFieldNames).toEqual(expect.arrayContaining(Object.keys(event.data.updated_fields)));
  return event.data.updated_fields;
}

function mistakesOf(work: () => unknown): readonly string[] | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof z.ZodError) return error.issues.map(({ path }) => `/${path.join("/")}`);
    if (error instanceof Problem) return error.extra.mistakes?.map(({ path }) => path);
    if (error instanceof z.ZodError) return mistakesOfZod(error, "body").map(({ path }) => path);
    throw error;
  }
  return undefined;
}

describe("making", () => {
  test("a task begins open, at version 1, told with all it has", () => {
    expect(open).toMatchObject({ status: "open", version: 1, tags: [], is_recurring_template: false, due_date: null });
    expect(taskCreated(template)).toMatchObject({
      type: "TaskCreated",
      key: id,
      subject: id,
      sequence: 1,
      data: { is_recurring_template: true, recurrence_pattern: template.recurrence_pattern, created_at: made },
    });
  });

  test.each<[string, object, object]>([
    [
      "now, in UTC, where nothing is said",
      { recurrence_pattern: "daily" },
      { tz: "UTC", start: "2026-03-01T10:00:00" },
    ],
    [
      "the due date on the clocks of its zone",
      { recurrence_pattern: { rrule: "FREQ=DAILY", tz: "Europe/Berlin" }, due_date: "2026-07-01T08:00:00Z" },
      { tz: "Europe/Berlin", start: "2026-07-01T10:00:00" },
    ],
    [
      "what was said",
      { recurrence_pattern: { rrule: "FREQ=DAILY", start: "2026-05-01" } },
      { tz: "UTC", start: "2026-05-01" },
    ],
  ])("a template starts at %s", (_name, body, pattern) => {
    expect(JSON.parse(create(body).recurrence_pattern ?? "")).toMatchObject(pattern);
  });

  test("a pattern without any occurrence once its start is known is refused by its place", () => {
    const body = { recurrence_pattern: { rrule: "FREQ=DAILY;UNTIL=20200101T000000Z" } };
    expect(mistakesOf(() => create(body))).toEqual(["/recurrence_pattern/rrule"]);
  });

  test("the flag of a template has to agree with its pattern", () => {
    expect(create({ is_recurring_template: true, recurrence_pattern: "daily" }).is_recurring_template).toBe(true);
    expect(create({ is_recurring_template: false }).is_recurring_template).toBe(false);
    for (const body of [{ is_recurring_template: true }, { is_recurring_template: false, recurrence_pattern: "daily" }])
      expect(mistakesOf(() => create(body))).toEqual(["/is_recurring_template"]);
  });
});

describe("patching", () => {
  test.each<[string, TaskRow, object, object]>([
    ["a title", open, { title: "bread" }, { title: "bread" }],
    ["a due date", open, { due_date: "2026-04-01T00:00:00+02:00" }, { due_date: "2026-03-31T22:00:00.000Z" }],
    [
      "clearing",
      { ...open, description: "d", due_date: made, priority: "Low" },
      { description: null, due_date: null, priority: null },
      { description: null, due_date: null, priority: null },
    ],
    ["the order of tags", { ...open, tags: ["a", "b"] }, { tags: ["b", "a"] }, { tags: ["b", "a"] }],
    ["only what differs", { ...open, priority: "Low" }, { title: "milk", priority: "High" }, { priority: "High" }],
    [
      "a local time in the zone of the task",
      { ...open, due_tz: "America/New_York" },
      { due_date: "2026-07-01T09:00" },
      { due_date: "2026-07-01T13:00:00.000Z" },
    ],
    [
      "a local time in the zone that comes with it",
      { ...open, due_tz: "America/New_York" },
      { due_date: "2026-07-01T09:00", due_tz: "Asia/Tokyo" },
      { due_date: "2026-07-01T00:00:00.000Z", due_tz: "Asia/Tokyo" },
    ],
    [
      "a local time in the user's zone, where the task's is cleared",
      { ...open, due_tz: "America/New_York" },
      { due_date: "2026-07-01T09:00", due_tz: null },
      { due_date: "2026-07-01T09:00:00.000Z", due_tz: null },
    ],
    [
      "a template back to a task",
      template,
      { recurrence_pattern: null },
      { is_recurring_template: false, recurrence_pattern: null },
    ],
    [
      "the pattern an older build gave to an occurrence",
      { ...occurrenceRow, is_recurring_template: true, recurrence_pattern: template.recurrence_pattern },
      { recurrence_pattern: null },
      { is_recurring_template: false, recurrence_pattern: null },
    ],
    [
      "the same by its flag",
      template,
      { is_recurring_template: false },
      { is_recurring_template: false, recurrence_pattern: null },
    ],
  ])("%s tells exactly that", (_name, row, body, fields) => {
    const { row: next, event } = patch(row, body);
    expect(fieldsOf(event)).toEqual(fields);
    expect(event).toMatchObject({
      type: "TaskUpdated",
      key: id,
      sequence: row.version + 1,
      data: { timestamp: later },
    });
    expect([next.version, next.updated_at, next.created_at]).toEqual([row.version + 1, later, made]);
  });

  test("a task becomes a template, and its pattern keeps the start and zone it had where the new one is silent", () => {
    const first = patch({ ...open, due_date: new Date("2026-05-05T07:00:00Z") }, { recurrence_pattern: "weekly" });
    expect(fieldsOf(first.event)).toMatchObject({ is_recurring_template: true });
    expect(JSON.parse(first.row.recurrence_pattern ?? "")).toMatchObject({ start: "2026-05-05T07:00:00", tz: "UTC" });
    const kept = { rrule: "FREQ=WEEKLY", start: "2026-03-01T11:00:00", tz: "Europe/Berlin" };
    const second = patch(template, { recurrence_pattern: "weekly" });
    expect(JSON.parse(second.row.recurrence_pattern ?? "")).toMatchObject(kept);
    // A due that is said with the pattern is its start.
    const third = patch(template, { recurrence_pattern: "weekly", due_date: "2027-01-01T00:00:00Z" });
    expect(JSON.parse(third.row.recurrence_pattern ?? "")).toMatchObject({ ...kept, start: "2027-01-01T01:00:00" });
  });

  test.each<[string, TaskRow, object, readonly string[]]>([
    ["a template by its flag alone", open, { is_recurring_template: true }, ["/is_recurring_template"]],
    [
      "a flag against the pattern",
      template,
      { is_recurring_template: false, recurrence_pattern: "daily" },
      ["/is_recurring_template"],
    ],
    ["a pattern for an occurrence", occurrenceRow, { recurrence_pattern: "daily" }, ["/recurrence_pattern"]],
    ["an end of an occurrence's pattern", occurrenceRow, { recurrence_pattern: null }, ["/recurrence_pattern"]],
    ["another due than the start", open, { ...mondays, due_date: "2030-01-01T08:00:00Z" }, ["/due_date"]],
    ["another due of a template", template, { ...mondays, due_date: "2030-01-01T08:00:00Z" }, ["/due_date"]],
    ["a day beside a start at a time", open, { ...mondays, due_on: "2030-01-07" }, ["/due_on"]],
  ])("%s is refused", (_name, row, body, paths) => {
    expect(mistakesOf(() => patch(row, body))).toEqual(paths);
  });

  test("a completed task made a template is refused as things are", () => {
    const work = () => patch(completed, { recurrence_pattern: "daily" });
    expect(work).toThrow(expect.objectContaining({ code: "TASK_COMPLETED" }));
  });

  test("what is as it was is no change", () => {
    for (const row of [open, completed, template])
      expect(
        patch(row, {
          title: row.title,
          tags: row.tags,
          due_date: null,
          is_recurring_template: row.is_recurring_template,
        }),
      ).toEqual({ row, event: null });
  });
});

describe("completing, reopening, deleting", () => {
  test("each is one event at the next version, or nothing where it is so already", () => {
    expect(decideComplete(open, later)).toMatchObject({
      row: { status: "completed", completed_at: later, version: 2 },
      event: { type: "TaskCompleted", sequence: 2, data: { completed_at: later } },
    });
    expect(decideComplete(completed, later)).toEqual({ row: completed, event: null });
    const reopened = decideReopen(completed, later);
    expect(reopened.row).toMatchObject({ status: "open", completed_at: null, version: 3 });
    expect(fieldsOf(reopened.event)).toEqual({ status: "open", completed_at: null });
    expect(decideReopen(open, later)).toEqual({ row: open, event: null });
    const deleted = decideDelete(completed, later);
    expect(deleted).toMatchObject({
      row: { deleted_at: later, version: 3 },
      event: { type: "TaskDeleted", sequence: 3 },
    });
    expect(decideDelete(deleted.row, later)).toEqual({ row: deleted.row, event: null });
  });

  test("a template is not completed: its occurrences are", () => {
    expect(() => decideComplete(template, later)).toThrow(expect.objectContaining({ code: "TASK_IS_TEMPLATE" }));
  });
});

describe("occurrences", () => {
  const command = {
    occurrence_id: "0190a000-0000-7000-8000-000000000002",
    template_id: id,
    user_id: userId,
    recurrence_id: "2026-03-02T10:00:00",
    due_date: later,
    due_on: null,
    due_tz: "Europe/Berlin",
    requested_at: made,
    completed_at: null,
  };

  test("one is a task of its own with what the template has now", () => {
    const decided = decideOccurrence({ ...template, title: "newer", tags: ["a"], remind: ["PT1H"] }, command, later);
    if (typeof decided === "string") throw new Error(decided);
    expect(decided.events.map(({ type, sequence }) => [type, sequence])).toEqual([["TaskCreated", 1]]);
    expect(decided.row).toMatchObject({
      id: command.occurrence_id,
      title: "newer",
      tags: ["a"],
      remind: ["PT1H"],
      due_date: later,
      template_id: id,
      recurrence_id: command.recurrence_id,
      is_recurring_template: false,
      recurrence_pattern: null,
      version: 1,
    });
  });

  test.each<[string, TaskRow | null]>([
    ["template_missing", null],
    ["template_missing", { ...template, user_id: command.occurrence_id }],
    ["template_deleted", { ...template, deleted_at: made }],
    ["no_template", open],
  ])("none is made: %s", (why, row) => {
    expect(decideOccurrence(row, command, later)).toBe(why as never);
  });

  test("one completed ahead of its time is made and completed, each told", () => {
    const decided = decideOccurrence(template, { ...command, completed_at: made }, later);
    if (typeof decided === "string") throw new Error(decided);
    expect(decided.row).toMatchObject({ status: "completed", completed_at: made, version: 2 });
    expect(decided.events.map(({ type, sequence }) => [type, sequence])).toEqual([
      ["TaskCreated", 1],
      ["TaskCompleted", 2],
    ]);
  });

  const removal = { occurrence_id: id, template_id: template.id, user_id: userId, version: 1, requested_at: made };
  const untouched: TaskRow = { ...open, template_id: template.id, recurrence_id: command.recurrence_id };

  test("one nobody has touched is deleted again", () => {
    const decided = decideRemoval(untouched, removal, later);
    if (typeof decided === "string") throw new Error(decided);
    expect(decided.row).toMatchObject({ deleted_at: later, version: 2 });
    expect(decided.events.map(({ type, sequence }) => [type, sequence])).toEqual([["TaskDeleted", 2]]);
  });

  test.each<[string, TaskRow | null]>([
    ["missing", null],
    ["missing", { ...untouched, user_id: command.occurrence_id }],
    ["missing", { ...untouched, template_id: command.occurrence_id }],
    ["touched", { ...untouched, version: 2 }],
    ["touched", { ...untouched, status: "completed", completed_at: made }],
    ["touched", { ...untouched, deleted_at: made }],
  ])("none is removed: %s", (why, row) => {
    expect(decideRemoval(row, removal, later)).toBe(why as never);
  });
});

test.each<[string | undefined, boolean]>([
  [undefined, true],
  ["*", true],
  ['"3"', true],
  ['"1", "3"', true],
  ['W/"3"', false],
  ['"2"', false],
  ['"03"', false],
  ['""', false],
  ['"a,b", "3"', true],
  ['"3,4"', false],
])("If-Match %p against version 3: %p", (header, expected) => {
  expect(matches(readIfMatch(header), 3)).toBe(expected);
});

test.each(["3", "'3'", '"3', '"1",', '"1" "3"', "", "* , *"])("If-Match %p is refused", (header) => {
  expect(mistakesOf(() => readIfMatch(header))).toEqual(["header.if-match"]);
});

test.each<[string | undefined, boolean]>([
  [undefined, false],
  ["*", true],
  ['W/"3"', true],
  ['"1", "3"', true],
  ['"4"', false],
  ['W/"a,b" , "3"', true],
  ['x"3"', false],
])("If-None-Match %p against version 3: %p", (header, expected) => {
  expect(matches(readIfNoneMatch(header), 3)).toBe(expected);
});

describe("due days, zones and reminders", () => {
  test.each<[string, object, string]>([
    ["due_tz", { due_date: "2030-01-01T10:00", due_tz: "Europe/Berlin" }, "2030-01-01T09:00:00.000Z"],
    [
      "due_tz in summer, with seconds",
      { due_date: "2030-07-01T10:00:30", due_tz: "Europe/Berlin" },
      "2030-07-01T08:00:30.000Z",
    ],
    ["the user's zone", { due_date: "2030-01-01T10:00" }, "2030-01-01T01:00:00.000Z"],
    [
      "the pattern's zone",
      { due_date: "2030-01-01T10:00", recurrence_pattern: { rrule: "FREQ=DAILY", tz: "America/New_York" } },
      "2030-01-01T15:00:00.000Z",
    ],
    [
      "the first of two in autumn",
      { due_date: "2030-10-27T02:30", due_tz: "Europe/Berlin" },
      "2030-10-27T00:30:00.000Z",
    ],
    ["no zone, having an offset", { due_date: "2030-01-01T10:00:00+05:00" }, "2030-01-01T05:00:00.000Z"],
  ])("a local due time is meant in %s", (_name, body, due) => {
    const input = newTask.parse({ title: "milk", ...body });
    const row = decideCreate(input, { id, userId, now: made, zone: "Asia/Tokyo" });
    expect(row.due_date?.toISOString()).toBe(due);
  });

  test("without any zone, or in the hour that the clocks jump over, it is refused in a sentence", () => {
    const refused = (body: object, of: string | null) => {
      try {
        return decideCreate(newTask.parse({ title: "milk", ...body }), { id, userId, now: made, zone: of });
      } catch (error) {
        return error instanceof Problem ? error.extra.mistakes : error;
      }
    };
    expect(refused({ due_date: "2030-01-01T10:00" }, null)).toEqual([
      {
        path: "/due_date",
        message: "has no offset, and no zone is known for it: add an offset, due_tz, or a zone to your preferences",
      },
    ]);
    expect(refused({ due_date: "2030-03-31T02:30", due_tz: "Europe/Berlin" }, null)).toEqual([
      { path: "/due_date", message: "does not exist in Europe/Berlin: the clocks jump over 02:30 on that day" },
    ]);
  });

  test("a due that is the start of its pattern, or its first recurrence, goes with it", () => {
    for (const due of ["2030-01-05T09:00", "2030-01-05T08:00:00Z", "2030-01-07T09:00"])
      expect(create({ ...mondays, due_date: due }).due_date).toBeInstanceOf(Date);
    const days = { recurrence_pattern: { rrule: "FREQ=WEEKLY;BYDAY=MO", start: "2030-01-07" } };
    expect(create({ ...days, due_on: "2030-01-07" }).due_on).toBe("2030-01-07");
    expect(mistakesOf(() => create({ ...days, due_on: "2030-01-14" }))).toEqual(["/due_on"]);
    expect(mistakesOf(() => create({ ...days, due_date: "2030-01-07T00:00:00Z" }))).toEqual(["/due_date"]);
  });

  test("a pattern that names no zone is meant in the user's, and begins on the due day", () => {
    const input = newTask.parse({ title: "milk", due_on: "2026-03-05", recurrence_pattern: "daily" });
    const row = decideCreate(input, { id, userId, now: made, zone: "Asia/Tokyo" });
    expect(JSON.parse(row.recurrence_pattern ?? "")).toMatchObject({ tz: "Asia/Tokyo", start: "2026-03-05" });
    const { row: patched } = decidePatch(taskPatch.parse({ recurrence_pattern: "daily" }), "Asia/Tokyo")(open, later);
    expect(JSON.parse(patched.recurrence_pattern ?? "")).toMatchObject({ tz: "Asia/Tokyo" });
  });

  test("a due day takes the place of a due time, and the other way round", () => {
    const timed = create({ due_date: "2026-03-05T10:00:00Z" });
    const { row: allDay, event } = patch(timed, { due_on: "2026-03-06", due_tz: "europe/berlin" });
    expect(fieldsOf(event)).toEqual({ due_date: null, due_on: "2026-03-06", due_tz: "Europe/Berlin" });
    const { event: back } = patch(allDay, { due_date: "2026-03-07T10:00:00Z" });
    expect(fieldsOf(back)).toEqual({ due_date: "2026-03-07T10:00:00.000Z", due_on: null });
  });

  test("reminders are told as they are spelled, null gives the usual ones again", () => {
    const task = create({ remind: ["pt90m", "PT1H30M", "P1D@18:00"] });
    expect(task.remind).toEqual(["PT1H30M", "P1D@18:00"]);
    expect(patch(task, { remind: ["PT1H30M", "P1D@18:00"] }).event).toBeNull();
    expect(fieldsOf(patch(task, { remind: [] }).event)).toEqual({ remind: [] });
    expect(fieldsOf(patch(task, { remind: null }).event)).toEqual({ remind: null });
  });
});
