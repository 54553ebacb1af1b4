// A million reminders years ahead: what they take of Redis and of the process that keeps the timers, against a
// thousand.
import { until } from "../support/until.ts";
import type { Bench } from "./bench.ts";
import { openTimerWorld, timers, type TimerWorld } from "./timer-world.ts";

const many = 1_000_000;
const few = 1_000;

export const bench: Bench = {
  id: "million",
  title: `memory with ${many.toLocaleString("en")} reminders from two hours to ten years ahead, against ${few.toLocaleString("en")}`,
  run: async ({ seconds, say }) => {
    await using world = await openTimerWorld();
    const figures: Figures[] = [];
    // The first run warms up.
    for (const count of [few, few, many]) {
      say(`${count.toLocaleString("en")} reminders`);
      figures.push(await measure(world, count, seconds));
    }
    const [, small, large] = figures;
    if (small === undefined || large === undefined) throw new Error("nothing was measured");
    const row = (what: string, ours: number, peer: number, note: string) => ({
      what,
      ours,
      peer,
      unit: " MB",
      ratios: [ours / peer],
      target: "<= 1.1",
      note,
    });
    const questions = `the loader, the sweeper and the count ask ${large.millis.map((ms) => ms.toFixed(1)).join(", ")} ms`;
    return [
      row("Redis", large.redisMb, small.redisMb, `${large.jobs} wake-ups in it`),
      row("the process, after garbage collection", large.processMb, small.processMb, questions),
    ];
  },
};

type Figures = Readonly<{ redisMb: number; processMb: number; jobs: number; millis: readonly number[] }>;

async function measure({ db, redis, ...world }: TimerWorld, count: number, seconds: number): Promise<Figures> {
  await redis.send("FLUSHALL");
  await db.sql`truncate reminders, reminder_guards, outbox, timer_markers`;
  await db.sql`
    insert into reminders (id, task_id, user_id, remind_at, generation, status, version)
    select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), clock_timestamp() + interval '2 h' + random() * interval '10 y', 1,
      'pending', 1
    from generate_series(1, ${count}) as of (n)`;
  await db.sql`analyze reminders`;
  await using _ = await timers({ db, redis, ...world }, []);
  await until("it runs", async () => (await redis.send("GET", "ours:filled:reminders")) !== null);
  await Bun.sleep(seconds * 1_000); // it fills and sweeps again and again
  const horizon = db.sql`select id from reminders where status = 'pending' and armed_in = 0
    and remind_at <= (select clock_timestamp()) + interval '1 h' order by remind_at limit 500`;
  const overdue = db.sql`select id from reminders where status = 'pending' and remind_at <= (select clock_timestamp())
    order by remind_at, id limit 2000`;
  const late = db.sql`select count(*) from (select 1 from reminders where status = 'pending'
    and remind_at < (select clock_timestamp()) order by remind_at limit 10000) late`;
  const millis: number[] = [];
  for (const question of [horizon, overdue, late]) {
    const began = performance.now();
    await question;
    millis.push(performance.now() - began);
  }
  Bun.gc(true);
  const memory = /^used_memory:(\d+)/m.exec(String(await redis.send("INFO", "memory")))?.[1];
  return {
    redisMb: Number(memory) / 2 ** 20,
    processMb: process.memoryUsage().rss / 2 ** 20,
    jobs: Number(await redis.send("ZCARD", "ours:reminders:delayed")),
    millis,
  };
}
