import { replayOf, type RequestKey } from "../../shared/http/request-key.ts";
import type { Db, Tx } from "../../shared/postgres/db.ts";
import type { Message } from "../../shared/message.ts";
import { insertOutbox, outboxRow, type Encoder } from "../../shared/outbox/outbox.ts";
import { Problem } from "../../shared/problem.ts";
import { applyChanges, dismissed, dismissedMessage } from "./apply-changes.ts";
import { ownReminderId } from "./decide-reminders.ts";
import { findTask } from "./find-task.ts";
import { taskState, type Guard } from "./guard.ts";
import { keepAnswer, readKept } from "./keep-answer.ts";
import { reminderView } from "./reminder-view.ts";
import type { Reminder } from "./reminder.ts";
import { lockGuards, lockReminders, reminderColumns, saveReminders } from "./store-reminders.ts";

export type Writing = Readonly<{
  db: Db;
  codec: Encoder;
  /** Called after a commit that wrote to the outbox. */
  notify: () => void;
}>;

/** Who asks, and with which request. `now` is for stamps. `key` is `null` without an Idempotency-Key. */
export type Asked = Readonly<{
  userId: string;
  key: RequestKey | null;
  correlationId: string;
  traceparent: string | null;
  now: Date;
}>;

/** The answer as it is sent, and whether it is an earlier one given again. */
export type Written = Readonly<{ body: string; replayed: boolean }>;

/** A person's own reminders that may wait for one task. */
const maxOwnPending = 50;

/**
 * Sets a reminder of one's own. The same task and instant is the same reminder, so a repeated request changes nothing and gets
 * the same answer; one dismissed before is scheduled again.
 * With a key that has an answer, gives that again, whatever has become of the task.
 * Throws TASK_NOT_FOUND, TASK_DELETED, TASK_COMPLETED, IDEMPOTENCY_KEY_REUSED, or INVALID_REQUEST for an instant not ahead by the
 * database's clock.
 */
export async function createReminder(writing: Writing, wanted: WantedReminder, asked: Asked): Promise<Written> {
  const { userId, key } = asked;
  const kept = key === null ? null : await readKept(writing.db.sql, userId, key.key);
  if (kept !== null && key !== null) return { body: replayOf(kept, key).body, replayed: true };
  await findTask(writing.db.sql, wanted.taskId, userId);
  return await write<Written>(writing, asked, async (tx) => {
    const guard = (await lockGuards(tx, [wanted.taskId])).get(wanted.taskId);
    if (guard?.userId !== userId) throw new Problem("TASK_NOT_FOUND");
    // The same request at once waited for the lock, and finds what the first one kept.
    const keptMeanwhile = key === null ? null : await readKept(tx, userId, key.key);
    if (keptMeanwhile !== null && key !== null)
      return { messages: [], done: { body: replayOf(keptMeanwhile, key).body, replayed: true } };
    const { reminder, messages } = await setReminder(tx, guard, wanted, asked.now);
    const body = JSON.stringify(reminderView(reminder));
    if (key !== null) await keepAnswer(tx, userId, { ...key, body });
    return { messages, done: { body, replayed: false } };
  });
}

export type WantedReminder = Readonly<{ taskId: string; remindAt: Date }>;

/** Needs the guard locked. */
async function setReminder(tx: Tx, guard: Guard, { taskId, remindAt }: WantedReminder, now: Date): Promise<Change> {
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
  const applied = applyChanges(guard, existing, [change], now);
  const [made] = applied.reminders;
  if (made === undefined) throw new Error("scheduling made no reminder");
  const reminder = { ...made, dismissedFor: null };
  await saveReminders(tx, [reminder]);
  return { reminder, messages: applied.messages };
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
      return { done: before, messages: [] };
    const wasDismissed = before.status === "dismissed";
    const reminder = wasDismissed ? { ...before, dismissedFor: before.remindAt } : dismissed(before, "user", asked.now);
    await saveReminders(tx, [reminder]);
    return { done: reminder, messages: wasDismissed ? [] : [dismissedMessage(reminder)] };
  });
}

/** A reminder as it now is, and the events that tell what became of it. */
type Change = Readonly<{ reminder: Reminder; messages: readonly Message[] }>;

async function write<Done>(
  { db, codec, notify }: Writing,
  { correlationId, traceparent, now }: Asked,
  work: (tx: Tx) => Promise<Readonly<{ done: Done; messages: readonly Message[] }>>,
): Promise<Done> {
  const { done, messages } = await db.transaction(async (tx) => {
    const worked = await work(tx);
    const by = { source: "reminder-service", correlationId, traceparent, now } as const;
    await insertOutbox(
      tx,
      worked.messages.map((message) => outboxRow(codec, message, by)),
    );
    return worked;
  });
  if (messages.length > 0) notify();
  return done;
}

function refuse(message: string): never {
  throw new Problem("INVALID_REQUEST", undefined, { mistakes: [{ path: "/remind_at", message }] });
}
