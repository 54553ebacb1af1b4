// B9: how late reminders fire, by the database's clock, against a bare sorted set and against BullMQ's delayed jobs.
import { loadavg } from "node:os";
import { until } from "../support/until.ts";
import { percentile, type Bench, type BenchRow } from "./bench.ts";
import { delayedJobs, openTimerWorld, sortedSet, timers, type Side, type TimerWorld } from "./timer-world.ts";

/** Time for each side to store what is to fire. */
const armMs = 6_000;
const herd = 5_000;

type Load = Readonly<{ name: string; count: (seconds: number) => number; dueInMs: (n: number) => number }>;
const loads: readonly Load[] = [
  { name: "100/s", count: (seconds) => 100 * seconds, dueInMs: (n) => n * 10 },
  { name: "1,000/s", count: (seconds) => 1_000 * seconds, dueInMs: (n) => n },
  { name: "10,000 in one second", count: () => 10_000, dueInMs: (n) => n / 10 },
  { name: `a herd of ${herd.toLocaleString("en")}`, count: () => herd, dueInMs: () => 0 },
];
const peers = { "a bare sorted set": sortedSet, "BullMQ's delayed jobs": delayedJobs };

export const bench: Bench = {
  id: "B9",
  title: "reminders: due instant until the commit that fires, ms by the database's clock; one instance",
  run: async ({ rounds, seconds, say }) => {
    await using world = await openTimerWorld();
    const rows: BenchRow[] = [];
    say("warming up");
    for (const side of [timers, ...Object.values(peers)]) await lateness(world, side, 500, (n) => n);
    for (const { name, count, dueInMs } of loads) {
      const measured = new Map<Side, number[][]>([timers, ...Object.values(peers)].map((side) => [side, []]));
      for (let round = 0; round < rounds; round++) {
        // Forwards and backwards by turns: what drifts with time meets all sides alike.
        const sides = round % 2 === 0 ? [...measured] : [...measured].toReversed();
        for (const [side, times] of sides) times.push(await lateness(world, side, count(seconds), dueInMs));
        const told = [...measured.values()].map((times) => percentile(times.at(-1) ?? [], 0.99).toFixed(1));
        say(`${name} round ${round + 1}: p99 ${told.join(" / ")} ms`);
      }
      const ours = measured.get(timers) ?? [];
      for (const [peer, side] of Object.entries(peers)) {
        const theirs = measured.get(side) ?? [];
        rows.push({
          what: `${name}, p99 against ${peer}`,
          ours: percentile(ours.flat(), 0.99),
          peer: percentile(theirs.flat(), 0.99),
          unit: " ms",
          ratios: ours.map((times, n) => percentile(times, 0.99) / percentile(theirs[n] ?? [], 0.99)),
          target: side === sortedSet ? "<= 2.5" : "<= 1",
          note: `p50 ${percentile(ours.flat(), 0.5).toFixed(1)} : ${percentile(theirs.flat(), 0.5).toFixed(1)} ms; load average ${loadavg()[0]?.toFixed(1)}`,
        });
      }
    }
    return rows;
  },
};

/** Of each one how late it was committed, ms. Throws when one fired early, twice or not at all. */
async function lateness(
  world: TimerWorld,
  side: Side,
  count: number,
  dueInMs: (n: number) => number,
): Promise<readonly number[] & number[]> {
  const [clock] = await world.db.sql<{ now: Date }[]>`select clock_timestamp() as now`;
  const from = new Date((clock?.now.getTime() ?? 0) + armMs);
  const rows = await world.set(count, from, dueInMs);
  await using _ = await side(world, rows);
  const fired = () => world.db.sql<{ n: number }[]>`select count(*)::int as n from outbox`;
  await until("all have fired", async () => (await fired())[0]?.n === count, { timeoutMs: 300_000, everyMs: 250 });
  const late = await world.db.sql<{ ms: number }[]>`
    select extract(epoch from created_at - time)::float8 * 1000 as ms, count(*) over (partition by subject)::int as times
    from outbox order by time`;
  const times = late.map(({ ms }) => ms);
  if (Math.min(...times) < 0) throw new Error(`one fired ${-Math.min(...times)} ms early`);
  return times;
}
