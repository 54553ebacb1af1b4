import { setTimeout as sleep } from "node:timers/promises";
import type { Broker } from "../../shared/broker.ts";
import type { Log } from "../../shared/log.ts";
import type { FrameReader } from "./read-frame.ts";
import type { Frame } from "./update-frame.ts";

/** Someone who is brought up from the log to where memory begins. */
export type Reader = Readonly<{
  /** The first offset wanted. */
  from: bigint;
  take: (frame: Frame) => void;
  /** Called after all before `next` was given; true when memory covers the rest, and the reader is done. */
  reached: (next: bigint) => boolean;
  room: () => Promise<void>;
  ended: () => boolean;
  /** It cannot be brought up: the log did not answer, or it takes nothing itself. */
  failed: () => void;
}>;

export type LogReading = Readonly<{ read: (partition: number, reader: Reader) => void }>;

type Options = Readonly<{
  tail: Broker["tail"];
  readFrame: FrameReader;
  epoch: () => string;
  log: Log;
  signal: AbortSignal;
}>;

const patienceMs = 5_000;

/**
 * Reads the log for clients that are behind the ring: one pass at a time per partition, shared by all that are behind in it.
 * Who comes while a pass runs and is not ahead of it is served by the next pass, the others join. The slowest holds a pass
 * up for 5 s at most.
 */
export function makeLogReading(options: Options): LogReading {
  const running = new Map<number, { at: bigint; readers: Set<Reader>; waiting: Set<Reader> }>();
  const start = (partition: number, readers: Set<Reader>) => {
    const at = [...readers].reduce((least, { from }) => (from < least ? from : least), 2n ** 62n);
    const pass = { at, readers, waiting: new Set<Reader>() };
    running.set(partition, pass);
    runPass(partition, pass, options)
      .catch((error: unknown) => options.log.warn("log_reading_failed", { partition, error }))
      .finally(() => {
        for (const reader of pass.readers) reader.failed();
        running.delete(partition);
        if (pass.waiting.size > 0) start(partition, pass.waiting);
      });
  };
  return {
    read: (partition, reader) => {
      const pass = running.get(partition);
      if (pass === undefined) start(partition, new Set([reader]));
      else if (reader.from >= pass.at && pass.readers.size > 0) pass.readers.add(reader);
      else pass.waiting.add(reader);
    },
  };
}

async function runPass(
  partition: number,
  pass: { at: bigint; readers: Set<Reader> },
  { tail, readFrame, epoch, signal }: Options,
): Promise<void> {
  const stop = new AbortController();
  const over = AbortSignal.any([signal, stop.signal]);
  const startedIn = epoch();
  // A log that says nothing for so long will not say more: what it should have is gone or cannot be reached.
  let silence = setTimeout(() => stop.abort(), patienceMs);
  try {
    for await (const records of tail({
      topic: "task-updates",
      from: new Map([[partition, pass.at]]),
      signal: over,
    })) {
      clearTimeout(silence);
      const frames = await Promise.all(records.map((record) => readFrame(record, startedIn)));
      if (over.aborted || epoch() !== startedIn) return;
      for (const [index, { offset }] of records.entries()) {
        const frame = frames[index];
        if (frame) for (const reader of pass.readers) if (offset >= reader.from) reader.take(frame);
        pass.at = offset + 1n;
      }
      for (const reader of pass.readers)
        if (reader.ended() || (pass.at >= reader.from && reader.reached(pass.at))) pass.readers.delete(reader);
      if (pass.readers.size === 0) return;
      await Promise.all(
        [...pass.readers].map(async (reader) => {
          if (await isLate(reader.room())) {
            pass.readers.delete(reader);
            reader.failed();
          }
        }),
      );
      if (pass.readers.size === 0) return;
      silence = setTimeout(() => stop.abort(), patienceMs);
    }
  } finally {
    clearTimeout(silence);
    stop.abort();
  }
}

async function isLate(room: Promise<void>): Promise<boolean> {
  const timer = new AbortController();
  try {
    return await Promise.race([
      room.then(() => false),
      sleep(patienceMs, true, { signal: timer.signal }).catch(() => true),
    ]);
  } finally {
    timer.abort();
  }
}
