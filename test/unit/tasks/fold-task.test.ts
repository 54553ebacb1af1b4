import { describe, expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import { foldFields, type FoldedFields } from "../../../shared/tasks/fold-fields.ts";
import { fieldValue } from "../../../shared/tasks/fold-fields.ts";
import { foldTask, isCreated, type FoldedTask } from "../../../shared/tasks/fold-task.ts";
import type { TaskEvent } from "../../../shared/tasks/task-event.ts";
import { taskView } from "../../../shared/tasks/task-view.ts";
import { taskCreated } from "../../support/task-created.ts";

const id = "0192f0a0-0000-7000-8000-000000000001";
const user_id = "0192f0a0-0000-7000-8000-00000000000a";
const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 9, minute));

const created = (sequence: number, title = "Buy milk"): TaskEvent => ({
  type: "TaskCreated",
  subject: id,
  sequence,
  data: taskCreated({
    id,
    user_id,
    title,
    created_at: at(sequence),
    due_date: at(50),
    priority: "Medium",
    tags: ["home"],
  }),
});
const updated = (
  sequence: number,
  updated_fields: Extract<TaskEvent, { type: "TaskUpdated" }>["data"]["updated_fields"],
): TaskEvent => ({
  type: "TaskUpdated",
  subject: id,
  sequence,
  data: { id, user_id, updated_fields, timestamp: at(sequence) },
});
const completed = (sequence: number): TaskEvent => ({
  type: "TaskCompleted",
  subject: id,
  sequence,
  data: { id, user_id, completed_at: at(sequence) },
});
const deleted = (sequence: number): TaskEvent => ({
  type: "TaskDeleted",
  subject: id,
  sequence,
  data: { id, user_id, deleted_at: at(sequence) },
});
const reopened = (sequence: number) => updated(sequence, { status: "open", completed_at: null });
const restored = (sequence: number) => updated(sequence, { deleted_at: null });

function fold(events: readonly TaskEvent[]): FoldedTask {
  const state = events.reduce<FoldedTask | null>(foldTask, null);
  if (state === null) throw new Error("no events");
  return state;
}

function permutations<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length < 2) return [items];
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}

describe("the life of one task", () => {
  const life = [
    created(1),
    updated(2, { title: "Buy oat milk", due_date: "2026-02-01T10:00:00Z" }),
    completed(3),
    reopened(4),
    deleted(5),
    restored(6),
  ];

  test("all 720 orders of create, update, complete, reopen, delete and restore give one view", () => {
    const expected = fold(life);
    for (const order of permutations(life)) expect(fold(order)).toEqual(expected);
    expect(taskView(expected)).toMatchObject({
      title: "Buy oat milk",
      due_date: "2026-02-01T10:00:00.000Z",
      status: "open",
      completed_at: null,
      deleted_at: null,
      version: 6,
      updated_at: at(6).toISOString(),
    });
  });

  test("created arriving last fills what nobody has set since and revives nothing", () => {
    const late = fold([updated(2, { title: "new" }), completed(3), deleted(4), created(1, "old")]);
    expect(taskView(late)).toMatchObject({
      title: "new",
      tags: ["home"],
      status: "completed",
      deleted_at: at(4).toISOString(),
      version: 4,
    });
    expect(isCreated(late)).toBeTrue();
    expect(isCreated(fold(life.slice(1)))).toBeFalse();
  });

  test("each field remembers the version and the time that set it", () => {
    const { fields } = fold(life);
    expect(fields["due_date"]).toEqual({ value: "2026-02-01T10:00:00.000Z", version: 2, time: at(2).getTime() });
    expect(fields["status"]).toEqual({ value: "open", version: 4, time: at(4).getTime() });
    expect(fields["tags"]).toEqual({ value: ["home"], version: 1, time: at(1).getTime() });
  });

  test("a duplicate gives back the very same object", () => {
    const state = fold(life);
    for (const event of life) expect(foldTask(state, event)).toBe(state);
  });

  test("of two events that contradict each other under one version the later one counts, in whichever order they come", () => {
    const early = updated(2, { title: "A letter" });
    const late: TaskEvent = {
      type: "TaskUpdated",
      subject: id,
      sequence: 2,
      data: { id, user_id, updated_fields: { title: "A later letter" }, timestamp: at(3) },
    };
    for (const order of permutations([created(1), early, late]))
      expect(fieldValue(fold(order).fields, "title")).toBe("A later letter");
    // The text of the earlier one is the greater here.
    const earlyGreat = updated(2, { title: "Zebra" });
    for (const order of permutations([created(1), earlyGreat, late]))
      expect(fieldValue(fold(order).fields, "title")).toBe("A later letter");
  });

  test("the state survives a round trip through JSON", () => {
    const state: unknown = JSON.parse(JSON.stringify(fold(life)));
    expect(state).toEqual(fold(life));
  });
});

