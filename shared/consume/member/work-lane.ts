import type { Log } from "../../role/log.ts";
import { classify } from "../failure/classify.ts";
import type { ReceivedMessage } from "../../messages/message.ts";
import type { SetAside } from "../failure/set-aside.ts";
import type { FailedMessage } from "../failure/failed.ts";
import { positionOf } from "../failure/failed.ts";
import type { LaneDependency } from "../failure/dependency.ts";
import type { BatchResult, ReadResult } from "../handle-batch.ts";
import type { QueuedRecord, MessageOutcome, Readable } from "./item.ts";
import type { ConsumerMeters } from "../meters.ts";
import type { FetchedRecord } from "../../messages/broker.ts";

export type LaneWork = Readonly<{
  /** `null` for what does not concern the group. */
  read: (record: FetchedRecord) => Promise<ReadResult | null>;
  handle: (messages: readonly ReceivedMessage[]) => Promise<BatchResult>;
  giveUp: (failed: FailedMessage) => Promise<void>;
  setAside: (failed: SetAside) => Promise<"handled" | "parked" | "dead">;
  /** Called for every message that was handled well. */
  worked: (key: string) => void;
  /** Called for every record whose fate is settled. */
  settled: (record: FetchedRecord, outcome: MessageOutcome) => void;
  dependency: LaneDependency;
  meters: ConsumerMeters;
  log: Log;
  now: () => Date;
  stop: AbortSignal;
}>;

/**
 * Handles a lane's batch until every item has a durable fate. If the batch fails, its messages are handled one per
 * transaction, so that only those that fail by themselves are set aside. At a record that cannot be read the batch is
 * cut in two, which keeps the order per key. Never rejects; items that a stop cut short stay unfinished. `fatal` gets
 * errors after which the consumer cannot go on: a reset of its group, a dead letter that cannot be written.
 */
export function makeLaneWork(of: LaneWork) {
  const { dependency, meters, log } = of;

  const settle = (item: QueuedRecord, outcome: MessageOutcome, began: number, message?: ReceivedMessage) => {
    item.tracked.finish();
    meters.settled(item.record.topic, outcome);
    of.settled(item.record, outcome);
    if (outcome === "done") meters.delay(item.record.topic, of.now().getTime() - item.record.timestamp);
    log.debug("message_settled", {
      ...positionOf(item.record),
      outcome,
      type: message?.type,
      id: message?.id,
      correlationId: message?.correlationId,
      ms: performance.now() - began,
    });
  };

  /**
   * Reads a record; what needs no handler, because this build does not know its type or it does not concern the group,
   * is settled here.
   */
  const readOne = async (item: QueuedRecord, began: number): Promise<Readable | null> => {
    const result = await of.read(item.record);
    if (result !== null && "message" in result) return { item, message: result.message };
    settle(item, "skipped", began);
    return null;
  };

  /**
   * Up to the first record that cannot be read now: what comes before it must be handled before anything is done about
   * it.
   */
  const readAll = async (items: readonly QueuedRecord[], began: number): Promise<Batch> => {
    const readable: Readable[] = [];
    for (const [at, item] of items.entries())
      try {
        const one = await readOne(item, began);
        if (one !== null) readable.push(one);
      } catch (error) {
        if (of.stop.aborted) throw error;
        return { readable, unreadable: { item, error }, rest: items.slice(at + 1) };
      }
    return { readable, unreadable: null, rest: [] };
  };

  /**
   * Waits for the schema of a record. Resolves with the message once it can be read, with `null` when the record was
   * settled otherwise.
   */
  const readLate = async ({ item, error: first }: Unreadable, began: number): Promise<Readable | null> => {
    let late: Readable | null = null;
    const again = async () => {
      late = await dependency.await(() => readOne(item, began));
    };
    try {
      if (classify(first) !== "dependency_down") throw first;
      await again();
    } catch (error) {
      if (of.stop.aborted) throw error;
      // What is no record will never be one; anything else that keeps it from being read is tried again like a
      // handler's failure.
      if (classify(error) === "invalid") {
        await of.giveUp({ record: item.record, userId: null, class: "invalid", error, attempts: [] });
        settle(item, "dead", began);
      } else {
        const fate = await of.setAside({ record: item.record, userId: null, error, again });
        if (fate !== "handled") settle(item, fate, began);
      }
    }
    return late;
  };

  const handleAll = async (batch: readonly Readable[], began: number): Promise<void> => {
    const { handled, parked, lost, derived } = await dependency.retry(() =>
      of.handle(batch.map(({ message }) => message)),
    );
    meters.derived(derived);
    for (const { item, message } of batch) {
      if (handled.has(message)) of.worked(`${message.topic}/${message.key}`);
      const news = handled.has(message) ? "done" : parked.has(message) ? "parked" : null;
      settle(item, news ?? (lost.has(message) ? "lost" : "duplicate"), began, message);
    }
  };

  const handleOne = async (one: Readable, began: number): Promise<void> => {
    try {
      await handleAll([one], began);
    } catch (error) {
      const fate = await of.setAside({
        record: one.item.record,
        userId: one.message.data.user_id,
        error,
        again: () => handleAll([one], began),
      });
      if (fate !== "handled") settle(one.item, fate, began, one.message);
    }
  };

  const handleBatch = async (batch: readonly Readable[], began: number): Promise<void> => {
    if (batch.length === 0) return;
    if (batch.length > 1) {
      try {
        await handleAll(batch, began);
        return meters.batch(performance.now() - began);
      } catch (error) {
        if (of.stop.aborted) throw error;
        log.warn("batch_failed", { size: batch.length, first: batch[0]?.message.id, error });
      }
    }
    for (const one of batch) await handleOne(one, began);
    meters.batch(performance.now() - began);
  };

  return async (items: readonly QueuedRecord[], fatal: (error: unknown) => void): Promise<void> => {
    const began = performance.now();
    try {
      for (let left = items; left.length > 0;) {
        const { readable, unreadable, rest } = await readAll(
          left.filter(({ tracked }) => tracked.isOwned()),
          began,
        );
        await handleBatch(readable, began);
        const late = unreadable === null ? null : await readLate(unreadable, began);
        if (late !== null) await handleOne(late, began);
        left = rest;
      }
    } catch (error) {
      if (of.stop.aborted) log.info("batch_left_at_stop", { size: items.length });
      else fatal(error);
    }
  };
}

type Unreadable = Readonly<{ item: QueuedRecord; error: unknown }>;
type Batch = Readonly<{ readable: readonly Readable[]; unreadable: Unreadable | null; rest: readonly QueuedRecord[] }>;
