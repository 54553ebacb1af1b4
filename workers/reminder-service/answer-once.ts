import { replayOf, type RequestKey } from "../../shared/http/request-key.ts";
import type { Tx } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import type { GuardRow } from "./guard.ts";
import { keepAnswer, readKept, type KeptReminderAnswer } from "./keep-answer.ts";
import { reminderView } from "./reminder-view.ts";
import { lockGuards } from "./store-reminders.ts";
import {
  writeEvents,
  type ReminderRequest,
  type ReminderChangeResult,
  type ReminderWriteDeps,
} from "./write-events.ts";

/**
 * The answer as it is sent, and whether it is an earlier one given again. `status` is `null` for the route's usual one.
 */
export type ReminderAnswer = Readonly<{ body: string; status: number | null; replayed: boolean }>;

type ReminderWrite = Readonly<{
  /** The task it is about. Throws where there is none of this user's. */
  findTask: () => Promise<string>;
  /** Runs with the guard of the task locked. */
  change: (tx: Tx, guard: GuardRow) => Promise<ReminderChangeResult>;
}>;

/**
 * Changes a reminder and stores the answer under the request's key, in one commit. A key that has an answer gets that
 * again, whatever became of task and reminder. Throws what `work` throws, and IDEMPOTENCY_KEY_REUSED.
 */
export async function answerOnce(
  writing: ReminderWriteDeps,
  asked: ReminderRequest,
  work: ReminderWrite,
): Promise<ReminderAnswer> {
  const { userId, key } = asked;
  const kept = key === null ? null : await readKept(writing.db.sql, userId, key.key);
  if (kept !== null && key !== null) return await replay(kept, key);
  try {
    return await change(writing, asked, work);
  } catch (error) {
    // What was on its way when the task was found has come half-way since: its closing, and not yet its reopening.
    if (!(error instanceof Problem) || error.message !== onItsWay) throw error;
    return await change(writing, asked, work);
  }
}

/** Of a UNAVAILABLE that `findTask`, called again, waits out. */
export const onItsWay = "The last change of the task is still on its way to its reminders";

async function change(
  writing: ReminderWriteDeps,
  asked: ReminderRequest,
  work: ReminderWrite,
): Promise<ReminderAnswer> {
  const { userId, key } = asked;
  const taskId = await work.findTask();
  return await writeEvents<ReminderAnswer>(writing, asked, async (tx) => {
    const guard = (await lockGuards(tx, [taskId])).get(taskId);
    if (guard?.userId !== userId) throw new Problem("TASK_NOT_FOUND");
    // The same request at once waited for the lock, and finds what the first one kept.
    const keptMeanwhile = key === null ? null : await readKept(tx, userId, key.key);
    if (keptMeanwhile !== null && key !== null) return { messages: [], done: await replay(keptMeanwhile, key) };
    const { reminder, messages, status } = await work.change(tx, guard);
    const body = status === 204 ? "" : JSON.stringify(reminderView(reminder));
    if (key !== null) await keepAnswer(tx, userId, { ...key, body, status });
    return { messages, done: { body, status, replayed: false } };
  });
}

async function replay(kept: KeptReminderAnswer, key: RequestKey): Promise<ReminderAnswer> {
  const { body, status } = await replayOf(kept, key);
  return { body, status, replayed: true };
}