test("the version decides before the time does: a clock that went back makes no event older", () => {
  const set = (fields: FoldedFields, title: string, version: number, time: number) =>
    foldFields(fields, { title }, version, time);
  const first = set({}, "first", 1, 900);
  expect(first).toEqual({ title: { value: "first", version: 1, time: 900 } });
  const second = set(first, "second", 2, 100);
  expect(second["title"]).toEqual({ value: "second", version: 2, time: 100 });
  // Whichever comes first, and again.
  expect(set(set({}, "second", 2, 100), "first", 1, 900)).toEqual(second);
  expect(set(second, "first", 1, 900)).toBe(second);
  expect(set(second, "second", 2, 100)).toBe(second);
  // Under one version the time, then the text.
  expect(set(second, "later", 2, 101)["title"]?.value).toBe("later");
  expect(set(second, "earlier", 2, 99)).toBe(second);
  expect(set(second, "z", 2, 100)["title"]?.value).toBe("z");
  expect(set(second, "a", 2, 100)).toBe(second);
});

describe("what does not belong", () => {
  test("an event of another user changes nothing", () => {
    const mine = fold([created(1)]);
    const foreign = updated(2, { title: "stolen" });
    expect(foldTask(mine, { ...foreign, data: { ...foreign.data, user_id: "other" } } as TaskEvent)).toBe(mine);
  });

  test("an event of another task changes nothing", () => {
    const mine = fold([created(1)]);
    expect(foldTask(mine, { ...completed(2), subject: "another" })).toBe(mine);
  });

  test("fields of a newer build are kept, not shown, and not mistaken for anything", () => {
    const state = fold([created(1), updated(2, { colour: "red", ["__proto__"]: "x", created_at: null, toString: 1 })]);
    expect(state.fields["colour"]).toEqual({ value: "red", version: 2, time: at(2).getTime() });
    expect(Object.keys(taskView(state))).not.toContain("colour");
    expect(taskView(state).created_at).toBe(at(1).toISOString());
    expect(Object.getPrototypeOf(state.fields)).toBe(Object.prototype);
  });
});

describe("a pattern", () => {
  test.each([
    [JSON.stringify({ rrule: "FREQ=DAILY" }), { rrule: "FREQ=DAILY" }],
    [JSON.stringify("daily"), "daily"],
    ["daily", "daily"],
    [null, null],
  ])("%p is shown as %p", (recurrence_pattern, shown) => {
    expect(taskView(fold([created(1), updated(2, { recurrence_pattern })])).recurrence_pattern).toEqual(shown);
  });
});

describe("the law", () => {
  const value = fc.oneof(
    fc.constant(null),
    fc.string(),
    fc.boolean(),
    fc.integer(),
    fc.array(fc.string(), { maxLength: 3 }),
  );
  const names = [
    "title",
    "description",
    "due_date",
    "tags",
    "status",
    "completed_at",
    "deleted_at",
    "colour",
    "__proto__",
  ];
  const fields = fc
    .uniqueArray(fc.tuple(fc.constantFrom(...names), value), { maxLength: 4, selector: ([name]) => name })
    .map((entries) => Object.fromEntries(entries));
  const event = fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 4 }), fields, fc.string())
    .map(([sequence, kind, set, title]): TaskEvent => {
      if (kind === 0) return created(sequence, title);
      if (kind === 1) return completed(sequence);
      if (kind === 2) return deleted(sequence);
      return updated(sequence, set);
    });

  test("any order and any repetition of any events gives the same state", () => {
    fc.assert(
      fc.property(
        fc.array(event, { minLength: 1, maxLength: 12 }).chain((events) =>
          fc.tuple(
            fc.constant(events),
            fc.array(fc.nat(events.length - 1), { maxLength: 8 }).chain((again) =>
              fc.shuffledSubarray([...events.keys(), ...again], {
                minLength: events.length + again.length,
                maxLength: events.length + again.length,
              }),
            ),
          ),
        ),
        ([events, order]) => {
          const shuffled = order.map((i) => events[i]).filter((found) => found !== undefined);
          expect(fold(shuffled)).toEqual(fold(events));
          expect(taskView(fold(shuffled))).toEqual(taskView(fold(events)));
        },
      ),
      { numRuns: 500 },
    );
  });
});
