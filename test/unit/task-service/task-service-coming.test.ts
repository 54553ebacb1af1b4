import { describe, expect, test } from "bun:test";
import { defaultPreferences } from "../../../shared/preferences/preferences.ts";
import type { CreateOccurrence, TaskCreated } from "../../../shared/messages/records.ts";
import { ruleReminderId } from "../../../shared/reminders/rule-reminder-id.ts";
import type { ReminderChoices } from "../../../shared/reminders/resolve-reminders.ts";
import type { TaskEvent } from "../../../shared/tasks/task-event.ts";
import { newTask } from "../../../shared/tasks/task-input.ts";
import { foldSeries } from "../../../workers/recurring-task-worker/fold-series.ts";
import { decideWanted, nothingKnown } from "../../../workers/reminder-scheduling-worker/decide-wanted.ts";
import { decideReminders } from "../../../workers/reminder-service/decide-reminders.ts";
import { foldGuard, type GuardMessage } from "../../../workers/reminder-service/guard.ts";
import { decideComing, decideUnset } from "../../../workers/task-service/decide-coming.ts";
import { decideOccurrence } from "../../../workers/task-service/decide-occurrence.ts";
import { decideCreate, taskCreated } from "../../../workers/task-service/decide-task.ts";
import type { TaskRow } from "../../../workers/task-service/task-row.ts";

const id = "0193a0b0-0000-7000-8000-000000000001";
const userId = "0193a0b0-0000-7000-8000-0000000000aa";
const now = new Date("2026-06-01T12:00:00.000Z");
const usual: ReminderChoices = defaultPreferences;
const berlin: ReminderChoices = { tz: "Europe/Berlin", all_day_at: "08:00", default_reminders: ["PT0S", "P1D@18:00"] };

const make = (body: object) => decideCreate(newTask.parse({ title: "a", ...body }), { id, userId, now, zone: null });
const come = (body: object, choices = usual) => decideComing(make(body), choices);

describe("the answer to a create tells the reminders that will come, and those that will not", () => {
  const told = (body: object, choices = usual) => {
    const { reminders, unset_reminders: unset } = come(body, choices);
    return {
      set: reminders.map(({ rule, remind_at }) => `${rule} ${remind_at}`),
      unset: unset.map(({ rule, remind_at, reason }) => `${rule} ${remind_at} ${reason}`),
    };
  };
  test.each([
    ["no due and no rules", {}, usual, [], []],
    [
      "rules without a due",
      { remind: ["PT60M", "P1D@18:00"] },
      usual,
      [],
      ["PT1H null no_due", "P1D@18:00 null no_due"],
    ],
    ["the usual ones", { due_date: "2026-06-02T12:00:00Z" }, usual, ["PT0S 2026-06-02T12:00:00.000Z"], []],
    [
      "two that come to one time",
      { due_date: "2026-06-05T16:00:00Z", remind: ["PT24H", "P1D", "P7D", "P1W", "PT60M", "PT1H", "P1D@18:00"] },
      berlin,
      ["P1D 2026-06-04T16:00:00.000Z", "PT1H 2026-06-05T15:00:00.000Z"],
      [
        "P7D 2026-05-29T16:00:00.000Z past",
        "P1D@18:00 2026-06-04T16:00:00.000Z same_time",
        "PT24H 2026-06-04T16:00:00.000Z same_time",
      ],
    ],
    [
      "two that part where the clocks change",
      { due_date: "2026-10-25T11:00:00Z", remind: ["PT24H", "P1D"] },
      berlin,
      ["P1D 2026-10-24T10:00:00.000Z", "PT24H 2026-10-24T11:00:00.000Z"],
      [],
    ],
    ["none", { due_date: "2026-06-02T12:00:00Z", remind: [] }, usual, [], []],
    [
      "one of two is past",
      { due_date: "2026-06-01T12:00:30Z", remind: ["PT1H", "PT0S"] },
      usual,
      ["PT0S 2026-06-01T12:00:30.000Z"],
      ["PT1H 2026-06-01T11:00:30.000Z past"],
    ],
    ["this very moment", { due_date: "2026-06-01T12:00:00Z" }, usual, [], ["PT0S 2026-06-01T12:00:00.000Z past"]],
    ["a due in the past", { due_date: "2001-01-01T00:00:00Z" }, usual, [], ["PT0S 2001-01-01T00:00:00.000Z past"]],
    [
      "a whole day, on the user's clocks",
      { due_on: "2026-06-03" },
      berlin,
      ["P1D@18:00 2026-06-02T16:00:00.000Z", "PT0S 2026-06-03T06:00:00.000Z"],
      [],
    ],
    [
      "a whole day, on the task's clocks",
      { due_on: "2026-06-03", due_tz: "Asia/Tokyo" },
      berlin,
      ["P1D@18:00 2026-06-02T09:00:00.000Z", "PT0S 2026-06-02T23:00:00.000Z"],
      [],
    ],
    [
      "those of a template are its first occurrence's",
      {
        recurrence_pattern: { rrule: "FREQ=DAILY", tz: "Europe/Berlin", start: "2026-06-01T14:30" },
        remind: ["PT0S", "PT1H"],
      },
      usual,
      ["PT0S 2026-06-01T12:30:00.000Z"],
      ["PT1H 2026-06-01T11:30:00.000Z past"],
    ],
  ] as const)("%s", (_what, body, choices, set, unset) => {
    expect(told(body, choices)).toEqual({ set: [...set], unset: [...unset] });
  });

  test("a plain task has no first occurrence, and its reminders have the ids of task and rule", () => {
    const { first_occurrence, reminders } = come({ due_date: "2026-06-02T12:00:00Z" });
    expect([first_occurrence, reminders[0]?.id]).toEqual([null, ruleReminderId(id, "PT0S")]);
  });
});

