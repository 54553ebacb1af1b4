import type { Message } from "../../shared/messages/message.ts";
import { replayOf, type RequestKey } from "../../shared/http/request-key.ts";
import type { OutboxRow } from "../../shared/outbox/outbox.ts";
import { Problem } from "../../shared/problem.ts";
import { matches, type IfMatch } from "../../shared/http/if-match.ts";
import { madeAnswer, type TaskAnswer, type KeptTaskAnswer } from "./answer.ts";
import type { TaskForecast } from "./decide-coming.ts";
import type { Decide, TaskDecision } from "./decide-task.ts";
import { taskCreated } from "./decide-task.ts";
import type { TaskSnapshot } from "./read-tasks.ts";
import type { PreparedChange, StoreResult } from "./store-change.ts";
import type { CreateResult, Creation } from "./store-creates.ts";
import { addedBy, type TaskQuota } from "./task-quota.ts";
import { viewOfRow, type TaskRow } from "./task-row.ts";
import { inTime } from "../../shared/waiting/wait.ts";

/** Who writes, and where it came from. `key` is `null` without an Idempotency-Key. */
export type Writer = Readonly<{
  userId: string;
  key: RequestKey | null;
  correlationId: string;
  traceparent: string | null;
}>;

/** The database and the encoder, as narrow as writing needs them. */
export type WriteDeps = Readonly<{
  now: () => Date;
  /** Encodes an event; throws INTERNAL after having set aside one that cannot be encoded. */
  encode: (event: Message, by: Pick<Writer, "correlationId" | "traceparent"> & { now: Date }) => Promise<OutboxRow>;
  create: (creation: Creation) => Promise<CreateResult>;
  readKept: (userId: string, key: string) => Promise<KeptTaskAnswer | null>;
  findForChange: (userId: string, id: string, key: string | null) => Promise<TaskSnapshot>;
  storeChange: (change: PreparedChange) => Promise<StoreResult>;
  keepAnswer: (userId: string, key: RequestKey, answer: TaskAnswer) => Promise<void>;
  quota: TaskQuota;
  /** Tells the relay, after the commit. */
  notify: () => void;
}>;

/** An answer, and whether it is an earlier one given again. */
export type WriteResult = Readonly<{
  answer: TaskAnswer;
  replayed: boolean;
  /** How many events it made, where that may be many. */
  events?: number;
}>;

/**
 * Makes a task with its event; answers it with what is to come of it. With a key that has an answer, gives that again
 * and makes nothing.
 */
export async function createTask(
  deps: WriteDeps,
  writer: Writer,
  row: TaskRow,
  coming: TaskForecast,
): Promise<WriteResult> {
  const answer = madeAnswer(row, coming);
  const { key } = writer;
  const event = await deps.encode(taskCreated(row), { ...writer, now: row.created_at });
  const keep = key === null ? null : { ...key, body: answer.body ?? "" };
  const create = () => deps.create({ row, firstOccurrence: coming.first_occurrence?.id ?? null, event, keep });
  const made = deps.quota.within(writer.userId, addedBy(null, row), create).catch((error: unknown) => {
    // What was done under the key is answered whatever there is by now.
    if (key !== null && error instanceof Problem && error.code === "QUOTA_EXCEEDED") return error;
    throw error;
  });
  const created = await waitFor(key, made);
  if (created === "created") {
    deps.notify();
    return { answer, replayed: false };
  }
  const kept = key === null ? null : await deps.readKept(writer.userId, key.key);
  if (created !== "key_taken" && kept === null) throw created;
  // Between the two statements the key's day can have ended: rare, and the next try makes the task.
  if (key === null || kept === null) throw new Problem("IDEMPOTENCY_IN_PROGRESS", undefined, { retryAfterSeconds: 1 });
  return await replay(kept, key);
}

export type TaskChangeRequest = Readonly<{
  id: string;
  ifMatch: IfMatch;
  decide: Decide;
  /** What is answered for the row after it. */
  answer: (row: TaskRow) => TaskAnswer;
  /** A tombstone is given to `decide` instead of being answered with 404. */
  seesDeleted?: boolean;
}>;

const maxAttempts = 50;

/**
 * Changes a task by a rule, with its event: reads it, decides, and stores the result if the row is still the one read,
 * else begins again. Throws TASK_NOT_FOUND (also for another's), VERSION_MISMATCH with the task as it is, and what the
 * rule throws.
 */
export async function changeTask(deps: WriteDeps, writer: Writer, request: TaskChangeRequest): Promise<WriteResult> {
  const { userId, key } = writer;
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const { row, kept, floor } = await deps.findForChange(userId, request.id, key?.key ?? null);
    if (kept !== null && key !== null) return await replay(kept, key);
    if (row === null || (row.deleted_at !== null && !request.seesDeleted)) throw notFound(request.id);
    const isStale = !matches(request.ifMatch, row.version);
    if (isStale && row.deleted_at === null) throw staleError(row);
    const now = deps.now();
    const next = raised(request.decide(row, now), floor);
    // Of a tombstone the same deletion sent again is let through: it finds nothing left to do.
    if (isStale && next.event !== null) throw staleError(row);
    const answer = request.answer(next.row);
    if (next.event === null) {
      if (key !== null) await deps.keepAnswer(userId, key, answer);
      return { answer, replayed: false };
    }
    const event = await deps.encode(next.event, { ...writer, now });
    const keep = key === null ? null : { ...key, answer };
    const store = () => deps.storeChange({ row: next.row, before: row.version, event, keep });
    const stored = await waitFor(key, deps.quota.within(userId, addedBy(row, next.row), store));
    if (stored === "stored") {
      deps.notify();
      return { answer, replayed: false };
    }
  }
  throw new Problem("UNAVAILABLE", "The task is being changed by too many at once", { retryAfterSeconds: 1 });
}

/** A version that may have been told before would let a client change, by its old ETag, what it has not seen. */
export function raised(decision: TaskDecision, floor: number): TaskDecision {
  const { row, event } = decision;
  if (event === null || row.version > floor) return decision;
  return { row: { ...row, version: floor + 1 }, event: { ...event, sequence: floor + 1 } };
}

export function staleError(row: TaskRow): Problem {
  return new Problem("VERSION_MISMATCH", `The task is at version ${row.version}`, { current: viewOfRow(row) });
}

export function notFound(id: string): Problem {
  return new Problem("TASK_NOT_FOUND", `There is no task ${id}`);
}

async function replay(kept: KeptTaskAnswer, key: RequestKey): Promise<WriteResult> {
  return { answer: await replayOf(kept, key), replayed: true };
}

const waitMs = 5000;

/**
 * A request with a key waits at most 5 s, for another with the same key among others. What it asked for is written
 * whole or not at all even then, and asking again with the key gives the answer.
 */
export async function waitFor<T>(key: RequestKey | null, work: Promise<T>): Promise<T> {
  const late = () => new Problem("IDEMPOTENCY_IN_PROGRESS", undefined, { retryAfterSeconds: 1 });
  return key === null ? work : inTime(waitMs, work, late);
}
