import { openDb, type Db } from "../../shared/postgres/db.ts";
import { makeLog, type Log } from "../../shared/role/log.ts";
import { makeMetrics } from "../../shared/role/metrics.ts";
import { dueRows, type Fire } from "../../shared/timers/due-rows.ts";
import { runTimers } from "../../shared/timers/run-timers.ts";
import { openWakeups } from "../../shared/timers/wakeups.ts";
import { freshDatabase } from "../support/database.ts";
import { ownRedis, redisProgram, type OwnRedis } from "../support/own-redis.ts";
import { until } from "../support/until.ts";
import { databaseClockOf, roleOf } from "../support/role-of.ts";

export type Firing = Readonly<{ id: string; generation: number; lateMs: number; instance: string; place: number }>;
type TimersInstance = AsyncDisposable & Readonly<{ stop: () => Promise<void>; metrics: () => Promise<string> }>;

/** A table of alarms, a Redis of its own, and any number of instances that fire them in this process. */
export type TimersWorld = AsyncDisposable &
  Readonly<{
    db: Db;
    redis: OwnRedis;
    /** One more instance on the queue `name`. */
    start: (name: string, options?: Readonly<{ fire?: Fire; lines?: string[] }>) => Promise<TimersInstance>;
    startMany: (name: string, count: number) => Promise<AsyncDisposable>;
    /**
     * The compare-and-set of an owner, with a row per firing instead of an event: the database would keep a second one
     * too.
     */
    fireAs: (instance: string) => Fire;
    /** Alarms due so many ms from now by the database's clock. */
    set: (dueInMs: readonly number[], owner?: string) => Promise<readonly string[]>;
    firingsOf: (ids: readonly string[]) => Promise<readonly Firing[]>;
    allFired: (ids: readonly string[], timeoutMs?: number) => Promise<readonly Firing[]>;
    armed: (ids: readonly string[]) => Promise<unknown>;
    /** How many wake-ups Redis holds. */
    jobs: (name: string) => Promise<number>;
    /** Takes what is pending out of the next test's way. */
    forget: () => Promise<unknown>;
  }>;

export const spread = (count: number, fromMs: number, toMs: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => fromMs + ((toMs - fromMs) * index) / count);

/** The program to start it with; `null` where there is none, which the test's output says. */
export async function redisForTimers(): Promise<string | null> {
  const program = await redisProgram(process.env["REDIS_URL"]);
  if (program === null && process.env["REQUIRE_ALL"] === "1") throw new Error("needs a redis-server on PATH");
  if (program === null) console.warn("skipped: no redis-server on PATH and the stack's is not local");
  return program;
}

export async function openTimersWorld(program: string): Promise<TimersWorld> {
  const log = makeLog({}, "error");
  const database = await freshDatabase();
  const redis = await ownRedis(program);
  const config = { url: database.url, directUrl: null, statementMs: 10_000 };
  const db = await openDb(config, { role: "test", poolSize: 10, log });
  await db.sql`
    create table alarms (
      id uuid primary key, due_at timestamptz(3) not null, generation bigint not null default 1, owner text not null,
      status text not null default 'pending', armed_in bigint not null default 0)`;
  await db.sql`create index on alarms (due_at, id) where status = 'pending'`;
  await db.sql`create index on alarms (due_at) where status = 'pending' and armed_in = 0`;
  await db.sql`
    create table firings (
      place bigint generated always as identity, id uuid not null, generation bigint not null,
      late_ms double precision not null, instance text not null)`;

  const fireAs: TimersWorld["fireAs"] = (instance) => async (batch) => {
    const rows = await db.sql<{ id: string }[]>`
      with fired as (
        update alarms set status = 'fired'
        from unnest(${batch.map(({ id }) => id)}::uuid[], ${batch.map(({ generation }) => generation)}::bigint[])
          as asked (id, generation)
        where alarms.id = asked.id and alarms.generation = asked.generation and status = 'pending'
          and due_at <= clock_timestamp()
        returning alarms.id, alarms.generation, due_at)
      insert into firings (id, generation, late_ms, instance)
      select id, generation, extract(epoch from clock_timestamp() - due_at) * 1000, ${instance} from fired
      returning id`;
    return rows.map(({ id }) => ({ id, outcome: "fired" }) as const);
  };

  let instances = 0;
  const start: TimersWorld["start"] = async (name, { fire, lines } = {}) => {
    const instance = `i${++instances}`;
    const own: Log = lines === undefined ? log : makeLog({}, "warn", (line) => lines.push(line));
    const wakeups = await openWakeups({ url: redis.url, prefix: "test" }, { queue: name, log: own });
    const abort = new AbortController();
    const metrics = makeMetrics(instance, { process: false });
    const clock = await databaseClockOf(db);
    const role = roleOf({ name: "reminder-service", signal: abort.signal, log: own, metrics, clock });
    const rows = dueRows(db, { table: "alarms", due: "due_at", owner: "owner", fire: fire ?? fireAs(instance) });
    const running = runTimers({ db, name, wakeups, rows }, role);
    const stop = async () => {
      abort.abort();
      await running;
      await wakeups[Symbol.asyncDispose]();
    };
    return { stop, metrics: metrics.text, [Symbol.asyncDispose]: stop };
  };

  const firingsOf: TimersWorld["firingsOf"] = (ids) =>
    db.sql<Firing[]>`
      select id, generation::int as generation, late_ms as "lateMs", instance, place::int as place from firings
      where id = any(${[...ids]}::uuid[]) order by place`;

  return {
    db,
    redis,
    start,
    fireAs,
    firingsOf,
    startMany: async (name, count) => {
      const all: TimersInstance[] = [];
      for (let index = 0; index < count; index++) all.push(await start(name));
      return { [Symbol.asyncDispose]: async () => void (await Promise.all(all.map(({ stop }) => stop()))) };
    },
    set: async (dueInMs, owner = "ada") => {
      const rows = await db.sql<{ id: string }[]>`
        insert into alarms (id, due_at, owner)
        select gen_random_uuid(), clock_timestamp() + ms * interval '1 ms', ${owner}
        from unnest(${[...dueInMs]}::float8[]) as of (ms)
        returning id`;
      return rows.map(({ id }) => id);
    },
    allFired: async (ids, timeoutMs = 15_000) => {
      const count = async () => (await firingsOf(ids)).length;
      await until("all have fired", async () => (await count()) >= ids.length, { timeoutMs, everyMs: 50 });
      return await firingsOf(ids);
    },
    armed: (ids) =>
      until(
        "all are armed",
        async () => {
          const [row] = await db.sql<{ n: number }[]>`
            select count(*)::int as n from alarms where id = any(${[...ids]}::uuid[]) and armed_in > 0`;
          return row?.n === ids.length;
        },
        { timeoutMs: 60_000, everyMs: 50 },
      ),
    jobs: async (name) => {
      const counts = await Promise.all([
        redis.send("ZCARD", `test:${name}:delayed`),
        redis.send("ZCARD", `test:${name}:prioritized`),
        redis.send("LLEN", `test:${name}:wait`),
      ]);
      return counts.map(Number).reduce((sum, count) => sum + count, 0);
    },
    forget: () => db.sql`update alarms set status = 'gone' where status = 'pending'`,
    [Symbol.asyncDispose]: async () => {
      await db[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}
