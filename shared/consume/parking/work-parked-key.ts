import type { ReceivedMessage } from "../../messages/message.ts";
import type { Db, Tx } from "../../postgres/db.ts";
import { Problem } from "../../problem.ts";
import type { GroupName } from "../../messages/topics.ts";
import { classify, isConflict, type FailureClass } from "../failure/classify.ts";
import { describeFailure, inboxEntryOf, type Attempt } from "../dead-letters/dead-letter.ts";
import { isEpochChange, shareGroup } from "../group-epoch.ts";
import { changeFate, readFate, type InboxEntry } from "../inbox.ts";
import { historyText, readQueue, type KeyOf, type ParkedMessage } from "./parked-queue.ts";
import { type Decoder, type RunHandler, readRecord, runHandler } from "../handle-batch.ts";
import { nextTry } from "../failure/retry.ts";
import { attemptOf } from "../failure/failed.ts";
import { writeDeadLetter } from "../dead-letters/write-dead-letter.ts";

export type WorkParkedKey = Omit<RunHandler, "codec"> &
  Readonly<{
    codec: RunHandler["codec"] & Decoder;
    db: Pick<Db, "transaction">;
    group: GroupName;
    epoch: number;
    tiersMs: readonly number[];
  }>;

type ParkedFailure = Readonly<{
  class: FailureClass;
  error: unknown;
  attempts: number;
  record: ParkedMessage["record"];
}>;

/** What one pass over a parked key did. `released`: nothing waits there any more, so the key is no longer parked. */
export type Visit = Readonly<{
  done: readonly ParkedMessage[];
  dead: readonly ParkedFailure[];
  /** The head failed and waits for its next try. */
  failed: ParkedFailure | null;
  derived: number;
  released: boolean;
}>;

const nothing: Visit = { done: [], dead: [], failed: null, derived: 0, released: false };
const batchSize = 50;
/** A visit ends after so long, so that what arrives for the key is not kept waiting for its lock. */
const visitMs = 250;

/**
 * Handles the head of a parked key that is due, then the messages behind it, in one transaction that holds the key's
 * lock. A message that fails is undone to its savepoint, and the same transaction counts the try; after the last try it
 * becomes a dead letter and the next message is the head. A key that another member has locked, or that is not due, is
 * left alone. Rejects, with nothing changed and no try counted, with errors of the class `dependency_down`, with
 * deadlocks, and with a reset of the group.
 */
export async function workParkedKey(
  of: WorkParkedKey,
  key: KeyOf,
  classOf: (error: unknown) => FailureClass = classify,
): Promise<Visit> {
  return of.db.transaction(
    async (tx) => {
      const head = await lockDue(of, tx, key);
      if (head === null) return nothing;
      // A statement after the one that took the lock: a snapshot from before it misses what was queued meanwhile.
      const queue = await readQueue(tx, { ...key, epoch: of.epoch, limit: batchSize });
      const visit = await workQueue({ ...of, classOf }, tx, queue, head);
      const worked = visit.done.length + visit.dead.length;
      const released = worked === queue.length && queue.length < batchSize;
      if (released)
        await tx`delete from parked_keys where epoch = ${of.epoch} and topic = ${key.topic} and key = ${key.key}`;
      else if (visit.failed === null)
        await tx`
          update parked_keys set attempts = 0, next_at = clock_timestamp()
          where epoch = ${of.epoch} and topic = ${key.topic} and key = ${key.key}`;
      return { ...visit, released };
    },
    { deadlineMs: of.handlerMs + 15_000 },
  );
}

type ParkedHead = Readonly<{ attempts: number; class: string | null }>;

async function lockDue(of: WorkParkedKey, tx: Tx, key: KeyOf): Promise<ParkedHead | null> {
  const [, rows] = await Promise.all([
    shareGroup(tx, of.group, of.epoch),
    tx<ParkedHead[]>`
      select attempts, class from parked_keys
      where epoch = ${of.epoch} and topic = ${key.topic} and key = ${key.key} and next_at <= clock_timestamp()
      for update skip locked`,
  ]);
  return rows[0] ?? null;
}

