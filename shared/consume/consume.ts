import type { Broker } from "../broker.ts";
import type { Db } from "../postgres/db.ts";
import type { Message } from "../message.ts";
import { outboxChannel, type Encoder } from "../outbox/outbox.ts";
import type { Role } from "../role.ts";
import type { GroupName, TopicName } from "../topics.ts";
import { bury } from "./bury.ts";
import { makeDependency } from "./dependency.ts";
import { isEpochChange, openGroup } from "./group-epoch.ts";
import { handleBatch } from "./handle-batch.ts";
import type { BatchHandler, Handler } from "./handler.ts";
import { checkRetention, keepInbox } from "./inbox-retention.ts";
import { laneCount } from "./lanes.ts";
import { makeMeters } from "./meters.ts";
import { readRecord, type Decoder } from "./read-record.ts";
import { runSession, timing, type Timing } from "./session.ts";
import { makeSetAside, positionOf, type Buried } from "./set-aside.ts";
import { supervise } from "./supervise.ts";
import { makeLaneWork } from "./work-lane.ts";

/** Connections a consumer uses at once: one per lane, one to probe with, one to spare. */
export const consumerConnections = laneCount + 2;

export type ConsumeOptions = Readonly<{
  broker: Pick<Broker, "join" | "admin">;
  /** Its pool needs `consumerConnections` for this consumer alone. */
  db: Pick<Db, "sql" | "transaction" | "notifier">;
  codec: Encoder & Decoder;
  topics: readonly TopicName[];
  group: GroupName;
  /** How long one batch's handlers may take; 30 s by default. */
  handlerMs?: number;
  /** For tests that cannot wait. */
  timing?: Partial<Timing>;
}> &
  (Readonly<{ handle: Handler }> | Readonly<{ handleBatch: BatchHandler }>);

/**
 * Reads topics as a member of a group and hands every message to the handler: at least once, in order per key, with its effect in
 * Postgres exactly once. Settles when `role.signal` is aborted and what was handled is committed; a clean stop repeats nothing.
 * Rejects with what this process cannot mend: a reset of its group, a member that stands still, an inbox that forgets too soon.
 */
export async function consume(options: ConsumeOptions, role: Role): Promise<void> {
  const { broker, db, codec, topics, group } = options;
  const log = role.log.with({ group });
  const meters = makeMeters(role.metrics, group);
  let joined = false;
  role.readyWhen(`consumer ${group}`, () => joined);
  let sound = true;
  role.healthyWhile(`consumer ${group}`, () => sound);

  // Stops what runs beside the sessions, whichever way this function ends.
  const here = new AbortController();
  const stop = AbortSignal.any([role.signal, here.signal]);
  const cutOff = new AbortController();
  const notifier = db.notifier(outboxChannel);
  const probe = () => db.sql`select 1`;
  const dependency = makeDependency({ probe, log, stop });

  let tries = 0;
  const session = (epoch: number) => {
    const handling = {
      db,
      codec,
      group,
      epoch,
      log,
      source: role.name,
      handle: "handleBatch" in options ? options.handleBatch : oneByOne(options.handle),
      handlerMs: options.handlerMs ?? 30_000,
      now: role.now,
      stop: cutOff.signal,
    };
    const buryRecord = async (dead: Buried) => {
      await dependency.retry(() => bury({ db, group, epoch, now: role.now }, dead));
      notifier.notify();
      meters.dead(dead.class);
      const { record, error, attempts } = dead;
      log.error("message_dead", { ...positionOf(record), class: dead.class, attempts: attempts.length, error });
    };
    const common = { bury: buryRecord, log, now: role.now, stop };
    const work = makeLaneWork({
      ...common,
      read: (record) => readRecord(codec, record),
      handle: async (messages) => {
        const handled = await handleBatch(handling, messages).finally(() => tries++);
        if (handled.derived > 0) notifier.notify();
        return handled;
      },
      setAside: makeSetAside({ ...common, isFatal: isEpochChange, retried: meters.retried }),
      dependency,
      meters,
    });
    return runSession({
      broker,
      group,
      topics,
      meters,
      log,
      work: (items, end) => work(items, (error) => end({ kind: "fatal", error })),
      isWaiting: dependency.isWaiting,
      tries: () => tries,
      onJoined: () => {
        joined = true;
      },
      stop: role.signal,
      giveUp: () => cutOff.abort(),
      timing: { ...timing, ...options.timing },
    });
  };

  try {
    const epoch = await dependency.await(() => openGroup(db.sql, group));
    void keepInbox(db, log, stop);
    await dependency.await(() => checkRetention(broker.admin, group, topics));
    await supervise({ session: () => session(epoch), admin: broker.admin, meters, log, stop: role.signal });
  } catch (error) {
    if (role.signal.aborted) return log.warn("consumer_cut_short", { error });
    sound = false;
    throw error;
  } finally {
    here.abort();
    await notifier[Symbol.asyncDispose]();
  }
}

/** The batch form of a handler: one message after the other, so that each sees what those before it did. */
function oneByOne(handle: Handler): BatchHandler {
  return async (messages, context) => {
    const answers: (readonly Message[])[] = [];
    for (const message of messages) answers.push(await handle(message, context));
    return answers;
  };
}
