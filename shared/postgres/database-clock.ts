import type { Sql } from "./sql.ts";

/** The database's clock as this process can know it, without asking each time. */
export type DatabaseClock = Readonly<{
  /**
   * ms since the epoch by the database. Runs on the monotonic clock: a wrong or jumping process clock does not move it.
   */
  now: () => number;
  /** How far `now` may be ahead of the database, in ms: half the round trip of the best sample, and its drift since. */
  aheadMs: () => number;
  /** Asks the database anew. Rejects when it does not answer; then `now` goes on from the last measure. */
  measure: () => Promise<void>;
}>;

const samples = 5;
/** A sample is good enough alone when its round trip took no longer than so many times the shortest one known. */
const nearlyBest = 1.5;
/** Crystal oscillators stay within 50 ppm; twice that for a database's clock being slewed by NTP at the same time. */
const driftPerMs = 1e-4;

/** Measures before it resolves. Source of the method: Cristian, "Probabilistic clock synchronization" (1989). */
export async function openDatabaseClock(
  { sql }: Readonly<{ sql: Sql }>,
  monotonic: () => number = () => performance.now(),
): Promise<DatabaseClock> {
  let offset = 0;
  let uncertainty = Infinity;
  let measuredAt = 0;
  let shortest = 0;
  const measure = async () => {
    let best = { roundTrip: Infinity, offset: 0, at: 0 };
    for (let sample = 0; sample < samples && best.roundTrip > shortest * nearlyBest; sample++) {
      const before = monotonic();
      const [row] = await sql<{ ms: number }[]>`select extract(epoch from clock_timestamp())::float8 * 1000 as ms`;
      const after = monotonic();
      if (row === undefined) throw new Error("the database did not tell the time");
      if (after - before < best.roundTrip)
        best = { roundTrip: after - before, offset: row.ms - (before + after) / 2, at: after };
    }
    // Longer by and by where the way has become longer: else five are taken for ever.
    shortest = shortest === 0 ? best.roundTrip : Math.min(best.roundTrip, shortest * nearlyBest);
    offset = best.offset;
    uncertainty = best.roundTrip / 2;
    measuredAt = best.at;
  };
  await measure();
  return {
    now: () => monotonic() + offset,
    aheadMs: () => uncertainty + (monotonic() - measuredAt) * driftPerMs,
    measure,
  };
}
