import type { Log } from "../log.ts";
import { classify } from "./classify.ts";
import type { Received } from "../message.ts";
import type { Failed, SetAside } from "./set-aside.ts";
import { positionOf } from "./set-aside.ts";
import type { Dependency } from "./dependency.ts";
import type { Handled } from "./handle-batch.ts";
import type { Item, Outcome, Readable } from "./item.ts";
import type { Meters } from "./meters.ts";
import type { ReadResult } from "./read-record.ts";
import type { Fetched } from "../broker.ts";

export type LaneWork = Readonly<{
  read: (record: Fetched) => Promise<ReadResult>;
  handle: (messages: readonly Received[]) => Promise<Handled>;
  bury: (failed: Failed) => Promise<void>;
  setAside: (failed: SetAside) => Promise<"handled" | "parked" | "dead">;
  /** Called for every message that was handled well. */
  worked: (key: string) => void;
  dependency: Dependency;
  meters: Meters;
  log: Log;
  now: () => Date;
  stop: AbortSignal;
}>;

/**
 * Takes a lane's batch to its end: every item is finished once its fate is durable. If the batch fails it is run again one
 * by one, so that only what fails by itself is set aside. Never rejects; what a stop cut short is left unfinished. `fatal` is told
 * of what the consumer cannot go on after: a reset of its group, a dead letter that cannot be written.
 */
export function makeLaneWork(of: LaneWork) {
  const { dependency, meters, log } = of;

  const settle = (item: Item, outcome: Outcome, began: number, message?: Received) => {
    item.tracked.finish();
    meters.settled(item.record.topic, outcome);
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

  /** Leaves out what needs no handler: types this build does not know, and what cannot be read by any. */
  const readAll = async (items: readonly Item[], began: number): Promise<readonly Readable[]> => {
    const readable: Readable[] = [];
    for (const item of items) {
      const read = async () => {
        const result = await dependency.await(() => of.read(item.record));
        if ("message" in result) readable.push({ item, message: result.message });
        else settle(item, "skipped", began);
      };
      try {
        await read();
      } catch (error) {
        if (of.stop.aborted) throw error;
        // What is no record will never be one; anything else that keeps it from being read is tried again like a handler's failure.
        if (classify(error) === "invalid")
          await of.bury({ record: item.record, userId: null, class: "invalid", error, attempts: [] });
        else {
          const fate = await of.setAside({ record: item.record, userId: null, error, again: read });
          if (fate === "handled") continue;
          settle(item, fate, began);
          continue;
        }
        settle(item, "dead", began);
      }
    }
    return readable;
  };

  const handleAll = async (batch: readonly Readable[], began: number): Promise<void> => {
    const { handled, parked, derived } = await dependency.retry(() => of.handle(batch.map(({ message }) => message)));
    meters.derived(derived);
    for (const { item, message } of batch) {
      if (handled.has(message)) of.worked(`${message.topic}/${message.key}`);
      settle(item, handled.has(message) ? "done" : parked.has(message) ? "parked" : "duplicate", began, message);
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

  return async (items: readonly Item[], fatal: (error: unknown) => void): Promise<void> => {
    const began = performance.now();
    try {
      const batch = await readAll(
        items.filter(({ tracked }) => tracked.isOwned()),
        began,
      );
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
    } catch (error) {
      if (of.stop.aborted) log.info("batch_left_at_stop", { size: items.length });
      else fatal(error);
    }
  };
}
