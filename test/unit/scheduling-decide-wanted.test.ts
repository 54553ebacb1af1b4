import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { TaskEvent } from "../../shared/tasks/fold-task.ts";
import {
  decideWanted,
  nothingKnown,
  type WantedState,
} from "../../workers/reminder-scheduling-worker/decide-wanted.ts";

const id = "0193a0b0-0000-7000-8000-000000000001";
const user_id = "0193a0b0-0000-7000-8000-0000000000aa";
const rules = [{ rule: "at-due", offset_ms: 0 }];
const at = (minute: number) => new Date(Date.UTC(2026, 10, 23, 9, minute));
const due = at(50);

const created = (
  version: number,
  over: { due_date?: Date | null; is_recurring_template?: boolean } = {},
): TaskEvent => ({
  type: "TaskCreated",
  subject: id,
  sequence: version,
  data: {
    id,
    user_id,
    title: "Water the plants",
    description: null,
    created_at: at(version),
    due_date: due,
    priority: null,
    tags: [],
    is_recurring_template: false,
    recurrence_pattern: null,
    template_id: null,
    recurrence_id: null,
    remind: null,
    due_on: null,
    due_tz: null,
    ...over,
  },
});
const updated = (version: number, updated_fields: Record<string, null | boolean | string>): TaskEvent => ({
  type: "TaskUpdated",
  subject: id,
  sequence: version,
  data: { id, user_id, updated_fields, timestamp: at(version) },
});
const completed = (version: number): TaskEvent => ({
  type: "TaskCompleted",
  subject: id,
  sequence: version,
  data: { id, user_id, completed_at: at(version) },
});
const deleted = (version: number): TaskEvent => ({
  type: "TaskDeleted",
  subject: id,
  sequence: version,
  data: { id, user_id, deleted_at: at(version) },
});

const run = (events: readonly TaskEvent[], from: WantedState = nothingKnown) => {
  let state = from;
  const commands = [];
  for (const event of events) {
    const decided = decideWanted(state, event, rules, at(0));
    state = decided.state;
    if (decided.command) commands.push(decided.command);
  }
  return {
    state,
    commands,
    told: commands.map(({ due_date, rules: wanted }) => (wanted.length > 0 ? due_date : null)),
  };
};

describe("what is asked for", () => {
  const moved = at(55);
  test.each<[string, readonly TaskEvent[], readonly (Date | null)[]]>([
    ["a task with a due date wants its reminders", [created(1)], [due]],
    ["a task without one wants nothing", [created(1, { due_date: null })], []],
    ["a template wants nothing", [created(1, { is_recurring_template: true })], []],
    ["a new title changes nothing", [created(1), updated(2, { title: "x" })], [due]],
    ["a moved due date is told", [created(1), updated(2, { due_date: moved.toISOString() })], [due, moved]],
    ["a cleared one as well", [created(1), updated(2, { due_date: null })], [due, null]],
    [
      "a due date set later counts",
      [created(1, { due_date: null }), updated(2, { due_date: moved.toISOString() })],
      [moved],
    ],
    ["completing ends it", [created(1), completed(2)], [due, null]],
    [
      "reopening begins anew",
      [created(1), completed(2), updated(3, { status: "open", completed_at: null })],
      [due, null, due],
    ],
    ["deleting ends it", [created(1), deleted(2)], [due, null]],
    ["restoring begins anew", [created(1), deleted(2), updated(3, { deleted_at: null })], [due, null, due]],
    ["becoming a template ends it", [created(1), updated(2, { is_recurring_template: true })], [due, null]],
    ["completing before the creation is heard leaves nothing to want", [completed(2), created(1)], []],
    [
      "the same instant in another spelling is no change",
      [created(1), updated(2, { due_date: "2026-11-23T10:50:00+01:00" })],
      [due],
    ],
  ])("%s", (_title, events, told) => {
    expect(run(events).told).toEqual([...told]);
  });
});

test("a command carries each field with the version and time that set it", () => {
  const { commands, state } = run([created(1), updated(3, { due_date: at(55).toISOString() }), completed(4)]);
  expect(state.commands).toBe(3);
  expect(commands[2]).toEqual({
    task_id: id,
    user_id,
    due_date: at(55),
    due_version: 3,
    due_time: at(3),
    status: "completed",
    status_version: 4,
    status_time: at(4),
    deleted: false,
    deleted_version: 1,
    deleted_time: at(1),
    title: "Water the plants",
    is_template: false,
    rules: [],
    requested_at: at(0),
  });
});

test("replaying every event on the final state, stored as jsonb in between, changes nothing", () => {
  const events = [created(1), updated(2, { due_date: at(55).toISOString() }), completed(3)];
  const { state } = run(events);
  const stored: WantedState = { ...state, folded: JSON.parse(JSON.stringify(reversedKeys(state.folded))) };
  for (const event of events) {
    const again = decideWanted(stored, event, rules, at(0));
    expect(again).toEqual({ state: stored, command: null });
    expect(again.state).toBe(stored);
  }
});

test("any order and repetition of a task's events ends in the same wanted state, told by the last command", () => {
  const events = [
    created(1),
    updated(2, { due_date: at(55).toISOString() }),
    completed(3),
    updated(4, { status: "open", completed_at: null }),
    updated(5, { due_date: at(58).toISOString(), title: "b" }),
    deleted(6),
    updated(7, { deleted_at: null }),
  ];
  const inOrder = run(events).state;
  const heard = fc
    .shuffledSubarray(events, { minLength: events.length })
    .chain((order) => fc.shuffledSubarray(events).map((again) => [...order, ...again]));
  fc.assert(
    fc.property(heard, (order) => {
      const { state, told } = run(order);
      expect(state.folded).toEqual(inOrder.folded);
      expect(state.wanted).toBe(inOrder.wanted);
      expect(told.at(-1)).toEqual(at(58));
    }),
  );
});

/** What jsonb does to an object: its keys come back in another order. */
function reversedKeys(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, below]) => [key, reversedKeys(below)] as const)
      .toReversed(),
  );
}
