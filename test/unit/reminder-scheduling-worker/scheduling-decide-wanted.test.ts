import { describe, expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import type { ReceivedOf } from "../../../shared/messages/message.ts";
import type { ReminderChoices } from "../../../shared/reminders/resolve-reminders.ts";
import type { TaskEvent } from "../../../shared/tasks/task-event.ts";
import {
  decideWanted,
  nothingKnown,
  redecideWanted,
  type WantedState,
} from "../../../workers/reminder-scheduling-worker/decide-wanted.ts";
import { taskCreated } from "../../support/task-created.ts";

const id = "0193a0b0-0000-7000-8000-000000000001";
const user_id = "0193a0b0-0000-7000-8000-0000000000aa";
const choices: ReminderChoices = { tz: "UTC", all_day_at: "09:00", default_reminders: ["PT0S"] };
const at = (minute: number) => new Date(Date.UTC(2026, 10, 23, 9, minute));
const due = at(50);

const created = (version: number, over: Partial<ReceivedOf<"TaskCreated">["data"]> = {}): TaskEvent => ({
  type: "TaskCreated",
  subject: id,
  sequence: version,
  data: taskCreated({
    id,
    user_id,
    title: "Water the plants",
    created_at: at(version),
    due_date: due,
    ...over,
  }),
});
const updated = (
  version: number,
  updated_fields: Record<string, null | boolean | string | readonly string[]>,
): TaskEvent => ({
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
    const decided = decideWanted(state, event, choices);
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
      "the same instant set anew is told with its new version, which the reader compares",
      [created(1), updated(2, { due_date: "2026-11-23T10:50:00+01:00" })],
      [due, due],
    ],
  ])("%s", (_title, events, told) => {
    expect(run(events).told).toEqual([...told]);
  });

  test("a new title does not ask for what the user's choices have come to want: that is told as of their change", () => {
    const before = run([created(1)]).state;
    const wider: ReminderChoices = { ...choices, default_reminders: ["PT0S", "PT1H"] };
    const titled = decideWanted(before, updated(2, { title: "x" }), wider);
    expect([titled.command, titled.state.wanted]).toEqual([null, before.wanted]);
    const { command } = redecideWanted(titled.state, wider, at(45));
    expect([command?.rules.length, command?.requested_at]).toEqual([2, at(45)]);
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
    requested_at: at(4),
  });
});

test("replaying every event on the final state, stored as jsonb in between, changes nothing", () => {
  const events = [created(1), updated(2, { due_date: at(55).toISOString() }), completed(3)];
  const { state } = run(events);
  const stored: WantedState = { ...state, folded: JSON.parse(JSON.stringify(reversedKeys(state.folded))) };
  for (const event of events) {
    const again = decideWanted(stored, event, choices);
    expect(again).toEqual({ state: stored, command: null });
    expect(again.state).toBe(stored);
  }
});

