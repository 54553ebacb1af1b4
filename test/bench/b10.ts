// B10: Redis is emptied with 50,000 reminders armed: how fast it is filled again, against BullMQ storing them alone.
import { Queue } from "bullmq";
import { loadavg } from "node:os";
import type { Wakeup } from "../../shared/timers/due-rows.ts";
import { batchSize } from "../../shared/timers/fire-when-due.ts";
import { until } from "../support/until.ts";
import { median, type Bench } from "./bench.ts";
import { openTimerWorld, timers, type TimerWorld } from "./timer-world.ts";

const count = 50_000;

export const bench: Bench = {
  id: "B10",
  title: `wake-ups stored per second after FLUSHALL, ${count.toLocaleString("en")} due within the hour`,
  run: async ({ rounds, say }) => {
    await using world = await openTimerWorld();
    const ours: Rebuild[] = [];
    const peers: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const [clock] = await world.db.sql<{ now: Date }[]>`select clock_timestamp() as now`;
      // The first of them fall due while Redis is being filled, the rest after the run.
      const due = (n: number) => (n < 500 ? n * 20 : 1_800_000 + n * 10);
      const from = new Date((clock?.now.getTime() ?? 0) + 3_600_000);
      const rows = await world.set(count, from, () => 0);
      const runs = [
        async () => void ours.push(await rebuild(world, due)),
        async () => void peers.push(await addAlone(world, rows)),
      ];
      for (const run of round % 2 === 0 ? runs : runs.toReversed()) await run();
      const last = ours.at(-1);
      say(
        `round ${round + 1}: ${last?.perSecond.toFixed(0)}/s, all back ${last?.seconds.toFixed(1)} s after FLUSHALL, what fell due meanwhile at most ${last?.lateMs.toFixed(0)} ms late; alone ${peers.at(-1)?.toFixed(0)}/s`,
      );
    }
    return [
      {
        what: "rebuild from Postgres, against addBulk of the same alone",
        ours: median(ours.map(({ perSecond }) => perSecond)),
        peer: median(peers),
        unit: "/s",
        ratios: ours.map(({ perSecond }, n) => perSecond / (peers[n] ?? Number.NaN)),
        target: ">= 0.9",
        note: `from FLUSHALL until all are back ${median(ours.map(({ seconds }) => seconds)).toFixed(1)} s (aim 8 s), noticing it included; what fell due meanwhile at most ${Math.max(...ours.map(({ lateMs }) => lateMs)).toFixed(0)} ms late; load average ${loadavg()[0]?.toFixed(1)}`,
      },
    ];
  },
};

type Rebuild = Readonly<{ perSecond: number; seconds: number; lateMs: number }>;

async function rebuild(world: TimerWorld, due: (n: number) => number): Promise<Rebuild> {
  const { db, redis } = world;
  const stored = async () => Number(await redis.send("ZCARD", "ours:reminders:delayed"));
  await redis.send("FLUSHALL");
  const [clock] = await db.sql<{ now: Date }[]>`select clock_timestamp() as now`;
  await world.set(count, new Date(clock?.now.getTime() ?? 0), (n) => due(n) + 600_000);
  await using _ = await timers(world, []);
  await until("all are armed", async () => (await stored()) === count, { timeoutMs: 240_000, everyMs: 100 });
  // Now the first 500 come near.
  await db.sql`
    update reminders set remind_at = clock_timestamp() + (row.n * 16) * interval '1 ms'
    from (select id, row_number() over (order by remind_at) as n from reminders order by remind_at limit 500) row
    where reminders.id = row.id`;
  const began = performance.now();
  await redis.send("FLUSHALL");
  const firstAt = await until("the first is back", async () => (await stored()) > 0 && performance.now(), {
    timeoutMs: 30_000,
    everyMs: 5,
  });
  const had = await stored();
  const from = performance.now();
  // What falls due meanwhile is not in the set, or not any more.
  await until("all are back", async () => (await stored()) >= count - 500, { timeoutMs: 120_000, everyMs: 10 });
  const ended = performance.now();
  const fired = () => db.sql<{ n: number; ms: number }[]>`
    select count(*)::int as n, max(extract(epoch from created_at - time))::float8 * 1000 as ms from outbox`;
  await until("what fell due has fired", async () => (await fired())[0]?.n === 500, { timeoutMs: 30_000 });
  return {
    perSecond: ((count - 500 - had) / (ended - Math.max(from, firstAt))) * 1_000,
    seconds: (ended - began) / 1_000,
    lateMs: (await fired())[0]?.ms ?? Number.NaN,
  };
}

async function addAlone({ redis }: TimerWorld, rows: readonly Wakeup[]): Promise<number> {
  await redis.send("FLUSHALL");
  const { hostname, port } = new URL(redis.url);
  const queue = new Queue("bare", {
    connection: { host: hostname, port: Number(port), maxRetriesPerRequest: null },
    prefix: "alone",
  });
  const from = performance.now();
  for (let at = 0; at < rows.length; at += batchSize)
    await queue.addBulk(
      rows.slice(at, at + batchSize).map(({ id, generation, dueAt }) => ({
        name: "due",
        data: { id, generation, due: dueAt.getTime() },
        opts: {
          jobId: `${id}_g${generation}`,
          delay: Math.max(0, dueAt.getTime() - Date.now()),
          removeOnComplete: true,
          removeOnFail: true,
        },
      })),
    );
  const perSecond = (rows.length / (performance.now() - from)) * 1_000;
  await queue.close();
  return perSecond;
}
