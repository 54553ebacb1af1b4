import type { Log } from "../log.ts";
import type { DatabaseClock } from "./database-clock.ts";
import type { Fire, Outcome, Wakeup } from "./due-rows.ts";

export type FiringPath = "job" | "sweeper";

export type Firer = Readonly<{
  /** Keeps the wake-up in memory until it is due by the database's clock, then fires it in the next batch. */
  take: (wakeup: Wakeup) => void;
  /** Fires these now, beside whatever runs. Never rejects: what fails stays pending for the sweeper. */
  fireNow: (batch: readonly Wakeup[]) => Promise<void>;
  /** How many are due here and wait for a batch. */
  waiting: () => number;
  /** Takes nothing new; resolves, when the running batch has settled, with what it had taken and not fired. */
  stop: () => Promise<readonly Wakeup[]>;
}>;

export const batchSize = 500;
/** A row whose guard was locked is asked again after 5, 10, 20, 40, 80 ms; after that it is the sweeper's. */
const laterTries = 5;

/**
 * Batches form by themselves: what falls due while one statement runs goes with the next, so nothing lingers and a herd
 * costs one statement per 500. `onFired` is told of each batch how many were asked and how late those that fired were
 * committed, in ms by the database's clock.
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
  const due = new Map<string, Wakeup>();
  const tries = new Map<string, number>();
  let stopped = false;
  let running: Promise<void> | null = null;

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
    for (const wakeup of bucket.wakeups) due.set(key(wakeup), wakeup);
    running ??= run().finally(() => (running = null));
  };
  const run = async () => {
    while (due.size > 0) {
      const batch = [...due.values()].slice(0, batchSize);
      for (const wakeup of batch) due.delete(key(wakeup));
      const outcomes = await fireBatch("job", batch);
      askLater(batch, outcomes);
    }
  };
  const askLater = (batch: readonly Wakeup[], outcomes: readonly Outcome[]) => {
    const later = new Set(outcomes.filter(({ outcome }) => outcome === "later").map(({ id }) => id));
    for (const wakeup of batch) {
      const tried = tries.get(key(wakeup)) ?? 0;
      if (stopped || !later.has(wakeup.id) || tried >= laterTries) tries.delete(key(wakeup));
      else {
        tries.set(key(wakeup), tried + 1);
        wait(wakeup, clock.now() + 5 * 2 ** tried);
      }
    }
  };
  const fireBatch = async (path: FiringPath, batch: readonly Wakeup[]): Promise<readonly Outcome[]> => {
    // Always in id order: two batches that overlap would otherwise lock the same rows crosswise.
    const sorted = [...batch].sort((a, b) => (a.id < b.id ? -1 : 1));
    try {
      const outcomes = await fire(sorted);
      const fired = new Set(outcomes.filter(({ outcome }) => outcome === "fired").map(({ id }) => id));
      const committedAt = clock.now();
      const late = sorted.filter(({ id }) => fired.has(id)).map(({ dueAt }) => committedAt - dueAt.getTime());
      onFired(path, sorted.length, late);
      return outcomes;
    } catch (error) {
      log.warn("firing_failed", { path, rows: sorted.length, first: sorted[0]?.id, error });
      if (sorted.length === 1 || !(await answers(clock))) return [];
      // One row must not keep the others: halve until it is alone.
      const half = Math.ceil(sorted.length / 2);
      const first = await fireBatch(path, sorted.slice(0, half));
      return [...first, ...(await fireBatch(path, sorted.slice(half)))];
    }
  };

  return {
    take: (wakeup) => {
      if (!stopped) wait(wakeup, wakeup.dueAt.getTime());
    },
    fireNow: async (batch) => {
      await fireBatch("sweeper", batch);
    },
    waiting: () => due.size,
    stop: async () => {
      stopped = true;
      for (const { timer } of toCome.values()) clearTimeout(timer);
      const left = [...toCome.values()].flatMap(({ wakeups }) => wakeups);
      toCome.clear();
      await running;
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
