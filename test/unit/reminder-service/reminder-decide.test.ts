import { ruleReminderId } from "../../../shared/reminders/rule-reminder-id.ts";
import { describe, expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import { applyChanges, dismissed } from "../../../workers/reminder-service/apply-changes.ts";
import { decideReminders, ownReminderId, wantedInstant } from "../../../workers/reminder-service/decide-reminders.ts";
import { foldGuard, taskState, type GuardRow, type GuardMessage } from "../../../workers/reminder-service/guard.ts";
import type { Reminder } from "../../../workers/reminder-service/reminder.ts";
import {
  command,
  created,
  otherUserId,
  taskId,
  updated,
  userId,
  completed,
  deleted,
} from "../../support/guard-messages.ts";

const atDue = ruleReminderId(taskId, "PT0S");
const own = ownReminderId(taskId, new Date(900));
const now = new Date(5);
const atDueRule = { rule: "PT0S", offset_ms: 0 };

const numRuns = process.env["LONG_TESTS"] === "1" ? 2_000 : 300;

type World = Readonly<{ guard: GuardRow; reminders: readonly Reminder[] }>;
const empty: World = { guard: { taskId, userId, fields: {} }, reminders: [] };

/** What the handler does with one message, without the database. */
function step({ guard, reminders }: World, message: GuardMessage): World {
  const folded = foldGuard(guard, message);
  if (folded === guard) return { guard, reminders };
  return settle({ guard: folded, reminders });
}

function settle({ guard, reminders }: World): World {
  const { reminders: changed } = applyChanges(guard, reminders, decideReminders(guard, reminders), now);
  const kept = reminders.filter(({ id }) => !changed.some((row) => row.id === id));
  return { guard, reminders: [...kept, ...changed] };
}

const after = (...messages: GuardMessage[]) => messages.reduce(step, empty);
const byUser = (world: World, id: string): World => ({
  ...world,
  reminders: world.reminders.map((row) => (row.id === id ? dismissed(row, "user", now) : row)),
});
const fired = (world: World, id: string): World => ({
  ...world,
  reminders: world.reminders.map((row) =>
    row.id === id ? { ...row, status: "triggered" as const, version: row.version + 1 } : row,
  ),
});
const withOwn = (world: World): World => {
  const change = { change: "schedule", id: own, rule: null, remindAt: new Date(900), snooze: null } as const;
  const { reminders } = applyChanges(world.guard, world.reminders, [change], now);
  return { ...world, reminders: [...world.reminders, ...reminders] };
};
/** What the service does when a person snoozes a reminder. */
const snoozed = (world: World, id: string, until: number): World => {
  const before = world.reminders.find((row) => row.id === id);
  if (before === undefined) throw new Error("there is no such reminder");
  const snooze = { from: before.snoozedFrom ?? before.remindAt, for: wantedInstant(world.guard, before) };
  const change = { change: "schedule", id, rule: before.rule, remindAt: new Date(until), snooze } as const;
  const { reminders } = applyChanges(world.guard, world.reminders, [change], now);
  return { ...world, reminders: [...world.reminders.filter((row) => row.id !== id), ...reminders] };
};
const look = (world: World) =>
  Object.fromEntries(
    world.reminders.map(({ id, status, remindAt, snoozedFrom, generation, reason }) => [
      id === atDue ? "PT0S" : id === own ? "own" : id,
      `${status}${reason === null ? "" : ` (${reason})`} @${remindAt.getTime()}${snoozedFrom === null ? "" : ` from ${snoozedFrom.getTime()}`} g${generation}`,
    ]),
  );

const wants100 = [created(1, 1, { due: 100 }), command(1, { due: [100, 1, 1], status: ["open", 1, 1] })] as const;

describe("given what is known, when a message comes, then the reminders are", () => {
  const table: readonly (readonly [given: string, when: World, then: Record<string, string>])[] = [
    ["a task with a due date and a rule", after(...wants100), { PT0S: "pending @100 g1" }],
    ["only the task, no rule yet", after(wants100[0]), {}],
    ["only the command, its events still to come", after(wants100[1]), { PT0S: "pending @100 g1" }],
    ["the same told twice", after(...wants100, ...wants100), { PT0S: "pending @100 g1" }],
    ["the due date moved", after(...wants100, updated(2, 2, { due: 200 })), { PT0S: "pending @200 g2" }],
    [
      "the due date cleared",
      after(...wants100, updated(2, 2, { due: null })),
      { PT0S: "dismissed (unscheduled) @100 g1" },
    ],
    [
      "cleared and set again to the same instant",
      after(...wants100, updated(2, 2, { due: null }), updated(3, 3, { due: 100 })),
      { PT0S: "pending @100 g2" },
    ],
    [
      "moved to what was past when it was asked for",
      after(...wants100, updated(2, 60, { due: 50 })),
      { PT0S: "dismissed (moved) @100 g1" },
    ],
    ["due in the past from the beginning", after(created(1, 50, { due: 50 }), command(1, { due: [50, 1, 50] })), {}],
    ["completed", after(...wants100, completed(2, 9)), { PT0S: "dismissed (completed) @100 g1" }],
    ["deleted", after(...wants100, deleted(2, 9)), { PT0S: "dismissed (deleted) @100 g1" }],
    ["completed before it was ever scheduled", after(wants100[0], completed(2, 9), wants100[1]), {}],
    [
      "completed and reopened",
      after(...wants100, completed(2, 9), updated(3, 10, { status: "open" })),
      { PT0S: "pending @100 g2" },
    ],
    [
      "reopened told before completed",
      after(...wants100, updated(3, 10, { status: "open" }), completed(2, 9)),
      { PT0S: "pending @100 g1" },
    ],
    [
      "reopened when the due instant was past",
      after(...wants100, completed(2, 9), updated(3, 150, { status: "open" })),
      { PT0S: "dismissed (completed) @100 g1" },
    ],
    [
      "deleted and restored",
      after(...wants100, deleted(2, 9), updated(3, 10, { deleted_at: null })),
      { PT0S: "pending @100 g2" },
    ],
    [
      "turned into a template",
      after(...wants100, updated(2, 9, { is_recurring_template: true })),
      { PT0S: "dismissed (template) @100 g1" },
    ],
    [
      "a template from the beginning",
      after(created(1, 1, { due: 100, template: true }), command(1, { due: [100, 1, 1], template: true })),
      {},
    ],
    [
      "turned back from a template",
      after(
        ...wants100,
        updated(2, 9, { is_recurring_template: true }),
        updated(3, 10, { is_recurring_template: false }),
      ),
      { PT0S: "pending @100 g2" },
    ],
    [
      "dismissed by a person and told again",
      step(byUser(after(...wants100), atDue), command(2, { due: [100, 1, 1], status: ["open", 1, 1], title: "again" })),
      { PT0S: "dismissed (user) @100 g1" },
    ],
    [
      "dismissed by a person, completed, reopened",
      [completed(2, 9), updated(3, 10, { status: "open" })].reduce(step, byUser(after(...wants100), atDue)),
      { PT0S: "dismissed (user) @100 g1" },
    ],
    [
      "dismissed by a person, then moved",
      step(byUser(after(...wants100), atDue), updated(2, 2, { due: 200 })),
      { PT0S: "pending @200 g2" },
    ],
    [
      "dismissed by a person, moved and moved back",
      [updated(2, 2, { due: 200 }), updated(3, 3, { due: 100 })].reduce(step, byUser(after(...wants100), atDue)),
      { PT0S: "dismissed (moved) @200 g2" },
    ],
    [
      "fired, then told again",
      step(fired(after(...wants100), atDue), updated(2, 120, { title: "new" })),
      { PT0S: "triggered @100 g1" },
    ],
    [
      "fired, then moved ahead",
      step(fired(after(...wants100), atDue), updated(2, 120, { due: 200 })),
      { PT0S: "pending @200 g2" },
    ],
    ["fired, then completed", step(fired(after(...wants100), atDue), completed(2, 120)), { PT0S: "triggered @100 g1" }],
    [
      "the rule taken away",
      after(...wants100, command(2, { due: [100, 1, 1], status: ["open", 1, 1], rules: [] })),
      { PT0S: "dismissed (unscheduled) @100 g1" },
    ],
    [
      "a rule added when its instant was past already",
      after(
        ...wants100,
        command(2, {
          due: [100, 1, 1],
          status: ["open", 1, 1],
          asked: 70,
          rules: [atDueRule, { rule: "before", offset_ms: -60 }],
        }),
      ),
      { PT0S: "pending @100 g1" },
    ],
    [
      "an older command after a newer one",
      after(wants100[0], command(2, { due: [100, 1, 1], rules: [] }), wants100[1]),
      {},
    ],
    [
      "one of one's own, completed",
      step(withOwn(after(wants100[0])), completed(2, 9)),
      { own: "dismissed (completed) @900 g1" },
    ],
    [
      "one of one's own, completed and reopened",
      [completed(2, 9), updated(3, 10, { status: "open" })].reduce(step, withOwn(after(wants100[0]))),
      { own: "pending @900 g2" },
    ],
    [
      "one of one's own, the due date moved",
      step(withOwn(after(wants100[0])), updated(2, 9, { due: 300 })),
      { own: "pending @900 g1" },
    ],
    [
      "a message of another user",
      after(...wants100, { ...completed(2, 9), data: { ...completed(2, 9).data, user_id: otherUserId } }),
      { PT0S: "pending @100 g1" },
    ],
    [
      "a command of another user",
      after(...wants100, command(9, { due: [500, 9, 9], user: otherUserId })),
      { PT0S: "pending @100 g1" },
    ],
  ];
  test.each(table)("%s", (_given, world, then) => expect(look(world)).toEqual(then));

  const firedAt100 = fired(after(...wants100), atDue);
  const again = (sequence: number, over: Partial<Parameters<typeof command>[1]> = {}) =>
    command(sequence, { due: [100, 1, 1], status: ["open", 1, 1], ...over });
  const snoozes: readonly (readonly [given: string, when: World, then: Record<string, string>])[] = [
    ["fired and snoozed", snoozed(firedAt100, atDue, 500), { PT0S: "pending @500 from 100 g2" }],
    ["snoozed while it waits", snoozed(after(...wants100), atDue, 500), { PT0S: "pending @500 from 100 g2" }],
    [
      "snoozed twice: it still belongs to its first time",
      snoozed(fired(snoozed(firedAt100, atDue, 500), atDue), atDue, 800),
      { PT0S: "pending @800 from 100 g3" },
    ],
    [
      "an edit of the title does not undo a snooze",
      step(snoozed(firedAt100, atDue, 500), updated(2, 120, { title: "new" })),
      { PT0S: "pending @500 from 100 g2" },
    ],
    [
      "nor does the same command, told once more",
      step(snoozed(firedAt100, atDue, 500), again(2, { title: "new" })),
      { PT0S: "pending @500 from 100 g2" },
    ],
    [
      "nor does another rule beside it",
      step(snoozed(firedAt100, atDue, 500), again(2, { rules: [atDueRule, { rule: "PT1M", offset_ms: 300 }] })),
      { PT0S: "pending @500 from 100 g2", [ruleReminderId(taskId, "PT1M")]: "pending @400 g1" },
    ],
    [
      "nor a replay of everything, in the other order",
      [...wants100, ...wants100.toReversed()].reduce(step, snoozed(firedAt100, atDue, 500)),
      { PT0S: "pending @500 from 100 g2" },
    ],
    [
      "moving the due date drops the snooze",
      step(snoozed(firedAt100, atDue, 500), updated(2, 120, { due: 200 })),
      { PT0S: "pending @200 g3" },
    ],
    [
      "moving it to what is past already drops the snooze",
      step(snoozed(firedAt100, atDue, 500), updated(2, 120, { due: 50 })),
      { PT0S: "dismissed (moved) @500 from 100 g2" },
    ],
    [
      "clearing it drops the snooze",
      step(snoozed(firedAt100, atDue, 500), updated(2, 120, { due: null })),
      { PT0S: "dismissed (unscheduled) @500 from 100 g2" },
    ],
    [
      "taking the rule away drops the snooze",
      step(snoozed(firedAt100, atDue, 500), again(2, { rules: [] })),
      { PT0S: "dismissed (unscheduled) @500 from 100 g2" },
    ],
    [
      "snoozed when the rule was gone already, having fired: an edit of the title does not undo it",
      step(snoozed(step(firedAt100, again(2, { rules: [] })), atDue, 500), updated(2, 120, { title: "new" })),
      { PT0S: "pending @500 from 100 g2" },
    ],
    [
      "snoozed when the due date was moved to the past, having fired: an edit of the title does not undo it",
      step(snoozed(step(firedAt100, updated(2, 120, { due: 50 })), atDue, 500), updated(3, 130, { title: "new" })),
      { PT0S: "pending @500 from 100 g2" },
    ],
    [
      "completing dismisses a snoozed one",
      step(snoozed(firedAt100, atDue, 500), completed(2, 120)),
      { PT0S: "dismissed (completed) @500 from 100 g2" },
    ],
    [
      "reopening brings back a snooze that is still ahead",
      [completed(2, 120), updated(3, 130, { status: "open" })].reduce(step, snoozed(firedAt100, atDue, 500)),
      { PT0S: "pending @500 from 100 g3" },
    ],
    [
      "reopening does not bring back a snooze that passed",
      [completed(2, 120), updated(3, 600, { status: "open" })].reduce(step, snoozed(firedAt100, atDue, 500)),
      { PT0S: "dismissed (completed) @500 from 100 g2" },
    ],
    [
      "a due date cleared and set again to the same instant does not bring a snooze back",
      [updated(2, 120, { due: null }), updated(3, 130, { due: 100 })].reduce(step, snoozed(firedAt100, atDue, 500)),
      { PT0S: "dismissed (unscheduled) @500 from 100 g2" },
    ],
    [
      "nor does a rule taken away and given again",
      [again(2, { rules: [] }), again(3, { asked: 130 })].reduce(step, snoozed(firedAt100, atDue, 500)),
      { PT0S: "dismissed (unscheduled) @500 from 100 g2" },
    ],
    [
      "a snooze to before its time that passed, completed and reopened: its own time is still ahead",
      [completed(2, 20), updated(3, 60, { status: "open" })].reduce(step, snoozed(after(...wants100), atDue, 50)),
      { PT0S: "pending @100 g3" },
    ],
    [
      "a snooze that fired and is told again stays fired",
      step(fired(snoozed(firedAt100, atDue, 500), atDue), updated(2, 600, { title: "new" })),
      { PT0S: "triggered @500 from 100 g2" },
    ],
    [
      "a snoozed one dismissed by a person stays so",
      [updated(2, 120, { title: "new" }), completed(3, 130), updated(4, 140, { status: "open" })].reduce(
        step,
        byUser(snoozed(firedAt100, atDue, 500), atDue),
      ),
      { PT0S: "dismissed (user) @500 from 100 g2" },
    ],
    [
      "one of one's own, snoozed, the title edited",
      step(snoozed(withOwn(after(wants100[0])), own, 1500), updated(2, 9, { title: "new" })),
      { own: "pending @1500 from 900 g2" },
    ],
    [
      "one of one's own, snoozed, the due date moved: it never followed that",
      step(snoozed(withOwn(after(wants100[0])), own, 1500), updated(2, 9, { due: 300 })),
      { own: "pending @1500 from 900 g2" },
    ],
    [
      "one of one's own, snoozed, completed and reopened after both times",
      [completed(2, 9), updated(3, 2000, { status: "open" })].reduce(
        step,
        snoozed(withOwn(after(wants100[0])), own, 1500),
      ),
      { own: "dismissed (completed) @1500 from 900 g2" },
    ],
  ];
  test.each(snoozes)("%s", (_given, world, then) => expect(look(world)).toEqual(then));

  test("a snooze tells what it was snoozed from, and dismisses what waited as snoozed", () => {
    const world = after(...wants100);
    const [before] = world.reminders;
    const snooze = { from: new Date(100), for: new Date(100) };
    const change = { change: "schedule", id: atDue, rule: "PT0S", remindAt: new Date(500), snooze } as const;
    const { messages } = applyChanges(world.guard, world.reminders, [change], now);
    expect(before?.rule).toBe("PT0S");
    expect(messages.map(({ type, sequence, data }) => [type, sequence, data])).toMatchObject([
      ["ReminderDismissed", 2, { generation: 1, reason: "snoozed" }],
      ["ReminderScheduled", 3, { generation: 2, rule: "PT0S", remind_at: new Date(500), snoozed_from: new Date(100) }],
    ]);
  });

  test("several rules, each at its offset", () => {
    const rules = [
      { rule: "PT0S", offset_ms: 0 },
      { rule: "before", offset_ms: -60 },
      { rule: "long-before", offset_ms: -99 },
    ];
    const world = after(created(1, 1, { due: 100 }), command(1, { due: [100, 1, 1], status: ["open", 1, 1], rules }));
    // 99 before due is the instant it was asked at: past.
    expect(look(world)).toEqual({ PT0S: "pending @100 g1", [ruleReminderId(taskId, "before")]: "pending @40 g1" });
  });

  test("a rescheduling tells of the generation it ends and the one it begins, with rising versions", () => {
    const world = after(...wants100);
    const guard = foldGuard(world.guard, updated(2, 2, { due: 200 }));
    const { messages } = applyChanges(guard, world.reminders, decideReminders(guard, world.reminders), now);
    expect(
      messages.map(({ type, sequence, data }) => [type, sequence, "generation" in data && data.generation]),
    ).toEqual([
      ["ReminderDismissed", 2, 1],
      ["ReminderScheduled", 3, 2],
    ]);
  });

  test("an all-day task's instant is the command's, as the event has none", () => {
    const world = after(created(1, 1, { due: null }), command(1, { due: [100, 1, 1], status: ["open", 1, 1] }));
    expect(look(world)).toEqual({ PT0S: "pending @100 g1" });
    expect(look(step(world, updated(2, 2, { due: 300 })))).toEqual({ PT0S: "pending @300 g2" });
  });

  test("a due day newer than the command has no instant until the next command says it", () => {
    const world = step(after(...wants100), updated(2, 2, { due: null, due_on: "1970-01-02" }));
    expect(look(world)).toEqual({ PT0S: "dismissed (unscheduled) @100 g1" });
    const told = command(2, { due: [86_400_000, 2, 2], status: ["open", 1, 1] });
    expect(look(step(world, told))).toEqual({ PT0S: "pending @86400000 g2" });
    const moved = step(step(world, told), updated(3, 3, { due_on: "1970-01-03" }));
    expect(look(moved)).toEqual({ PT0S: "dismissed (unscheduled) @86400000 g2" });
  });

  test("a due time that took the place of a day counts, though word of the day's end comes late", () => {
    const day = created(1, 1, { due: null, day: "1970-01-02" });
    const told = command(1, { due: [86_400_000, 1, 1], status: ["open", 1, 1] });
    expect(look(after(day, told, updated(3, 3, { due: 300 })))).toEqual({ PT0S: "pending @300 g2" });
  });

  test("a due time newer than the command moves what lies a fixed time before it at once, what is on the calendar with the next command", () => {
    const rules = [
      { rule: "PT10S", offset_ms: -10 },
      { rule: "P1D@18:00", offset_ms: -40 },
    ];
    const [before, day] = [ruleReminderId(taskId, "PT10S"), ruleReminderId(taskId, "P1D@18:00")];
    const world = after(created(1, 1, { due: 100 }), command(1, { due: [100, 1, 1], rules }));
    expect(look(world)).toEqual({ [before]: "pending @90 g1", [day]: "pending @60 g1" });
    expect(look(step(world, updated(2, 2, { due: 200 })))).toEqual({
      [before]: "pending @190 g2",
      [day]: "dismissed (unscheduled) @60 g1",
    });
  });

  test("of two commands about the same due day the later one counts, whichever comes last", () => {
    // Nothing but the user's zone has changed between them.
    const day = created(1, 1, { due: null, day: "1970-01-02" });
    const [first, second] = [command(1, { due: [900, 1, 1] }), command(2, { due: [200, 1, 1] })];
    expect(look(after(day, first, second))).toEqual({ PT0S: "pending @200 g2" });
    expect(look(after(day, second, first))).toEqual({ PT0S: "pending @200 g1" });
  });
});

/** A life of a task: what happened, as the task service and the scheduling worker would tell it. */
const life = (dueAfter: number) =>
  fc
    .array(
      fc.oneof(
        fc.record({
          what: fc.constant("due" as const),
          due: fc.option(fc.integer({ min: dueAfter, max: dueAfter + 3 })),
        }),
        fc.record({ what: fc.constant("day" as const), day: fc.option(fc.integer({ min: 1, max: 3 })) }),
        fc.record({ what: fc.constantFrom("complete", "reopen", "delete", "restore", "title", "template", "plain") }),
      ),
      { maxLength: 9 },
    )
    .map((steps) => {
      const events: GuardMessage[] = [created(1, 1, { due: dueAfter })];
      const commands: GuardMessage[] = [];
      const facts = {
        due: [dueAfter as number | null, 1, 1],
        status: ["open", 1, 1],
        deleted: [false, 1, 1],
        template: false,
      };
      let day: string | null = null;
      const ask = (version: number) => {
        const [due] = facts.due;
        const off = facts.status[0] === "completed" || facts.deleted[0] === true || facts.template || due === null;
        commands.push(
          command(version, {
            due: facts.due as [number | null, number, number],
            status: facts.status as ["open" | "completed", number, number],
            deleted: facts.deleted as [boolean, number, number],
            template: facts.template,
            ...(off ? { rules: [] } : {}),
          }),
        );
      };
      ask(1);
      steps.forEach((step, index) => {
        const version = index + 2;
        const time = version * 10;
        switch (step.what) {
          case "due":
            facts.due = [step.due, version, time];
            events.push(updated(version, time, { due: step.due, ...(day === null ? {} : { due_on: null }) }));
            day = null;
            break;
          case "day": {
            // A whole day counts as due at an instant that only the command knows.
            const due_on = step.day === null ? null : `1970-01-0${step.day}`;
            facts.due = [step.day === null ? null : dueAfter + step.day, version, time];
            events.push(updated(version, time, { ...(day === null ? { due: null } : {}), due_on }));
            day = due_on;
            break;
          }
          case "complete":
            facts.status = ["completed", version, time];
            events.push(completed(version, time));
            break;
          case "reopen":
            facts.status = ["open", version, time];
            events.push(updated(version, time, { status: "open" }));
            break;
          case "delete":
            facts.deleted = [true, version, time];
            events.push(deleted(version, time));
            break;
          case "restore":
            facts.deleted = [false, version, time];
            events.push(updated(version, time, { deleted_at: null }));
            break;
          case "title":
            events.push(updated(version, time, { title: `v${version}` }));
            break;
          default:
            facts.template = step.what === "template";
            events.push(updated(version, time, { is_recurring_template: facts.template }));
        }
        ask(version);
      });
      return [...events, ...commands];
    });

const shuffled = (dueAfter: number) =>
  life(dueAfter).chain((messages) =>
    fc.tuple(
      fc.constant(messages),
      fc.shuffledSubarray([...messages, ...messages], {
        minLength: messages.length * 2,
        maxLength: messages.length * 2,
      }),
      fc.shuffledSubarray(messages, { minLength: messages.length, maxLength: messages.length }),
    ),
  );
const pending = ({ reminders }: World) =>
  reminders
    .filter(({ status }) => status === "pending")
    .map(({ id, remindAt }) => `${id}@${remindAt.getTime()}`)
    .sort();

describe("in any order, with any repetition", () => {
  test("events and commands end with the same reminders pending", () => {
    fc.assert(
      fc.property(shuffled(10_000), ([, doubled, once]) => {
        expect(pending(after(...doubled))).toEqual(pending(after(...once)));
        expect(after(...doubled).guard).toEqual(after(...once).guard);
      }),
      { numRuns },
    );
  }, 60_000);

  test("a pending reminder is for the task's due date, and an open task's due date ahead of what asked for it is pending", () => {
    // Due dates here may be past when they are asked for, or become so before a reopening.
    fc.assert(
      fc.property(shuffled(50), ([messages, doubled]) => {
        const world = after(...doubled);
        const { closed, isTemplate, due, askedAt } = taskState(after(...messages).guard);
        const wants = closed === null && !isTemplate && due !== null;
        for (const row of world.reminders)
          if (row.status === "pending") expect([wants, row.remindAt.getTime()]).toEqual([true, due ?? 0]);
        if (wants && due > askedAt) expect(pending(world)).toEqual([`${atDue}@${due}`]);
      }),
      { numRuns },
    );
  }, 60_000);

  test("asking again after the changes are applied changes nothing", () => {
    fc.assert(
      fc.property(shuffled(50), ([, doubled]) => {
        const { guard, reminders } = after(...doubled);
        expect(decideReminders(guard, reminders)).toEqual([]);
      }),
    );
  });

  test("generations and versions of a reminder only rise, a generation never returns to pending", () => {
    fc.assert(
      fc.property(shuffled(10_000), ([, doubled]) => {
        let world = empty;
        for (const message of doubled) {
          const next = step(world, message);
          for (const row of next.reminders) {
            const before = world.reminders.find(({ id }) => id === row.id);
            if (before === undefined || Bun.deepEquals(before, row)) continue;
            expect(row.version).toBeGreaterThan(before.version);
            if (row.status === "pending") expect(row.generation).toBe(before.generation + 1);
            else expect(row.generation).toBe(before.generation);
          }
          world = next;
        }
      }),
    );
  });
});
