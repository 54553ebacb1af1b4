import type { Broker, TopicPartition } from "../broker.ts";
import type { Db } from "../postgres/db.ts";
import type { Message } from "../message.ts";
import { outboxChannel, type Encoder } from "../outbox/outbox.ts";
import type { Role } from "../role.ts";
import type { GroupName, TopicName } from "../topics.ts";
import { makeDependency } from "./dependency.ts";
import { isEpochChange, openGroup } from "./group-epoch.ts";
import { handleBatch } from "./handle-batch.ts";
import type { BatchHandler, Handler } from "./handler.ts";
import { checkRetention, keepInbox } from "./inbox-retention.ts";
import { laneCount } from "./lanes.ts";
import { makeFloodGuard, type Flood } from "./flood-guard.ts";
import { makeMeters } from "./meters.ts";
import { makeFates } from "./make-fates.ts";
import { readRecord, type Decoder } from "./read-record.ts";
import { runSession, timing, type Timing } from "./session.ts";
import { defaultTiersMs } from "./retry-tiers.ts";
import { makeSetAside } from "./set-aside.ts";
import { supervise } from "./supervise.ts";
import { makeControls } from "./controls.ts";
import { tellParked } from "./tell-parked.ts";
import { settlesWithin } from "../wait.ts";
import { makeWake } from "./wake.ts";
import { makeLaneWork } from "./work-lane.ts";
import { workParked } from "./work-parked.ts";

/** Connections a consumer uses at once: one per lane, one for parked keys, one to probe with. */
export const consumerConnections = laneCount + 2;

export type ConsumeOptions = Readonly<{
  broker: Pick<Broker, "join" | "admin">;
  /** Its pool needs `consumerConnections` for this consumer alone. */
  db: Pick<Db, "sql" | "transaction" | "notifier"> & Partial<Pick<Db, "listen">>;
  codec: Encoder & Decoder;
  topics: readonly TopicName[];
  group: GroupName;
  /**
   * How many batches may run side by side; 8 by default. Each is a transaction, and a transaction costs what it costs: with fewer
   * lanes more messages share one. A slow message holds up the keys of its lane.
   */
  lanes?: number;
  /** How long one batch's handlers may take; 30 s by default. */
  handlerMs?: number;
  /**
   * How long a message that keeps failing waits for each further try, its key's later messages behind it: 5 s, 30 s, 2 min, 10 min,
   * 1 h by default, each with full jitter. After the last it becomes a dead letter; with none, at once.
   */
  tiersMs?: readonly number[];
  /** When failures of many keys alike are taken for one failure of all. */
  flood?: Flood;
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
  const { notify } = notifier;
  const wake = makeWake();
  const probe = () => db.sql`select 1`;
  const dependency = makeDependency({ probe, log, stop });
  const flood = makeFloodGuard({ ...options.flood, log, stop, changed: meters.flooded });
  const controls = makeControls({
    db,
    group,
    log,
    stop,
    released: flood.release,
    changed: meters.pausedByOperator,
    heard: wake.now,
  });
  const isWaiting = () => dependency.isWaiting() || controls.isPaused() || flood.held() > 0;
  const tiersMs = options.tiersMs ?? defaultTiersMs;
  const times = { ...timing, ...options.timing };

  let tries = 0;
  let owned: readonly TopicPartition[] = [];
  const handlingIn = (epoch: number) => ({
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
  });

  const session = (epoch: number) => {
    const handling = handlingIn(epoch);
    const fates = makeFates({ ...handling, dependency, meters, notify, wake: wake.now });
    const common = { bury: fates.bury, log, now: role.now, stop };
    const work = makeLaneWork({
      ...common,
      read: (record) => readRecord(codec, record),
      handle: async (messages) => {
        const handled = await handleBatch(handling, messages).finally(() => tries++);
        if (handled.derived > 0) notify();
        return handled;
      },
      setAside: makeSetAside({
        ...common,
        park: fates.park,
        flood,
        tiersMs,
        isFatal: isEpochChange,
        retried: meters.retried,
      }),
      worked: flood.worked,
      dependency,
      meters,
    });
    return runSession({
      broker,
      group,
      topics,
      meters,
      log,
      work: async (items, end) => {
        await controls.open();
        if (!stop.aborted) await work(items, (error) => end({ kind: "fatal", error }));
      },
      isWaiting,
      tries: () => tries,
      onJoined: () => {
        joined = true;
      },
      onOwned: (partitions) => {
        owned = partitions;
        wake.now();
      },
      stop,
      giveUp: () => cutOff.abort(),
      timing: times,
      lanes: options.lanes ?? laneCount,
    });
  };

  /** Works parked keys beside the sessions; its failure ends them. */
  const parking = async (epoch: number) => {
    const handling = handlingIn(epoch);
    const mayWork = () => !controls.isPaused();
    try {
      await workParked({
        ...handling,
        sql: db.sql,
        owned: () => owned,
        mayWork,
        flood,
        dependency,
        meters,
        tiersMs,
        wake,
        notify,
        ending: stop,
      });
    } finally {
      here.abort();
    }
  };

  try {
    const epoch = await dependency.await(() => openGroup(db.sql, group));
    void keepInbox(db, log, stop);
    await dependency.await(() => checkRetention(broker.admin, group, topics));
    const controlling = controls.run();
    const parked = parking(epoch);
    const telling = tellParked({ sql: db.sql, epoch, topics, owned: () => owned, meters, log, stop });
    const supervising = supervise({ session: () => session(epoch), admin: broker.admin, meters, log, stop }).finally(
      () => here.abort(),
    );
    const stopping = new Promise<void>((resolve) => {
      stop.addEventListener("abort", () => resolve(), { once: true });
      if (stop.aborted) resolve();
    });
    // A handler of a parked key that will not end is cut off like one of a lane; neither it nor a question to a database that does
    // not answer is waited for.
    const given = stopping.then(async () => {
      if (await settlesWithin(times.drainMs, parked)) return;
      cutOff.abort();
      await settlesWithin(1_000, parked);
    });
    const besides = stopping.then(() => settlesWithin(1_000, Promise.all([controlling, telling])));
    const outcomes = await Promise.allSettled([supervising, Promise.race([parked, given]), besides]);
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed) throw failed.reason;
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
