import { outageOf } from "../consume/failure/classify.ts";
import type { Log } from "../role/log.ts";
import type { DatabaseClock } from "../postgres/database-clock.ts";
import type { Fire, FiringOutcome, Wakeup } from "./due-rows.ts";
import { makeFairQueue } from "./fair-queue.ts";

export type FiringPath = "job" | "sweeper";

export type Firer = Readonly<{
  /** Keeps the wake-up in memory until it is due by the database's clock, then fires it when its turn comes. */
  take: (wakeup: Wakeup) => void;
  /** Rows that are overdue wait for their turn with the rest; returns how many did not already, nor are being fired. */
  offer: (overdue: readonly Wakeup[]) => number;
  /** How many are due here and wait for a batch. */
  waiting: () => number;
  /** Takes nothing new; resolves, when the running batches have settled, with what it had taken and not fired. */
  stop: () => Promise<readonly Wakeup[]>;
}>;

export const batchSize = 500;
/**
 * A second statement runs beside the first when a whole batch waits: one is encoded while the other is in the database.
 */
const atOnce = 2;
/** A row whose guard was locked is asked again after 5, 10, 20, 40, 80 ms; after that it is the sweeper's. */
const laterTries = 5;

type DueWakeup = Readonly<{ wakeup: Wakeup; path: FiringPath }>;

/**
 * Fires rows in batches: rows that become due while one statement runs go with the next, so nobody waits to fill a
 * batch, and a herd costs one statement per 500. A batch takes one row of each owner by turns, so one owner's herd
 * delays the others by no more than the batches that run. `onFired` gets, for each batch, how many rows it had and how
 * late those that fired were committed, in ms by the database's clock. Nothing here rejects: a row that failed stays
 * pending for the sweeper.
 */
export function makeFirer({
  fire,
  clock,
  log,
  onFired,
}: Readonly<{
  fire: Fire;
  clock: Pick<DatabaseClock, "now" | "aheadMs" | "measure">;
  log: Log;
  onFired: (path: FiringPath, asked: number, lateMs: readonly number[]) => void;
}>): Firer {
  const toCome = new Map<number, { wakeups: Wakeup[]; timer: Timer }>();
  const due = makeFairQueue<DueWakeup>();
  /** Keys of what is in `due` or being fired. */
  const inLine = new Set<string>();
  const tries = new Map<string, number>();
  const running = new Set<Promise<void>>();
  let stopped = false;

  const wait = (wakeup: Wakeup, until: number) => {
    const at = Math.ceil(until);
    const bucket = toCome.get(at);
    if (bucket) bucket.wakeups.push(wakeup);
    else toCome.set(at, { wakeups: [wakeup], timer: setTimeout(() => ring(at), msUntil(at)) });
  };
  // Asking a little late costs that little; asking early costs a lost round.
  const msUntil = (at: number) => Math.max(0, at + clock.aheadMs() - clock.now());
  const ring = (at: number) => {
    const bucket = toCome.get(at);
    if (bucket === undefined) return;
    if (msUntil(at) > 0) {
      bucket.timer = setTimeout(() => ring(at), msUntil(at));
      return;
    }
    toCome.delete(at);
    enqueue("job", bucket.wakeups);
  };
  const enqueue = (path: FiringPath, wakeups: readonly Wakeup[]): number => {
    const before = inLine.size;
    for (const wakeup of wakeups) {
      if (inLine.has(key(wakeup))) continue;
      inLine.add(key(wakeup));
      due.add(wakeup.owner ?? "", { wakeup, path });
    }
    const added = inLine.size - before;
    startMore();
    return added;
  };
  const startMore = () => {
    while (!stopped && due.size() > 0 && (running.size === 0 || (running.size < atOnce && due.size() >= batchSize))) {
      const batch = run(due.take(batchSize)).finally(() => {
        running.delete(batch);
        startMore();
      });
      running.add(batch);
    }
  };
  const run = async (batch: readonly DueWakeup[]) => {
    const outcomes = await fireBatch(batch);
    for (const { wakeup } of batch) inLine.delete(key(wakeup));
    askLater(batch, outcomes);
  };
  const askLater = (batch: readonly DueWakeup[], outcomes: readonly FiringOutcome[]) => {
    const later = new Set(outcomes.filter(({ outcome }) => outcome === "later").map(({ id }) => id));
    for (const { wakeup, path } of batch) {
      const tried = tries.get(key(wakeup)) ?? 0;
      if (stopped || path === "sweeper" || !later.has(wakeup.id) || tried >= laterTries) tries.delete(key(wakeup));
      else {
        tries.set(key(wakeup), tried + 1);
        wait(wakeup, clock.now() + 5 * 2 ** tried);
      }
    }
  };
  const fireBatch = async (batch: readonly DueWakeup[]): Promise<readonly FiringOutcome[]> => {
    // Always in id order: two batches that overlap would otherwise lock the same rows crosswise.
    const sorted = batch.toSorted((a, b) => (a.wakeup.id < b.wakeup.id ? -1 : 1));
    try {
      const outcomes = await fire(sorted.map(({ wakeup }) => wakeup));
      tell(sorted, outcomes);
      return outcomes;
    } catch (error) {
      log.warn("firing_failed", { rows: sorted.length, first: sorted[0]?.wakeup.id, error });
      // The same for every row of a database that is read-only or full, although it tells the time.
      if (sorted.length === 1 || outageOf(error)?.isCertain === true || !(await answers(clock))) return [];
      // One row must not keep the others: halve until it is alone.
      const half = Math.ceil(sorted.length / 2);
      const first = await fireBatch(sorted.slice(0, half));
      return [...first, ...(await fireBatch(sorted.slice(half)))];
    }
  };
  const tell = (batch: readonly DueWakeup[], outcomes: readonly FiringOutcome[]) => {
    const fired = new Set(outcomes.filter(({ outcome }) => outcome === "fired").map(({ id }) => id));
    const committedAt = clock.now();
    for (const path of ["job", "sweeper"] as const) {
      const asked = batch.filter((one) => one.path === path).map(({ wakeup }) => wakeup);
      const late = asked.filter(({ id }) => fired.has(id)).map(({ dueAt }) => committedAt - dueAt.getTime());
      if (asked.length > 0) onFired(path, asked.length, late);
    }
  };

  return {
    take: (wakeup) => {
      if (!stopped) wait(wakeup, wakeup.dueAt.getTime());
    },
    offer: (overdue) => (stopped ? 0 : enqueue("sweeper", overdue)),
    waiting: due.size,
    stop: async () => {
      stopped = true;
      for (const { timer } of toCome.values()) clearTimeout(timer);
      const left = [...toCome.values()].flatMap(({ wakeups }) => wakeups);
      toCome.clear();
      // The sweeper of another instance finds what it found here.
      for (const { wakeup, path } of due.take(due.size())) if (path === "job") left.push(wakeup);
      await Promise.all(running);
      return left;
    },
  };
}

function key({ id, generation }: Wakeup): string {
  return `${id} ${generation}`;
}

function answers(clock: Pick<DatabaseClock, "measure">): Promise<boolean> {
  return clock.measure().then(
    () => true,
    () => false,
  );
}
