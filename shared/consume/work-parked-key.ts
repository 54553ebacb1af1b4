import type { Received } from "../message.ts";
import type { Db, Tx } from "../postgres/db.ts";
import type { GroupName } from "../topics.ts";
import { classify, isConflict, type FailureClass } from "./classify.ts";
import { describeFailure, inboxEntryOf, type Attempt } from "./dead-letter.ts";
import { isEpochChange, shareGroup } from "./group-epoch.ts";
import { changeFate } from "./inbox.ts";
import { historyText, readQueue, type KeyOf, type ParkedMessage } from "./parked-queue.ts";
import { readRecord, type Decoder } from "./read-record.ts";
import { nextTry } from "./retry-tiers.ts";
import { runHandler, type RunHandler } from "./run-handler.ts";
import { attemptOf } from "./set-aside.ts";
import { writeDeadLetter } from "./write-dead-letter.ts";

export type WorkParkedKey = Omit<RunHandler, "codec"> &
  Readonly<{
    codec: RunHandler["codec"] & Decoder;
    db: Pick<Db, "transaction">;
    group: GroupName;
    epoch: number;
    tiersMs: readonly number[];
  }>;

export type Failure = Readonly<{
  class: FailureClass;
  error: unknown;
  attempts: number;
  record: ParkedMessage["record"];
}>;

/** What a visit to a parked key came to. `released`: nobody waits there any more. */
export type Visit = Readonly<{
  done: readonly ParkedMessage[];
  dead: readonly Failure[];
  /** The head failed and waits for its next try. */
  failed: Failure | null;
  derived: number;
  released: boolean;
}>;

const nothing: Visit = { done: [], dead: [], failed: null, derived: 0, released: false };
const batchSize = 50;
/** A visit ends after so long, so that what arrives for the key is not kept waiting for its lock. */
const visitMs = 250;

/**
 * Works the head of a parked key that is due, then what waits behind it, in one transaction that holds the key's lock. What fails is
 * undone to its savepoint, and the try is counted in the same transaction; after the last one it becomes a dead letter and
 * the next is the head. A key somebody else holds, or that is not due, is left alone. Rejects, nothing changed and no try counted,
 * with what `classOf` says is down, with deadlocks, and with a reset of the group.
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

type Head = Readonly<{ attempts: number; class: string | null }>;

async function lockDue(of: WorkParkedKey, tx: Tx, key: KeyOf): Promise<Head | null> {
  const [, rows] = await Promise.all([
    shareGroup(tx, of.group, of.epoch),
    tx<Head[]>`
      select attempts, class from parked_keys
      where epoch = ${of.epoch} and topic = ${key.topic} and key = ${key.key} and next_at <= clock_timestamp()
      for update skip locked`,
  ]);
  return rows[0] ?? null;
}

type Work = WorkParkedKey & Readonly<{ classOf: (error: unknown) => FailureClass }>;

async function workQueue(of: Work, tx: Tx, queue: readonly ParkedMessage[], first: Head) {
  const done: ParkedMessage[] = [];
  const dead: Failure[] = [];
  let failed: Failure | null = null;
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
async function attempt(of: Work, tx: Tx, { record }: ParkedMessage, derived: (count: number) => void) {
  try {
    await tx.savepoint(async (inner) => {
      const moved = await changeFate(inner, of.epoch, { from: "parked", to: "done" }, [inboxEntryOf(record)]);
      // Not waiting any more by its inbox: it must not be handled again.
      if (moved.size === 0) return;
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

async function afterFailure(of: Work, tx: Tx, message: ParkedMessage, head: Head, error: unknown) {
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
    const message: Received | null = "message" in read ? read.message : null;
    return message?.data.user_id ?? null;
  } catch {
    // The failure that made it a dead letter tells what is wrong with it.
    return null;
  }
}
