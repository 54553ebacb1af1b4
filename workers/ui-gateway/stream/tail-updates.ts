import { backoff, sleep } from "../../../shared/waiting/wait.ts";
import type { Broker, FetchedRecord } from "../../../shared/messages/broker.ts";
import type { Log } from "../../../shared/role/log.ts";
import type { Freshness } from "./freshness.ts";
import type { Hub } from "./hub.ts";
import type { ResetReason } from "./reset-reasons.ts";
import type { FrameReader } from "./read-frame.ts";
import type { Frame } from "./update-frame.ts";

/** Between tries of what is away. */
const pace = { baseMs: 100, maxMs: 5_000 };

type TailUpdates = Readonly<{
  broker: Pick<Broker, "tail"> & Readonly<{ admin: Pick<Broker["admin"], "offsets"> }>;
  hub: Hub;
  readFrame: FrameReader;
  /** The stream epoch of task-updates; rejects while the topic has none. */
  readEpoch: () => Promise<string>;
  /**
   * How many records of each partition are read again at the start, so that clients of a replaced instance go on from
   * memory.
   */
  warmRecords: bigint;
  /** Told of every record once its user's streams have it, while live. */
  onGiven: (record: FetchedRecord) => void;
  freshness: Pick<Freshness, "heard" | "expect">;
  log: Log;
  signal: AbortSignal;
}>;

const watchEpochEveryMs = 2_000;

/**
 * Feeds the hub with every partition of task-updates until `signal` is aborted; no group, nothing to commit. Starts
 * anew, telling all clients to read again, when the topic was made anew or the log no longer has the next record.
 */
export async function tailUpdates({ signal, log, ...options }: TailUpdates): Promise<void> {
  let reason: ResetReason = "epoch";
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      reason = await tailOneEpoch({ ...options, log, signal, reason, progressed: () => (failures = 0) });
    } catch (error) {
      reason = "gap";
      if (!signal.aborted) log.warn("updates_interrupted", { failures, error });
    }
    await sleep(backoff(failures, pace), signal);
  }
}

async function tailOneEpoch(
  options: TailUpdates & Readonly<{ reason: ResetReason; progressed: () => void }>,
): Promise<ResetReason> {
  const { broker, hub, readFrame, readEpoch, freshness, warmRecords, log, signal } = options;
  const epoch = await readEpoch();
  const [starts, ends] = await Promise.all([
    broker.admin.offsets("task-updates", "start"),
    broker.admin.offsets("task-updates", "end"),
  ]);
  if (ends.size === 0) throw new Error("task-updates has no partitions");
  const from = new Map(
    [...ends].map(([partition, end]) => {
      const start = starts.get(partition) ?? 0n;
      return [partition, end - warmRecords > start ? end - warmRecords : start] as const;
    }),
  );
  hub.restart(epoch, from, options.reason);
  const hasReadAll = () => [...ends].every(([partition, end]) => (hub.ringOf(partition)?.next() ?? 0n) >= end);
  const goLive = () => {
    if (hub.isLive() || !hasReadAll()) return;
    hub.setLive();
    log.info("updates_live", { epoch, partitions: ends.size });
  };
  goLive();
  const replaced = new AbortController();
  const watch = setInterval(() => {
    readEpoch().then(
      (now) => now !== epoch && replaced.abort(),
      (error: unknown) => log.warn("epoch_unknown", { error }),
    );
  }, watchEpochEveryMs);
  try {
    const over = AbortSignal.any([signal, replaced.signal]);
    for await (const answer of broker.tail({ topic: "task-updates", from, grows: true, signal: over })) {
      const { records, next, partitions } = answer;
      hub.grow(partitions);
      freshness.expect(Array.from({ length: partitions }, (_, partition) => partition));
      const frames = await Promise.all(records.map((record) => readPatiently(record, epoch, readFrame, log, over)));
      if (over.aborted) break;
      for (const [index, record] of records.entries()) {
        hub.take(record.partition, record.offset, frames[index] ?? null);
        if (hub.isLive()) options.onGiven(record);
      }
      for (const [partition, offset] of next) hub.pass(partition, offset);
      // Not before: a record that waits for its schema is not heard of yet.
      freshness.heard(next.keys());
      options.progressed();
      goLive();
    }
  } finally {
    clearInterval(watch);
  }
  return replaced.signal.aborted ? "epoch" : "gap";
}

/**
 * A record whose schema cannot be fetched yet holds everything behind it up: skipping it would lose a change in
 * silence.
 */
async function readPatiently(
  record: FetchedRecord,
  epoch: string,
  readFrame: FrameReader,
  log: Log,
  signal: AbortSignal,
): Promise<Frame | null> {
  for (let failures = 0; ; failures++) {
    try {
      return await readFrame(record, epoch);
    } catch (error) {
      if (signal.aborted) return null;
      log.warn("update_waits_for_registry", { failures, error });
      await sleep(backoff(failures, pace), signal);
    }
  }
}
