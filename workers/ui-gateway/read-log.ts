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
  /** Whether memory has everything from `next` on, so that the log need not be read further. */
  isCovered: (next: bigint) => boolean;
  /** `null` when it takes more at once. */
  room: () => Promise<void> | null;
  ended: () => boolean;
}>;

/** Resolves with the offset up to which everything was given, or `null` when the log or the reader stands still. */
export type ReadLog = (partition: number, reader: Reader) => Promise<bigint | null>;

type Seat = Readonly<{ reader: Reader; leave: (next: bigint | null) => void }>;
type Pass = { at: bigint; seats: Set<Seat>; waiting: Set<Seat> };

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
 * Who comes while a pass runs joins it unless it is past them already; then they wait for the next. The slowest holds a pass
 * up for 5 s at most.
 */
export function makeReadLog(options: Options): ReadLog {
  const running = new Map<number, Pass>();
  const start = (partition: number, seats: Set<Seat>) => {
    const at = [...seats].reduce((least, { reader }) => (reader.from < least ? reader.from : least), 2n ** 62n);
    const pass: Pass = { at, seats, waiting: new Set() };
    running.set(partition, pass);
    runPass(partition, pass, options)
      .catch((error: unknown) => options.log.warn("log_reading_failed", { partition, error }))
      .finally(() => {
        for (const seat of pass.seats) seat.leave(null);
        running.delete(partition);
        if (pass.waiting.size > 0) start(partition, pass.waiting);
      });
  };
  return (partition, reader) =>
    new Promise((leave) => {
      const seat = { reader, leave };
      const pass = running.get(partition);
      if (pass === undefined) start(partition, new Set([seat]));
      else if (reader.from >= pass.at && pass.seats.size > 0) pass.seats.add(seat);
      else pass.waiting.add(seat);
    });
}

async function runPass(partition: number, pass: Pass, { tail, readFrame, epoch, signal }: Options): Promise<void> {
  const stop = new AbortController();
  const over = AbortSignal.any([signal, stop.signal]);
  const startedIn = epoch();
  const from = new Map([[partition, pass.at]]);
  // A log that says nothing for so long will not say more: what it should have is gone or cannot be reached.
  let silence = setTimeout(() => stop.abort(), patienceMs);
  try {
    for await (const records of tail({ topic: "task-updates", from, signal: over })) {
      clearTimeout(silence);
      const frames = await Promise.all(records.map((record) => readFrame(record, startedIn)));
      for (const [index, { offset }] of records.entries()) {
        if (over.aborted || epoch() !== startedIn) return;
        const frame = frames[index];
        if (frame) for (const { reader } of pass.seats) if (offset >= reader.from) reader.take(frame);
        pass.at = offset + 1n;
        await waitForSlowest(pass);
      }
      for (const seat of pass.seats)
        if (seat.reader.ended() || (pass.at >= seat.reader.from && seat.reader.isCovered(pass.at)))
          leave(pass, seat, pass.at);
      if (pass.seats.size === 0) return;
      silence = setTimeout(() => stop.abort(), patienceMs);
    }
  } finally {
    clearTimeout(silence);
    stop.abort();
  }
}

function leave(pass: Pass, seat: Seat, next: bigint | null): void {
  pass.seats.delete(seat);
  seat.leave(next);
}

async function waitForSlowest(pass: Pass): Promise<void> {
  const full = [...pass.seats].flatMap((seat) => {
    const room = seat.reader.room();
    return room === null ? [] : [{ seat, room }];
  });
  if (full.length === 0) return;
  await Promise.all(
    full.map(async ({ seat, room }) => {
      if (await isLate(room)) leave(pass, seat, null);
    }),
  );
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
