import type { Tx } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import { answerOnce, type Written } from "./answer-once.ts";
import { applyChanges, dismissed, dismissedMessage } from "./apply-changes.ts";
import { ownReminderId } from "./decide-reminders.ts";
import { findReminder, findTask } from "./find-task.ts";
import type { Guard } from "./guard.ts";
import { instantOf, type Reminder } from "./reminder.ts";
import { isAhead, refuse, refuseClosed, refuseTooMany } from "./refuse.ts";
import { lockGuards, lockReminders, reminderColumns, saveReminders } from "./store-reminders.ts";
import { writeEvents, type Asked, type Changed, type Writing } from "./write-events.ts";

/** `dropAfter`: see `Reminder`; `undefined` leaves it as it is. */
export type WantedReminder = Readonly<{ taskId: string; remindAt: Date; dropAfter?: string | null | undefined }>;

/**
 * Sets a reminder of one's own. The same task and instant is the same reminder, so a repeated request changes nothing and gets
 * the same answer, or says how late it may fire; one dismissed before is scheduled again.
 * Throws TASK_NOT_FOUND, TASK_COMPLETED, IDEMPOTENCY_KEY_REUSED, or INVALID_REQUEST for an instant not ahead by the
 * database's clock.
 */
export async function createReminder(writing: Writing, wanted: WantedReminder, asked: Asked): Promise<Written> {
  return await answerOnce(writing, asked, {
    findTask: async () => {
      await findTask(writing.db.sql, wanted.taskId, asked.userId);
      return wanted.taskId;
    },
    change: (tx, guard) => setReminder(tx, guard, wanted, asked.now),
  });
}

/** Needs the guard locked. */
async function setReminder(tx: Tx, guard: Guard, wanted: WantedReminder, now: Date): Promise<Changed> {
  const { taskId, remindAt, dropAfter } = wanted;
  await refuseClosed(tx, guard);
  const existing = await lockReminders(tx, [taskId]);
  const standing = existing.filter(({ rule, status }) => rule === null && status !== "dismissed");
  const same = standing.find((reminder) => instantOf(reminder).getTime() === remindAt.getTime());
  if (same !== undefined) {
    if (dropAfter === undefined || dropAfter === same.dropAfter || same.status !== "pending")
      return { reminder: same, messages: [] };
    // How late it may fire is nobody else's business: no event tells it.
    const changed = { ...same, dropAfter };
    await saveReminders(tx, [changed]);
    return { reminder: changed, messages: [] };
  }
  if (!(await isAhead(tx, remindAt))) refuse("/remind_at", "is in the past");
  refuseTooMany(existing);
  let place = 0;
  // One that began at this instant and was moved away keeps its id.
  while (standing.some(({ id }) => id === ownReminderId(taskId, remindAt, place))) place += 1;
  const id = ownReminderId(taskId, remindAt, place);
  const change = { change: "schedule", id, rule: null, remindAt, snooze: null } as const;
  const applied = applyChanges(guard, existing, [change], now);
  const [made] = applied.reminders;
  if (made === undefined) throw new Error("scheduling made no reminder");
  const reminder = { ...made, dismissedFor: null, dropAfter: dropAfter ?? null };
  await saveReminders(tx, [reminder]);
  return { reminder, messages: applied.messages };
}

/**
 * Dismisses a reminder, pending or fired, for good at its instant; a repeated request changes nothing and answers the same.
 * Throws REMINDER_NOT_FOUND, also for one of another user.
 */
export async function dismissReminder(writing: Writing, id: string, asked: Asked): Promise<Reminder> {
  const taskId = await findReminder(writing.db.sql, id, asked.userId);
  return await writeEvents(writing, asked, async (tx) => {
    await lockGuards(tx, [taskId]);
    const [before] = await tx<Reminder[]>`
      select ${reminderColumns(tx)} from reminders where id = ${id} for no key update`;
    if (before === undefined) throw new Problem("REMINDER_NOT_FOUND");
    const instant = instantOf(before);
    if (before.dismissedFor?.getTime() === instant.getTime() && before.status === "dismissed")
      return { done: before, messages: [] };
    const wasDismissed = before.status === "dismissed";
    const reminder = wasDismissed ? { ...before, dismissedFor: instant } : dismissed(before, "user", asked.now);
    await saveReminders(tx, [reminder]);
    return { done: reminder, messages: wasDismissed ? [] : [dismissedMessage(reminder)] };
  });
}
