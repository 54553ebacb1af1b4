import type { Tx } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import { answerOnce, type ReminderAnswer } from "./answer-once.ts";
import { applyChanges, dismissed, dismissedMessage, scheduledMessage } from "./apply-changes.ts";
import { decidePruned } from "./decide-pruned.ts";
import { ownReminderId } from "./decide-reminders.ts";
import { findReminder, findTask } from "./find-task.ts";
import type { GuardRow } from "./guard.ts";
import { instantOf, type Reminder } from "./reminder.ts";
import { isAhead, refuse, refuseClosed, refuseTooMany } from "./refuse.ts";
import type { ReminderQuota } from "./reminder-quota.ts";
import { deleteReminders, lockGuards, lockReminders, reminderColumns, saveReminders } from "./store-reminders.ts";
import {
  writeEvents,
  type ReminderRequest,
  type ReminderChangeResult,
  type ReminderWriteDeps,
} from "./write-events.ts";

/** `dropAfter`: see `Reminder`; `undefined` leaves it as it is. */
type WantedReminder = Readonly<{ taskId: string; remindAt: Date; dropAfter?: string | null | undefined }>;

/**
 * Sets a person's own reminder, which answers 201. The same task and instant is the same reminder: a repeated request
 * changes nothing, except how late it may fire, and answers 200; one that was dismissed or deleted is scheduled again.
 * Throws TASK_NOT_FOUND, TASK_COMPLETED, IDEMPOTENCY_KEY_REUSED, QUOTA_EXCEEDED, or INVALID_REQUEST for an instant that
 * is not ahead by the database's clock.
 */
export async function createReminder(
  writing: ReminderWriteDeps & Readonly<{ quota: ReminderQuota }>,
  wanted: WantedReminder,
  asked: ReminderRequest,
): Promise<ReminderAnswer> {
  return await answerOnce(writing, asked, {
    findTask: async () => {
      await findTask(writing.db.sql, wanted.taskId, asked);
      // Before the transaction, which has a connection already; one that turns out to be there counts until the next
      // count.
      await writing.quota.within(asked.userId, { waiting: 1 }, () => Promise.resolve());
      return wanted.taskId;
    },
    change: (tx, guard) => setReminder(tx, guard, wanted, asked.now),
  });
}

/** Needs the guard locked. */
async function setReminder(tx: Tx, guard: GuardRow, wanted: WantedReminder, now: Date): Promise<ReminderChangeResult> {
  const { taskId, remindAt, dropAfter } = wanted;
  await refuseClosed(tx, guard);
  const existing = await lockReminders(tx, [taskId]);
  const standing = existing.filter(({ rule, status }) => rule === null && status !== "dismissed");
  const same = standing.find((reminder) => instantOf(reminder).getTime() === remindAt.getTime());
  if (same !== undefined) {
    const isOther = dropAfter !== undefined && dropAfter !== same.dropAfter && same.status === "pending";
    return isOther ? await allowLateness(tx, same, dropAfter) : { reminder: same, messages: [], status: 200 };
  }
  if (!(await isAhead(tx, remindAt))) refuse("/remind_at", "is in the past");
  refuseTooMany(existing);
  let place = 0;
  // One that began at this instant and was moved away keeps its id.
  while (standing.some(({ id }) => id === ownReminderId(taskId, remindAt, place))) place += 1;
  const id = ownReminderId(taskId, remindAt, place);
  const how = { rule: null, remindAt, snooze: null, dropAfter: dropAfter ?? null };
  const change = { change: "schedule", id, ...how } as const;
  const applied = applyChanges(guard, existing, [change], now);
  const [made] = applied.reminders;
  if (made === undefined) throw new Error("scheduling made no reminder");
  const reminder = { ...made, dismissedFor: null };
  await saveReminders(tx, [reminder]);
  await deleteReminders(tx, decidePruned(guard, [...existing.filter((other) => other.id !== id), reminder], now));
  return { reminder, messages: applied.messages, status: 201 };
}

/** Says how late one that waits may fire. It is a new version of it, so it is told anew, in the same generation. */
export async function allowLateness(tx: Tx, before: Reminder, dropAfter: string | null): Promise<ReminderChangeResult> {
  const reminder = { ...before, dropAfter, version: before.version + 1 };
  await saveReminders(tx, [reminder]);
  return { reminder, messages: [scheduledMessage(reminder)], status: 200 };
}

/**
 * Deletes a person's own reminder, dismissed or not, and publishes that. No list shows it any more, and deleting it
 * again changes nothing. Throws REMINDER_NOT_FOUND, also for another user's, and REMINDER_FOLLOWS_TASK for a reminder
 * that a rule made.
 */
export async function deleteReminder(
  writing: ReminderWriteDeps,
  id: string,
  asked: ReminderRequest,
): Promise<ReminderAnswer> {
  return await answerOnce(writing, asked, {
    findTask: () => findReminder(writing.db.sql, { ...asked, id, removed: true }),
    change: async (tx) => {
      const before = await lockReminder(tx, id);
      if (before.rule !== null)
        throw new Problem(
          "REMINDER_FOLLOWS_TASK",
          `The task's rule ${before.rule} made it: change the task's remind, or dismiss it.`,
        );
      if (before.reason === "removed") return { reminder: before, messages: [], status: 204 };
      const reminder = dismissed(before, "removed", asked.now);
      await saveReminders(tx, [reminder]);
      return { reminder, messages: [dismissedMessage(reminder)], status: 204 };
    },
  });
}

/** Needs the guard locked. */
async function lockReminder(tx: Tx, id: string): Promise<Reminder> {
  const [found] = await tx<Reminder[]>`
    select ${reminderColumns(tx)} from reminders where id = ${id} for no key update`;
  if (found === undefined) throw new Problem("REMINDER_NOT_FOUND");
  return found;
}

/**
 * Dismisses a reminder, pending or fired, for good at its instant; a repeated request changes nothing and answers the
 * same. Throws REMINDER_NOT_FOUND, also for one of another user.
 */
export async function dismissReminder(
  writing: ReminderWriteDeps,
  id: string,
  asked: ReminderRequest,
): Promise<Reminder> {
  const taskId = await findReminder(writing.db.sql, { ...asked, id });
  return await writeEvents(writing, asked, async (tx) => {
    await lockGuards(tx, [taskId]);
    const before = await lockReminder(tx, id);
    if (before.reason === "removed") throw new Problem("REMINDER_NOT_FOUND");
    const instant = instantOf(before);
    if (before.dismissedFor?.getTime() === instant.getTime() && before.status === "dismissed")
      return { done: before, messages: [] };
    const wasDismissed = before.status === "dismissed";
    const reminder = wasDismissed ? { ...before, dismissedFor: instant } : dismissed(before, "user", asked.now);
    await saveReminders(tx, [reminder]);
    return { done: reminder, messages: wasDismissed ? [] : [dismissedMessage(reminder)] };
  });
}
