import { Queue, Worker } from "bullmq";
import { makeLog } from "../../shared/role/log.ts";
import { openDb, type Db } from "../../shared/postgres/db.ts";
import { openDatabaseClock } from "../../shared/postgres/database-clock.ts";
import { dueRows, type Fire, type Wakeup } from "../../shared/timers/due-rows.ts";
import { batchSize } from "../../shared/timers/fire-when-due.ts";
import { runTimers } from "../../shared/timers/run-timers.ts";
import { openWakeups } from "../../shared/timers/wakeups.ts";
import { makeFireReminders } from "../../workers/reminder-service/fire-reminders.ts";
import { freshDatabase } from "../support/database.ts";
import { ownRedis, redisProgram, type OwnRedis } from "../support/own-redis.ts";
import { assertDurable } from "./machine.ts";
import { databaseClockOf, roleOf } from "../support/role-of.ts";

const log = makeLog({}, "error");

/** Reminders in a database, a durable Redis of their own, and the product's own statement to fire them. */
export type TimerWorld = AsyncDisposable &
  Readonly<{
    db: Db;
    redis: OwnRedis;
    fire: Fire;
    /** Starts anew with so many reminders, the n-th due `dueInMs(n)` after `from`, nearest first. */
    set: (count: number, from: Date, dueInMs: (n: number) => number) => Promise<readonly Wakeup[]>;
  }>;

export async function openTimerWorld(): Promise<TimerWorld> {
  const program = await redisProgram(process.env["REDIS_URL"]);
  if (program === null) throw new Error("needs a redis-server on PATH");
  const redis = await ownRedis(program, { appendonly: "yes" });
  const database = await freshDatabase({ used: false });
  const db = await openDb(
    { url: database.url, directUrl: null, statementMs: 300_000 },
    { role: "bench", poolSize: 20, log },
  );
  await assertDurable(db.sql);
  const codec = { encode: (_type: string, data: unknown) => new TextEncoder().encode(JSON.stringify(data)) };
  return {
    db,
    redis,
    fire: makeFireReminders({ db, codec, notify: () => {} }),
    set: async (count, from, dueInMs) => {
      await redis.send("FLUSHALL");
      await db.sql`truncate reminders, reminder_guards, outbox, timer_markers`;
      const due = Array.from({ length: count }, (_, n) => new Date(from.getTime() + dueInMs(n)).toISOString());
      await db.sql`
        with made as materialized (
          select gen_random_uuid() as id, gen_random_uuid() as task_id, md5((place % 1000)::text)::uuid as user_id, due
          from unnest(${due}::timestamptz[]) with ordinality as of (due, place)
        ), guards as (
          insert into reminder_guards (task_id, user_id, fields)
          select task_id, user_id, '{"title": {"value": "Take the cake out", "version": 1, "time": 0}}' from made
        )
        insert into reminders (id, task_id, user_id, remind_at, generation, status, version)
        select id, task_id, user_id, due, 1, 'pending', 1 from made`;
      await db.sql`analyze reminders, reminder_guards`;
      return db.sql<Wakeup[]>`
        select id, generation::int as generation, remind_at as "dueAt" from reminders order by remind_at`;
    },
    [Symbol.asyncDispose]: async () => {
      await db[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    },
  };
}

/** Something that fires what was set; it has `store` told first, and fires until it is disposed of. */
export type Side = (world: TimerWorld, rows: readonly Wakeup[]) => Promise<AsyncDisposable>;

/** The product: one instance, which arms them itself. */
export const timers: Side = async ({ db, redis, fire }) => {
  const wakeups = await openWakeups({ url: redis.url, prefix: "ours" }, { queue: "reminders", log });
  const abort = new AbortController();
  const role = roleOf({ name: "reminder-service", signal: abort.signal, clock: await databaseClockOf(db) });
  const rows = dueRows(db, { table: "reminders", due: "remind_at", owner: "user_id", fire });
  const running = runTimers({ db, name: "reminders", wakeups, rows }, role);
  return {
    [Symbol.asyncDispose]: async () => {
      abort.abort();
      await running;
      await wakeups[Symbol.asyncDispose]();
    },
  };
};

/** The least there can be: a sorted set, a sleep until the next is due, and the same statement for all that are. */
export const sortedSet: Side = async ({ db, redis, fire }, rows) => {
  const client = new Bun.RedisClient(redis.url);
  const clock = await openDatabaseClock(db);
  const byMember = new Map(rows.map((row) => [row.id, row]));
  for (let from = 0; from < rows.length; from += batchSize) {
    const some = rows.slice(from, from + batchSize);
    await client.send("ZADD", ["raw", ...some.flatMap(({ id, dueAt }) => [String(dueAt.getTime()), id])]);
  }
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      const until = clock.now() - clock.aheadMs();
      const args = ["raw", "-inf", String(until), "LIMIT", "0", String(batchSize)];
      const due = (await client.send("ZRANGEBYSCORE", args)) as string[];
      if (due.length > 0) {
        await client.send("ZREM", ["raw", ...due]);
        await fire(due.toSorted().flatMap((id) => byMember.get(id) ?? []));
        continue;
      }
      const [next] = (await client.send("ZRANGE", ["raw", "0", "0"])) as string[];
      const dueAt = byMember.get(next ?? "")?.dueAt.getTime() ?? Infinity;
      await Bun.sleep(Math.min(20, Math.max(0, dueAt + clock.aheadMs() - clock.now())));
    }
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      stopped = true;
      await running;
      client.close();
    },
  };
};

/** BullMQ as its documentation has it: one delayed job each, whose processor fires it. */
export const delayedJobs: Side = async ({ redis, fire }, rows) => {
  const { hostname, port } = new URL(redis.url);
  const connection = { host: hostname, port: Number(port), maxRetriesPerRequest: null };
  const queue = new Queue<Readonly<{ id: string; due: number }>>("bare", { connection });
  for (let from = 0; from < rows.length; from += batchSize)
    await queue.addBulk(
      rows.slice(from, from + batchSize).map(({ id, dueAt }) => ({
        name: "due",
        data: { id, due: dueAt.getTime() },
        opts: { jobId: id, delay: Math.max(0, dueAt.getTime() - Date.now()), removeOnComplete: true },
      })),
    );
  const worker = new Worker<Readonly<{ id: string; due: number }>>(
    "bare",
    async ({ data }) => {
      const row = { id: data.id, generation: 1, dueAt: new Date(data.due) };
      // Its clock is the process's, and rounds: what is not due by the database's is tried again.
      while ((await fire([row])).some(({ outcome }) => outcome === "later")) await Bun.sleep(1);
    },
    { connection, concurrency: 20 },
  );
  return {
    [Symbol.asyncDispose]: async () => {
      await worker.close();
      await queue.close();
    },
  };
};
