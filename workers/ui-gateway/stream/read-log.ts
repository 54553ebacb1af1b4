import { makeBreathe } from "../../../shared/waiting/breathe.ts";
import type { Broker } from "../../../shared/messages/broker.ts";
import type { Log } from "../../../shared/role/log.ts";
import { orAborted, settlesWithin } from "../../../shared/waiting/wait.ts";
import type { FrameReader } from "./read-frame.ts";
import type { Frame } from "./update-frame.ts";

/** Someone who is brought up from the log to where memory begins. */
type LogReader = Readonly<{
  /** Records with another key are passed over unread. */
  userId: string;
  /** The first offset wanted. */
  from: bigint;
  take: (frame: Frame) => void;
  /** Whether memory has everything from `next` on, so that the log need not be read further. */
  isCovered: (next: bigint) => boolean;
  /** `null` when it takes more at once. */
  room: () => Promise<void> | null;
  /** Aborted when it wants nothing more: it leaves at once, and a pass that nobody is left in ends at once. */
  signal: AbortSignal;
}>;

type LogReading = Readonly<{
  /**
   * Resolves with the offset up to which everything was given, or `null` when the log stands still or the reader has
   * left.
   */
  done: Promise<bigint | null>;
  /** The first offset that has not been read for it yet. */
  next: () => bigint;
}>;

export type ReadLog = (partition: number, reader: LogReader) => LogReading;

type Seat = { readonly reader: LogReader; leave: (next: bigint | null) => void; next: () => bigint };
type Seats = Readonly<{ since: bigint; seats: Set<Seat> }>;
/** `at`: the first offset not read yet. A pass without users is over. */
type LogPass = Readonly<{ users: Map<string, Seats>; waiting: Set<Seat>; stop: AbortController }> & { at: bigint };

type LogReaderOptions = Readonly<{
  tail: Broker["tail"];
  readFrame: FrameReader;
  epoch: () => string;
  /** So many records were read for a user. */
  charge: (userId: string, records: number) => void;
  log: Log;
  signal: AbortSignal;
}>;

const patienceMs = 5_000;

/**
 * Reads the log for clients that are behind the ring: one pass at a time per partition, shared by all that are behind
 * in it. Who comes while a pass runs joins it unless it is past them already; then they wait for the next. The slowest
 * holds a pass up for 5 s at most. Other requests have their turn between two records.
 */
export function makeReadLog(options: LogReaderOptions): ReadLog {
  const running = new Map<number, LogPass>();
  const start = (partition: number, seats: ReadonlySet<Seat>) => {
    const at = [...seats].reduce((least, { reader }) => (reader.from < least ? reader.from : least), 2n ** 62n);
    const pass: LogPass = { at, users: new Map(), waiting: new Set(), stop: new AbortController() };
    running.set(partition, pass);
    for (const seat of seats) sit(pass, seat, options.charge);
    runPass(partition, pass, options)
      .catch((error: unknown) => options.log.warn("log_reading_failed", { partition, error }))
      .finally(() => {
        for (const seat of seatsOf(pass)) seat.leave(null);
        running.delete(partition);
        if (pass.waiting.size > 0) start(partition, pass.waiting);
      });
  };
  return (partition, reader) => {
    const { promise, resolve } = Promise.withResolvers<bigint | null>();
    const seat: Seat = { reader, leave: resolve, next: () => reader.from };
    const pass = running.get(partition);
    if (reader.signal.aborted) resolve(null);
    else if (pass === undefined) start(partition, new Set([seat]));
    else if (reader.from >= pass.at && pass.users.size > 0) sit(pass, seat, options.charge);
    else {
      const giveUp = () => seat.leave(null);
      seat.leave = (next) => {
        pass.waiting.delete(seat);
        reader.signal.removeEventListener("abort", giveUp);
        resolve(next);
      };
      pass.waiting.add(seat);
      reader.signal.addEventListener("abort", giveUp);
    }
    return { done: promise, next: () => seat.next() };
  };
}

/**
 * Takes a seat in a pass until it leaves or its reader does. The last of a user to leave settles what was read for
 * them.
 */
function sit(pass: LogPass, seat: Seat, charge: LogReaderOptions["charge"]): void {
  const { reader, leave } = seat;
  const own: Seats = pass.users.get(reader.userId) ?? { since: pass.at, seats: new Set() };
  pass.users.set(reader.userId, own);
  own.seats.add(seat);
  const next = () => (pass.at > reader.from ? pass.at : reader.from);
  const giveUp = () => seat.leave(null);
  seat.next = next;
  seat.leave = (upTo) => {
    if (!own.seats.delete(seat)) return;
    reader.signal.removeEventListener("abort", giveUp);
    const last = next();
    seat.next = () => last;
    if (own.seats.size === 0) {
      pass.users.delete(reader.userId);
      charge(reader.userId, Number(pass.at - own.since));
    }
    if (pass.users.size === 0) pass.stop.abort();
    leave(upTo);
  };
  reader.signal.addEventListener("abort", giveUp);
}

function seatsOf(pass: LogPass): readonly Seat[] {
  return [...pass.users.values()].flatMap(({ seats }) => [...seats]);
}

async function runPass(partition: number, pass: LogPass, options: LogReaderOptions): Promise<void> {
  const { tail, readFrame, epoch } = options;
  const over = AbortSignal.any([options.signal, pass.stop.signal]);
  const startedIn = epoch();
  const breathe = makeBreathe();
  const from = new Map([[partition, pass.at]]);
  // A log that says nothing for so long will not say more: what it should have is gone or cannot be reached.
  let silence = setTimeout(() => pass.stop.abort(), patienceMs);
  try {
    for await (const { records, next } of tail({ topic: "task-updates", from, signal: over })) {
      const upTo = next.get(partition) ?? pass.at;
      if (upTo === pass.at) continue;
      clearTimeout(silence);
      for (const record of records) {
        if (over.aborted || epoch() !== startedIn) return;
        const own = record.key === null ? undefined : pass.users.get(record.key);
        const frame = own && (await readFrame(record, startedIn));
        // Looked at after the reading: who has left meanwhile is given nothing.
        const given = frame ? [...own.seats].filter(({ reader }) => record.offset >= reader.from) : [];
        if (frame) for (const { reader } of given) reader.take(frame);
        pass.at = record.offset + 1n;
        if (given.length > 0) await orAborted(waitForSlowest(given), over);
        await breathe();
      }
      // Beyond holes behind the last record, too.
      if (upTo > pass.at) pass.at = upTo;
      for (const seat of seatsOf(pass))
        if (pass.at >= seat.reader.from && seat.reader.isCovered(pass.at)) seat.leave(pass.at);
      if (pass.users.size === 0) return;
      silence = setTimeout(() => pass.stop.abort(), patienceMs);
    }
  } finally {
    clearTimeout(silence);
    pass.stop.abort();
  }
}

async function waitForSlowest(seats: readonly Seat[]): Promise<void> {
  await Promise.all(
    seats.map(async (seat) => {
      const room = seat.reader.room();
      if (room !== null && !(await settlesWithin(patienceMs, room))) seat.leave(null);
    }),
  );
}
