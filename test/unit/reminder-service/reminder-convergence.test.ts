import { expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import type { ReminderChoices } from "../../../shared/reminders/resolve-reminders.ts";
import { foldTask, type FoldedTask } from "../../../shared/tasks/fold-task.ts";
import { applyChanges } from "../../../workers/reminder-service/apply-changes.ts";
import { decideReminders } from "../../../workers/reminder-service/decide-reminders.ts";
import { foldGuard, type GuardRow, type GuardMessage } from "../../../workers/reminder-service/guard.ts";
import type { Reminder } from "../../../workers/reminder-service/reminder.ts";
import {
  decideWanted,
  nothingKnown,
  redecideWanted,
} from "../../../workers/reminder-scheduling-worker/decide-wanted.ts";
import { wantedReminders } from "../../../workers/reminder-scheduling-worker/wanted-reminders.ts";
import { command, completed, created, taskId, updated, userId } from "../../support/guard-messages.ts";

// The two roles together, without Kafka and Postgres: the scheduling worker hears a task's events in any order, the
// reminder service those and the worker's commands in any other, each any number of times.

const dayMs = 86_400_000;
const far = 40_000 * dayMs; // nothing is past when it is asked for
type TaskEvent = Exclude<GuardMessage, ReturnType<typeof command>>;

/** Lives of a task that is due at times and on days in turn, as the task service tells them: only what changed. */
const lives = fc
  .array(
    fc.oneof(
      fc.record({ what: fc.constant("at" as const), value: fc.integer({ min: 0, max: 2 }) }),
      fc.record({ what: fc.constant("on" as const), value: fc.integer({ min: 0, max: 2 }) }),
      fc.record({ what: fc.constantFrom("clear", "complete", "reopen", "title") }),
      fc.record({
        what: fc.constant("zone" as const),
        zone: fc.constantFrom(null, "Pacific/Auckland", "America/New_York"),
      }),
      fc.record({
        what: fc.constant("remind" as const),
        remind: fc.constantFrom(null, [], ["PT15M"], ["P1D@18:00", "PT0S"]),
      }),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((steps) => {
    let task: { due: number | null; day: string | null } = { due: far, day: null };
    const dayOf = (value: number) => new Date(far + value * dayMs).toISOString().slice(0, 10);
    const events: TaskEvent[] = [created(1, 1, { due: far })];
    for (const [index, step] of steps.entries()) {
      const version = index + 2;
      const tell = (fields: { due?: number | null; [field: string]: unknown }) =>
        events.push(updated(version, version, fields));
      switch (step.what) {
        case "at":
          tell({ due: far + step.value * 1000, ...(task.day === null ? {} : { due_on: null }) });
          task = { due: far + step.value * 1000, day: null };
          break;
        case "on":
          tell({ due_on: dayOf(step.value), ...(task.due === null ? {} : { due: null }) });
          task = { due: null, day: dayOf(step.value) };
          break;
        case "clear":
          tell({ ...(task.due === null ? {} : { due: null }), ...(task.day === null ? {} : { due_on: null }) });
          task = { due: null, day: null };
          break;
        case "complete":
          events.push(completed(version, version));
          break;
        case "reopen":
          tell({ status: "open" });
          break;
        case "zone":
          tell({ due_tz: step.zone });
          break;
        case "remind":
          tell({ remind: step.remind });
          break;
        default:
          tell({ title: `v${version}` });
      }
    }
    return events;
  });

const shuffledTwice = <T>(all: readonly T[]) =>
  fc
    .shuffledSubarray([...all], { minLength: all.length, maxLength: all.length })
    .chain((once) => fc.shuffledSubarray([...all]).map((again) => [...once, ...again]));

const berlin: ReminderChoices = { tz: "Europe/Berlin", all_day_at: "09:00", default_reminders: ["PT0S", "P1D@18:00"] };
const tokyo: ReminderChoices = { tz: "Asia/Tokyo", all_day_at: "07:30", default_reminders: ["PT1H", "P1D@18:00"] };

/** What the scheduling worker says when it hears these; the choices change after as many as `changeAfter`. */
function commandsFor(heard: readonly TaskEvent[], changeAfter: number): readonly GuardMessage[] {
  let state = nothingKnown;
  const commands: GuardMessage[] = [];
  const tell = ({ state: next, command: asked }: ReturnType<typeof redecideWanted>) => {
    state = next;
    if (asked === null) return;
    // The sequence is the count; the rest of what a received message is does not matter here.
    commands.push({ ...command(state.commands, { due: [null, 0, 0] }), data: asked });
  };
  for (const [index, event] of heard.entries()) {
    if (index === changeAfter) tell(redecideWanted(state, tokyo, new Date(2)));
    tell(decideWanted(state, event, index < changeAfter ? berlin : tokyo));
  }
  if (changeAfter >= heard.length) tell(redecideWanted(state, tokyo, new Date(2)));
  return commands;
}

function hear(messages: readonly GuardMessage[]): readonly Reminder[] {
  let guard: GuardRow = { taskId, userId, fields: {} };
  let reminders: readonly Reminder[] = [];
  for (const message of messages) {
    const folded = foldGuard(guard, message);
    if (folded === guard) continue;
    guard = folded;
    const changes = decideReminders(guard, reminders);
    const { reminders: changed } = applyChanges(guard, reminders, changes, new Date(1));
    reminders = [...reminders.filter(({ id }) => !changed.some((row) => row.id === id)), ...changed];
  }
  return reminders;
}

test("however a task changes between due times and due days, and whatever comes late or twice, the reminders are those of the task as it is", () => {
  const heard = lives.chain((events) =>
    fc
      .tuple(fc.constant(events), shuffledTwice(events), fc.nat({ max: events.length * 2 }))
      .chain(([all, byWorker, changeAfter]) =>
        fc.tuple(fc.constant(all), shuffledTwice([...all, ...commandsFor(byWorker, changeAfter)])),
      ),
  );
  fc.assert(
    fc.property(heard, ([events, byService]) => {
      const task = events.reduce<FoldedTask | null>(foldTask, null);
      const wanted = wantedReminders(task?.fields ?? {}, tokyo);
      const isOpen = task?.fields["status"]?.value === "open";
      const expected =
        isOpen && wanted.due !== null
          ? wanted.rules.map(({ rule, offset_ms }) => [rule, (wanted.due?.getTime() ?? 0) + offset_ms])
          : [];
      const pending = hear(byService)
        .filter(({ status }) => status === "pending")
        .map(({ rule, remindAt }) => [rule ?? "", remindAt.getTime()]);
      expect(pending.toSorted()).toEqual(expected.toSorted());
    }),
    { numRuns: process.env["LONG_TESTS"] === "1" ? 5_000 : 300 },
  );
}, 60_000);