type ParkedKeyWork = WorkParkedKey & Readonly<{ classOf: (error: unknown) => FailureClass }>;

async function workQueue(of: ParkedKeyWork, tx: Tx, queue: readonly ParkedMessage[], first: ParkedHead) {
  const done: ParkedMessage[] = [];
  const dead: ParkedFailure[] = [];
  let failed: ParkedFailure | null = null;
  let derived = 0;
  let head = first;
  const began = performance.now();
  for (const message of queue) {
    if (done.length + dead.length > 0 && (performance.now() - began > visitMs || of.stop.aborted)) break;
    const error = await attempt(of, tx, message, (count) => (derived += count));
    if (error === null) done.push(message);
    else {
      const settled = await afterFailure(of, tx, message, head, error.reason);
      if (!settled.isDead) {
        failed = settled.failure;
        break;
      }
      dead.push(settled.failure);
    }
    await tx`delete from parked_messages where id = ${message.row}`;
    head = { attempts: 0, class: null };
  }
  return { done, dead, failed, derived };
}

/** `null` when it worked. Rethrows what is nobody's fault: it undoes the whole visit. */
async function attempt(of: ParkedKeyWork, tx: Tx, { record }: ParkedMessage, derived: (count: number) => void) {
  try {
    await tx.savepoint(async (inner) => {
      const moved = await changeFate(inner, of.epoch, { from: "parked", to: "done" }, [inboxEntryOf(record)]);
      if (moved.size === 0) return await confirmSettled(inner, of.epoch, inboxEntryOf(record));
      const read = await readRecord(of.codec, record);
      if ("message" in read) derived(await runHandler(of, inner, [read.message]));
    });
    return null;
  } catch (reason) {
    if (of.stop.aborted || isEpochChange(reason) || isConflict(reason) || of.classOf(reason) === "dependency_down")
      throw reason;
    return { reason };
  }
}

/**
 * A message that the inbox does not call `parked` was settled before and must not be handled again. If the inbox does
 * not know it at all, nobody can tell whether it was handled: that is a failure, and after its tries a person decides.
 */
async function confirmSettled(tx: Tx, epoch: number, entry: InboxEntry): Promise<void> {
  if ((await readFate(tx, epoch, entry)) === null)
    throw new Problem("INVARIANT", "the inbox has forgotten this message while it was parked");
}

async function afterFailure(of: ParkedKeyWork, tx: Tx, message: ParkedMessage, head: ParkedHead, error: unknown) {
  const { record } = message;
  const failure = of.classOf(error);
  const now = of.now();
  const history: readonly Attempt[] = [...message.history, attemptOf(now, failure, error)];
  const next = nextTry({ class: failure, error, attempts: head.attempts, before: head.class }, of.tiersMs);
  const told = { class: failure, error, attempts: head.attempts + 1, record };
  if (next === null) {
    await changeFate(tx, of.epoch, { from: "parked", to: "dead" }, [inboxEntryOf(record)]);
    const userId = await userOf(of.codec, record);
    await writeDeadLetter(tx, { ...told, attempts: history, group: of.group, epoch: of.epoch, userId, now });
    return { isDead: true, failure: told };
  }
  const described = describeFailure(told);
  await tx`update parked_messages set history = ${historyText(history)}::jsonb where id = ${message.row}`;
  await tx`
    update parked_keys set attempts = ${next.attempts}, class = ${failure}, error = ${described.message},
      fingerprint = ${described.fingerprint}, next_at = clock_timestamp() + ${next.delayMs} * interval '1 millisecond'
    where epoch = ${of.epoch} and topic = ${record.topic} and key = ${record.key}`;
  return { isDead: false, failure: told };
}

/** Whose message it is; `null` for one that cannot be read. */
async function userOf(codec: Decoder, record: ParkedMessage["record"]): Promise<string | null> {
  try {
    const read = await readRecord(codec, record);
    const message: ReceivedMessage | null = "message" in read ? read.message : null;
    return message?.data.user_id ?? null;
  } catch {
    // The failure that made it a dead letter tells what is wrong with it.
    return null;
  }
}
