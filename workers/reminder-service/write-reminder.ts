import type { Db, Tx } from "../../shared/postgres/db.ts";
import type { Message } from "../../shared/message.ts";
import { insertOutbox, outboxRow, type Encoder } from "../../shared/outbox/outbox.ts";
import { Problem } from "../../shared/problem.ts";
import { applyChanges, dismissed, dismissedMessage } from "./apply-changes.ts";
import { ownReminderId } from "./decide-reminders.ts";
import { findTask } from "./find-task.ts";
import { taskState } from "./guard.ts";
import type { Reminder } from "./reminder.ts";
import { lockGuards, lockReminders, reminderColumns, saveReminders } from "./store-reminders.ts";

export type Writing = Readonly<{
  db: Db;
  codec: Encoder;
  /** Called after a commit that wrote to the outbox. */
  notify: () => void;
}>;

/** Who asks, and with which request. `now` is for stamps. */
export type Asked = Readonly<{ userId: string; correlationId: string; traceparent: string | null; now: Date }>;

/** A person's own reminders that may wait for one task. */
const maxOwnPending = 50;

/**
 * Sets a reminder of one's own. The same task and instant is the same reminder, so a repeated request changes nothing and gets
 * the same answer; one dismissed before is scheduled again.
 * Throws TASK_NOT_FOUND, TASK_DELETED, TASK_COMPLETED, or INVALID_REQUEST for an instant not ahead by the database's clock.
 */
export async function createReminder(
  writing: Writing,
  { taskId, remindAt }: Readonly<{ taskId: string; remindAt: Date }>,
  asked: Asked,
): Promise<Reminder> {
  await findTask(writing.db.sql, taskId, asked.userId);
  return await write(writing, asked, async (tx) => {
    const guard = (await lockGuards(tx, [taskId])).get(taskId);
    if (guard?.userId !== asked.userId) throw new Problem("TASK_NOT_FOUND");
    const { closed } = taskState(guard);
    if (closed !== null) throw new Problem(closed === "deleted" ? "TASK_DELETED" : "TASK_COMPLETED");
    const id = ownReminderId(taskId, remindAt);
    const existing = await lockReminders(tx, [taskId]);
    const same = existing.find((reminder) => reminder.id === id);
    if (same !== undefined && same.status !== "dismissed") return { reminder: same, messages: [] };
    const [clock] = await tx<{ isAhead: boolean }[]>`select ${remindAt}::timestamptz > clock_timestamp() as "isAhead"`;
    if (clock?.isAhead !== true) refuse("is in the past");
    if (existing.filter(({ rule, status }) => rule === null && status === "pending").length >= maxOwnPending)
      refuse(`is one too many: ${maxOwnPending} reminders of your own are waiting for this task`);
    const change = { change: "schedule", id, rule: null, remindAt } as const;
    const applied = applyChanges(guard, existing, [change], asked.now);
    const [made] = applied.reminders;
    if (made === undefined) throw new Error("scheduling made no reminder");
    const reminder = { ...made, dismissedFor: null };
    await saveReminders(tx, [reminder]);
    return { reminder, messages: applied.messages };
  });
}

/**
 * Dismisses a reminder, pending or fired, for good at its instant; a repeated request changes nothing and answers the same.
 * Throws REMINDER_NOT_FOUND, also for one of another user.
 */
export async function dismissReminder(writing: Writing, id: string, asked: Asked): Promise<Reminder> {
  const [found] = await writing.db.sql<{ taskId: string }[]>`
    select task_id as "taskId" from reminders where id = ${id} and user_id = ${asked.userId}`;
  if (found === undefined) throw new Problem("REMINDER_NOT_FOUND");
  return await write(writing, asked, async (tx) => {
    await lockGuards(tx, [found.taskId]);
    const [before] = await tx<Reminder[]>`
      select ${reminderColumns(tx)} from reminders where id = ${id} for no key update`;
    if (before === undefined) throw new Problem("REMINDER_NOT_FOUND");
    if (before.dismissedFor?.getTime() === before.remindAt.getTime() && before.status === "dismissed")
      return { reminder: before, messages: [] };
    const wasDismissed = before.status === "dismissed";
    const reminder = wasDismissed ? { ...before, dismissedFor: before.remindAt } : dismissed(before, "user", asked.now);
    await saveReminders(tx, [reminder]);
    return { reminder, messages: wasDismissed ? [] : [dismissedMessage(reminder)] };
  });
}

async function write(
  { db, codec, notify }: Writing,
  { correlationId, traceparent, now }: Asked,
  work: (tx: Tx) => Promise<Readonly<{ reminder: Reminder; messages: readonly Message[] }>>,
): Promise<Reminder> {
  const { reminder, messages } = await db.transaction(async (tx) => {
    const done = await work(tx);
    const by = { source: "reminder-service", correlationId, traceparent, now } as const;
    await insertOutbox(
      tx,
      done.messages.map((message) => outboxRow(codec, message, by)),
    );
    return done;
  });
  if (messages.length > 0) notify();
  return reminder;
}

function refuse(message: string): never {
  throw new Problem("INVALID_REQUEST", undefined, { mistakes: [{ path: "/remind_at", message }] });
}