describe("the answer to a change tells the rules that make no reminder", () => {
  const due_date = new Date("2026-06-03T12:00:00Z");
  const rows: readonly [string, Partial<TaskRow>, readonly string[]][] = [
    ["all come", { due_date, remind: ["PT1H", "P1D"] }, []],
    ["no due", { remind: ["PT1H"] }, ["PT1H null no_due"]],
    ["past by then", { due_date, remind: ["PT1H", "P2D"] }, ["P2D 2026-06-01T12:00:00.000Z past"]],
    ["the usual ones of a past day", { due_on: "2026-05-01" }, ["PT0S 2026-05-01T09:00:00.000Z past"]],
    ["two of one time", { due_date, remind: ["PT24H", "P1D"] }, ["PT24H 2026-06-02T12:00:00.000Z same_time"]],
    [
      "completed",
      { due_date, remind: ["PT1H", "P2D"], status: "completed" },
      ["PT1H 2026-06-03T11:00:00.000Z completed", "P2D 2026-06-01T12:00:00.000Z completed"],
    ],
    ["a template", { due_date, remind: ["P2D"], is_recurring_template: true }, []],
  ];
  test.each(rows)("%s", (_what, over, expected) => {
    const unset = decideUnset({ ...make({}), ...over }, usual);
    expect(unset.map(({ rule, remind_at, reason }) => `${rule} ${remind_at} ${reason}`)).toEqual([...expected]);
  });
});

/** What the other roles make of it, one after the other, of the events and commands alone. */
function hear(row: TaskRow, choices: ReminderChoices) {
  const { answers } = foldSeries([eventOf(row)], { tasks: new Map([[row.id, null]]), series: new Map() });
  const [asked] = answers.flat().filter(({ type }) => type === "CreateOccurrence");
  const command = asked === undefined ? null : (asked.data as CreateOccurrence);
  const decided = command === null ? null : decideOccurrence({ ...row, deleted_at: null }, command, now);
  if (typeof decided === "string") throw new Error(decided);
  const task = row.is_recurring_template ? (decided?.row ?? null) : row;
  return {
    first_occurrence:
      command === null
        ? null
        : {
            id: command.occurrence_id,
            recurrence_id: command.recurrence_id,
            due_date: command.due_date?.toISOString() ?? null,
            due_on: command.due_on,
          },
    reminders: task === null ? [] : remindersOf(task, choices),
  };
}