describe("whose reminders, and when", () => {
  const rulesOf = (events: readonly TaskEvent[], of: Partial<ReminderChoices> = {}) => {
    let state = nothingKnown;
    let last = null;
    for (const event of events) {
      const decided = decideWanted(state, event, { ...choices, ...of });
      state = decided.state;
      last = decided.command ?? last;
    }
    const due = last?.due_date ?? null;
    return {
      due: due?.toISOString() ?? null,
      at: last?.rules.map(({ rule, offset_ms }) => [rule, new Date((due?.getTime() ?? 0) + offset_ms).toISOString()]),
    };
  };
  const usual = { tz: "Europe/Berlin", default_reminders: ["PT1H", "P1D@18:00"] };

  test("a task that says nothing gets the user's usual ones, on the user's clocks", () => {
    expect(rulesOf([created(1)], usual)).toEqual({
      due: "2026-11-23T09:50:00.000Z",
      at: [
        ["P1D@18:00", "2026-11-22T17:00:00.000Z"],
        ["PT1H", "2026-11-23T08:50:00.000Z"],
      ],
    });
  });

  test("a task's own take their place, none at all included, and null gives them back", () => {
    const own = created(1, { remind: ["PT15M"] });
    expect(rulesOf([own], usual).at).toEqual([["PT15M", "2026-11-23T09:35:00.000Z"]]);
    expect(rulesOf([own, updated(2, { remind: [] })], usual).at).toEqual([]);
    expect(rulesOf([own, updated(2, { remind: null })], usual).at?.map(([rule]) => rule)).toEqual([
      "P1D@18:00",
      "PT1H",
    ]);
  });

  test("a task's own zone goes before the user's", () => {
    const evening = { remind: ["P1D@18:00"], due_tz: "America/New_York" };
    expect(rulesOf([created(1, evening)], usual).at).toEqual([["P1D@18:00", "2026-11-22T23:00:00.000Z"]]);
  });

  test("18:00 on the day itself lies after the hour at which a whole day counts as due", () => {
    const day = created(1, { due_date: null, due_on: "2026-11-23", remind: ["P0D@18:00", "PT0S"] });
    expect(rulesOf([day], { tz: "Europe/Berlin" })).toEqual({
      due: "2026-11-23T08:00:00.000Z",
      at: [
        ["P0D@18:00", "2026-11-23T17:00:00.000Z"],
        ["PT0S", "2026-11-23T08:00:00.000Z"],
      ],
    });
  });

  test("rules and zones of a newer build are left out", () => {
    const newer = created(1, { remind: ["PT15M", "P1M"], due_tz: "Moon/Tranquility" });
    expect(rulesOf([newer], usual).at).toEqual([["PT15M", "2026-11-23T09:35:00.000Z"]]);
  });

  // At 09:00 on the wall clock of that day, in that zone: the day is never another.
  test.each([
    ["Pacific/Auckland", "2026-04-05", "2026-04-04T21:00:00.000Z", "the day the clocks go back"],
    ["Pacific/Auckland", "2026-09-27", "2026-09-26T20:00:00.000Z", "the day they go forward"],
    ["Pacific/Auckland", "2026-12-31", "2026-12-30T20:00:00.000Z", "summer"],
    ["Pacific/Honolulu", "2026-12-31", "2026-12-31T19:00:00.000Z", "no summer time, ten hours behind"],
    ["Pacific/Kiritimati", "2026-01-01", "2025-12-31T19:00:00.000Z", "fourteen hours ahead"],
    ["Europe/Berlin", "2026-03-29", "2026-03-29T07:00:00.000Z", "the day the clocks go forward"],
    ["Europe/Berlin", "2026-10-25", "2026-10-25T08:00:00.000Z", "the day they go back"],
    ["America/Sao_Paulo", "2018-11-04", "2018-11-04T11:00:00.000Z", "a day that began at 01:00"],
    ["Australia/Lord_Howe", "2026-04-05", "2026-04-04T22:30:00.000Z", "half an hour back"],
    ["UTC", "2024-02-29", "2024-02-29T09:00:00.000Z", "a leap day"],
  ])("in %s the whole day %s is due at %s: %s", (tz, due_on, due) => {
    const day = created(1, { due_date: null, due_on });
    expect(rulesOf([day], { tz })).toEqual({ due, at: [["PT0S", due]] });
    const zoned = created(1, { due_date: null, due_on, due_tz: tz });
    expect(rulesOf([zoned], { tz: "America/New_York" }).due).toBe(due);
    const local = (instant: string) => Temporal.Instant.from(instant).toZonedDateTimeISO(tz);
    expect(local(due).toPlainDateTime().toString({ smallestUnit: "minute" })).toBe(`${due_on}T09:00`);
    const dayBefore =
      rulesOf([created(1, { due_date: null, due_on, remind: ["P1D@18:00"] })], { tz }).at?.[0]?.[1] ?? "";
    expect(local(dayBefore).toPlainTime().toString({ smallestUnit: "minute" })).toBe("18:00");
    expect(Temporal.PlainDate.compare(local(dayBefore).toPlainDate(), Temporal.PlainDate.from(due_on))).toBe(-1);
  });
});

describe("when the user's choices change", () => {
  const moveTo = (tz: string, ...events: readonly TaskEvent[]) => {
    const { state } = run(events);
    const { command } = redecideWanted(state, { ...choices, tz }, at(59));
    return command?.due_date?.toISOString() ?? null;
  };
  const day = { due_date: null, due_on: "2026-12-31" };

  test("another zone moves a whole day without a zone, asked for at that time", () => {
    expect(moveTo("Pacific/Auckland", created(1, day))).toBe("2026-12-30T20:00:00.000Z");
    const { command } = redecideWanted(run([created(1, day)]).state, { ...choices, tz: "Asia/Tokyo" }, at(59));
    expect(command?.requested_at).toEqual(at(59));
  });

  test("and leaves one with a zone of its own, one due at an instant, and one that is done", () => {
    expect(moveTo("Pacific/Auckland", created(1, { ...day, due_tz: "Europe/Berlin" }))).toBeNull();
    expect(moveTo("Pacific/Auckland", created(1))).toBeNull();
    expect(moveTo("Pacific/Auckland", created(1, day), completed(2))).toBeNull();
  });

  test("another zone moves a reminder at a time of day before an instant", () => {
    const { state } = run([created(1, { remind: ["P1D@18:00"] })]);
    const [before, after] = ["UTC", "Asia/Tokyo"].map(
      (tz) => redecideWanted({ ...state, wanted: null }, { ...choices, tz }, at(59)).command?.rules[0]?.offset_ms,
    );
    expect((before ?? 0) - (after ?? 0)).toBe(9 * 3_600_000);
  });

  test("deciding again by the same choices asks for nothing and keeps the state", () => {
    const { state } = run([created(1, day), updated(2, { remind: ["PT15M"] })]);
    const again = redecideWanted(state, choices, at(59));
    expect(again.command).toBeNull();
    expect(again.state).toBe(state);
  });
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
