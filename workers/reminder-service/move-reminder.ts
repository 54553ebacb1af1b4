import { readPreferences } from "../../shared/preferences/read-preferences.ts";
import type { Tx } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import { answerOnce, onItsWay, type ReminderAnswer } from "./answer-once.ts";
import { applyChanges } from "./apply-changes.ts";
import { wantedInstant, type Snooze } from "./decide-reminders.ts";
import { findReminder } from "./find-task.ts";
import { taskState, type GuardRow } from "./guard.ts";
import { isAhead, refuse, refuseClosed, refuseTooMany } from "./refuse.ts";
import { reminderView } from "./reminder-view.ts";
import { instantOf, type Reminder } from "./reminder.ts";
import { snoozeLocal, snoozeUntil, type SnoozeWish } from "./snooze-until.ts";
import { lockReminders, saveReminders, saveSnoozeLocal } from "./store-reminders.ts";
import { allowLateness } from "./write-reminder.ts";
import type { ReminderRequest, ReminderChangeResult, ReminderWriteDeps } from "./write-events.ts";

/**
 * Snoozes a reminder, pending or fired, to a later time: a new generation, which ends as soon as its task is due at
 * another time. Snoozing to the time it has changes nothing. A pending one is never moved before the time it had before
 * any snooze: it would fire then and be used up. Throws SNOOZE_TOO_EARLY, REMINDER_NOT_FOUND, REMINDER_DISMISSED,
 * TASK_COMPLETED, TASK_NOT_FOUND, TASK_IS_TEMPLATE, IDEMPOTENCY_KEY_REUSED, or INVALID_REQUEST for a time that is not
 * ahead by the database's clock, or more than a year ahead.
 */
export async function snoozeReminder(
  writing: ReminderWriteDeps,
  id: string,
  wish: SnoozeWish,
  asked: ReminderRequest,
): Promise<ReminderAnswer> {
  return await answerOnce(writing, asked, {
    findTask: () => findReminder(writing.db.sql, { ...asked, id }),
    change: async (tx, guard) => {
      const { before, existing } = await lockMovable(tx, guard, id);
      const clock = await readClock(tx, asked.userId);
      const until = snoozeUntil(wish, clock);
      if (before.status === "pending" && until.getTime() === before.remindAt.getTime())
        return { reminder: before, messages: [], status: 200 };
      const from = before.snoozedFrom ?? before.remindAt;
      if (before.status === "pending" && until < from)
        throw new Problem(
          "SNOOZE_TOO_EARLY",
          `It has not fired yet: it is for ${from.toISOString()}, and a snooze until ${until.toISOString()} would bring it forward.`,
          { current: reminderView(before) },
        );
      return await move(tx, guard, existing, {
        before,
        remindAt: until,
        now: asked.now,
        snooze: { from, for: wantedInstant(guard, before) },
        local: snoozeLocal(wish, until, clock.tz),
      });
    },
  });
}

/** What to change of a reminder; what is `undefined` stays as it is. */
type ReminderPatch = Readonly<{ remindAt: Date | undefined; dropAfter: string | null | undefined }>;

/**
 * Moves a person's own reminder to another time, which ends a snooze, or sets how late it may fire, or both; setting
 * what is set already changes nothing. Throws what snoozing throws, except SNOOZE_TOO_EARLY; REMINDER_FOLLOWS_TASK for
 * a reminder that a rule of the task made; REMINDER_EXISTS if another has that time; REMINDER_FIRED for setting how
 * late a fired one may fire.
 */
export async function changeReminder(
  writing: ReminderWriteDeps,
  id: string,
  { remindAt, dropAfter }: ReminderPatch,
  asked: ReminderRequest,
): Promise<ReminderAnswer> {
  return await answerOnce(writing, asked, {
    findTask: () => findReminder(writing.db.sql, { ...asked, id }),
    change: async (tx, guard) => {
      const { before, existing } = await lockMovable(tx, guard, id);
      if (before.rule !== null)
        throw new Problem(
          "REMINDER_FOLLOWS_TASK",
          `The task's rule ${before.rule} made it: change the task's remind or due time, or snooze it.`,
        );
      const late = dropAfter === undefined ? before.dropAfter : dropAfter;
      const isThere = before.status === "pending" && before.snoozedFrom === null;
      if (remindAt === undefined || (isThere && before.remindAt.getTime() === remindAt.getTime())) {
        if (late === before.dropAfter) return { reminder: before, messages: [], status: 200 };
        if (before.status !== "pending") throw new Problem("REMINDER_FIRED");
        return await allowLateness(tx, before, late);
      }
      if (!(await isAhead(tx, remindAt))) refuse("/remind_at", "is in the past");
      if (before.status !== "pending") refuseTooMany(existing);
      if (existing.some((other) => isOwnAt(other, remindAt) && other.id !== id))
        throw new Problem("REMINDER_EXISTS", "Another reminder of your own is set for that time.");
      const changed = { ...before, dropAfter: late };
      const others = existing.filter((other) => other.id !== id);
      return await move(tx, guard, [...others, changed], { before: changed, remindAt, snooze: null, now: asked.now });
    },
  });
}

/** Needs the guard locked. */
async function lockMovable(tx: Tx, guard: GuardRow, id: string) {
  const existing = await lockReminders(tx, [guard.taskId]);
  const before = existing.find((reminder) => reminder.id === id);
  if (before === undefined) throw new Problem("REMINDER_NOT_FOUND");
  await refuseClosed(tx, guard);
  if (before.status === "dismissed") {
    // The task's row is open, so its reopening comes, and with it this reminder.
    if (taskState(guard).closed !== null) throw new Problem("UNAVAILABLE", onItsWay, { retryAfterSeconds: 1 });
    throw new Problem("REMINDER_DISMISSED");
  }
  return { before, existing };
}

type ReminderMove = Readonly<{
  before: Reminder;
  remindAt: Date;
  snooze: Snooze | null;
  /** What `remindAt` was said as, see `localDue`; missing or `null` for an instant. */
  local?: string | null;
  now: Date;
}>;

/** Gives a reminder a new generation at another time. Its guard and all reminders of its task must be locked. */
export async function move(
  tx: Tx,
  guard: GuardRow,
  existing: readonly Reminder[],
  to: ReminderMove,
): Promise<ReminderChangeResult> {
  const { id, rule } = to.before;
  const change = { change: "schedule", id, rule, remindAt: to.remindAt, snooze: to.snooze } as const;
  const { reminders, messages } = applyChanges(guard, existing, [change], to.now);
  const [reminder] = reminders;
  if (reminder === undefined) throw new Error("moving made no reminder");
  await saveReminders(tx, [reminder]);
  if (to.local) await saveSnoozeLocal(tx, reminder, to.local);
  return { reminder, messages, status: 200 };
}

function isOwnAt(reminder: Reminder, at: Date): boolean {
  return reminder.rule === null && reminder.status !== "dismissed" && instantOf(reminder).getTime() === at.getTime();
}

/** The database's time, and where the user's clocks are. */
async function readClock(tx: Tx, userId: string) {
  const [clock] = await tx<{ now: Date }[]>`select clock_timestamp() as now`;
  const preferences = (await readPreferences(tx, [userId])).get(userId);
  if (clock === undefined || preferences === undefined) throw new Error("the database did not tell the time");
  return { now: clock.now, tz: preferences.tz, allDayAt: preferences.all_day_at };
}