function remindersOf(task: TaskRow, choices: ReminderChoices) {
  const event = eventOf(task);
  const { command } = decideWanted(nothingKnown, event, choices);
  const heard = [event, ...(command === null ? [] : [{ type: "SetTaskReminders", sequence: 1, data: command }])];
  const guard = heard.reduce((before, message) => foldGuard(before, message as unknown as GuardMessage), {
    taskId: task.id,
    userId,
    fields: {},
  });
  return decideReminders(guard, [])
    .flatMap((change) => (change.change === "schedule" ? [change] : []))
    .map((change) => ({ id: change.id, rule: change.rule ?? "", remind_at: change.remindAt.toISOString() }))
    .toSorted((a, b) => a.remind_at.localeCompare(b.remind_at));
}

function eventOf(row: TaskRow): TaskEvent {
  return { type: "TaskCreated", subject: row.id, sequence: 1, data: taskCreated(row).data as TaskCreated };
}

describe("what the answer tells is what the other roles make", () => {
  const daily = { rrule: "FREQ=DAILY", tz: "Europe/Berlin" };
  test.each([
    {},
    { remind: ["PT1H"] },
    { due_date: "2026-06-02T12:00:00Z", remind: ["PT0S", "P1D", "PT15M"] },
    { due_date: "2026-06-01T12:30:00Z", remind: ["PT0S", "PT1H"] },
    { due_date: "2026-06-02T12:00:00Z", due_tz: "Asia/Tokyo", remind: ["P1D@18:00", "P0D@07:00"] },
    { due_date: "2001-01-01T00:00:00Z" },
    { due_date: "2026-06-05T16:00:00Z", remind: ["PT24H", "P1D", "P1D@18:00"] },
    { due_on: "2026-06-03" },
    { due_on: "2026-10-26", due_tz: "Europe/Berlin", remind: ["P1D", "P1D@02:30"] },
    { recurrence_pattern: "weekly" },
    { recurrence_pattern: "daily", due_on: "2026-06-05" },
    { recurrence_pattern: "daily", due_date: "2020-01-01T09:00:00Z" },
    { recurrence_pattern: { ...daily, start: "2026-06-10T09:00" } },
    { recurrence_pattern: { ...daily, start: "2026-05-10T09:00" } },
    { recurrence_pattern: { ...daily, start: "2026-05-10T09:00", catch_up: "all" } },
    { recurrence_pattern: { ...daily, start: "2026-05-10T09:00", catch_up: "none" } },
    { recurrence_pattern: { ...daily, start: "2026-05-10T00:00", rrule: "FREQ=DAILY;BYHOUR=7" } },
    { recurrence_pattern: { ...daily, start: "2026-06-10", exdate: ["2026-06-10", "2026-06-11"] } },
    { recurrence_pattern: { ...daily, start: "2020-01-01T09:00", rrule: "FREQ=DAILY;COUNT=3", catch_up: "none" } },
    {
      recurrence_pattern: { ...daily, start: "2026-01-31T09:00", rrule: "FREQ=MONTHLY", month_end: "clamp" },
      remind: ["P1D"],
    },
    { recurrence_pattern: { ...daily, start: "2026-05-10T09:00", anchor: "completion", max_open: 3 } },
  ])("%j", (body) => {
    for (const choices of [usual, berlin]) {
      const row = make(body);
      const { unset_reminders: _unset, ...coming } = decideComing(row, choices);
      expect(coming).toEqual(hear(row, choices));
    }
  });
});
