import { expect, test } from "bun:test";
import type { Handler } from "../../shared/consume/handler.ts";
import { makeLog } from "../../shared/role/log.ts";
import { openDb, type Db } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import { consumerWorld, record, write } from "../support/consumer-world.ts";
import { until } from "../support/until.ts";

const patience = { timeoutMs: 20_000 };

/** A pool on the database of `db` whose sessions may not write, as on a replica. */
async function openReadOnly({ sql }: Pick<Db, "sql">): Promise<Db> {
  const [{ name } = { name: "" }] = await sql<{ name: string }[]>`select current_database() as name`;
  const url = new URL(process.env.DATABASE_URL ?? "");
  url.pathname = `/${name}`;
  return openDb(
    { url: url.href, directUrl: null, statementMs: 10_000 },
    { role: "replica", poolSize: 12, log: makeLog({}, "error"), settings: { default_transaction_read_only: "on" } },
  );
}

const diskFull = () =>
  Object.assign(new Error("could not extend file: No space left on device"), {
    name: "PostgresError",
    severity: "ERROR",
    code: "53100",
  });

/**
 * What answers every read and takes no write: a replica, or a server whose transactions fail for want of disk while one
 * small row fits.
 */
async function unwritable(db: Db, how: "read-only" | "full") {
  const replica = await openReadOnly(db);
  let isDown = false;
  let asked = 0;
  const full: Db["transaction"] = (work, options) =>
    db.transaction(async (tx) => {
      await work(tx);
      throw diskFull();
    }, options);
  const sql = new Proxy(db.sql, {
    apply: (target, self, args) => {
      if (isDown) asked += 1;
      return Reflect.apply(isDown && how === "read-only" ? replica.sql : target, self, args);
    },
  });
  const transaction: Db["transaction"] = (work, options) => {
    if (!isDown) return db.transaction(work, options);
    asked += 1;
    return how === "full" ? full(work, options) : replica.transaction(work, options);
  };
  return {
    db: { sql, transaction, notifier: db.notifier },
    /** How often anything was asked of it while it was down. */
    asked: () => asked,
    setDown: (down: boolean) => {
      isDown = down;
    },
    [Symbol.asyncDispose]: () => replica[Symbol.asyncDispose](),
  };
}

test.each(["read-only", "full"] as const)(
  "a Postgres that is %s is waited out: nothing is dead, parked or spent, and the consumer goes on by itself",
  async (how) => {
    await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
    await using path = await unwritable(world.db, how);
    const told: string[] = [];
    // The loop of parked keys tells of itself.
    const lastTold = () => told.findLast((line) => line.startsWith("consumer "));
    const consumer = world.start({
      db: path.db,
      tellOutage: (part, error) =>
        told.push(`${part} ${error instanceof Error && "code" in error ? error.code : error}`),
    });
    await world.send(["a"]);
    await until("one effect", async () => (await world.effects()).length === 1);
    path.setDown(true);
    await world.send(["a", "b", "c"], 2);
    // It gave up at the third try, however soon a probe answered.
    await until("it has been asked many times", () => path.asked() >= 12, patience);
    expect(consumer.ready()).toBe(true);
    expect(lastTold()).toBe(`consumer task-update-broadcaster ${how === "full" ? "53100" : "25006"}`);
    path.setDown(false);
    await until("the others", async () => (await world.effects()).length === 4, patience);
    expect(consumer.lines.filter(({ event }) => event === "message_failed")).toEqual([]);
    expect(await world.deadLetters()).toHaveLength(0);
    expect(await world.parked()).toHaveLength(0);
    await until("the end of the outage is told", () => lastTold() === "consumer task-update-broadcaster null");
    await consumer.stop();
  },
);

test("a position that cannot be stored costs no client: the commit waits, and comes", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  await using path = await unwritable(world.db, "read-only");
  const handle: Handler = async (message, { tx }) => {
    await write(tx, message);
    path.setDown(true); // for what comes after this transaction
    return [];
  };
  const consumer = world.start({ handle, db: path.db });
  await world.send(["a"]);
  await until("the effect", async () => (await world.effects()).length === 1, patience);
  await until("a pause", () => consumer.lines.some(({ event }) => event === "consumer_paused"), patience);
  await until("it has been asked many times", () => path.asked() >= 4, patience);
  path.setDown(false);
  await until("the commit", () => world.caughtUp(), patience);
  expect(consumer.lines.filter(({ event }) => event === "client_failed")).toEqual([]);
  await consumer.stop();
});

test("a message whose tries are spent while Postgres takes no writes is parked once it does", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  await using path = await unwritable(world.db, "read-only");
  const handle: Handler = async (message, { tx }) => {
    if (message.key === "bad" && message.sequence === 1) {
      path.setDown(true);
      throw new Error("its own failure");
    }
    await write(tx, message);
    return [];
  };
  const consumer = world.start({ handle, db: path.db, tiersMs: [600_000] });
  await world.send(["bad", "bad", "good"]);
  await until("the park waits", () => consumer.lines.some(({ event }) => event === "dependency_down"), patience);
  // The first failure of its own has sealed nothing yet: the next tries cannot begin.
  expect(await world.parked()).toHaveLength(0);
  const healed = setInterval(() => path.setDown(false), 500);
  await until("the key is parked", async () => (await world.parked()).length === 2, patience);
  clearInterval(healed);
  await until("the other key", async () => (await world.effects()).length === 1, patience);
  await consumer.stop();
});

test("a consumer starts while Postgres is read-only, is ready, and handles what waits when it takes writes", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  await using path = await unwritable(world.db, "read-only");
  // Its group is known, and so is its position.
  const before = world.start({ handle: record() });
  await world.send(["a"]);
  await until("the first effect", async () => (await world.effects()).length === 1, patience);
  await before.stop();
  path.setDown(true);
  await world.send(["a"], 2);
  const consumer = world.start({ db: path.db });
  await until("it is ready", () => consumer.ready(), patience);
  await until("a pause", () => consumer.lines.some(({ event }) => event === "consumer_paused"), patience);
  path.setDown(false);
  await until("the effect", async () => (await world.effects()).length === 2, patience);
  await consumer.stop();
});

test("what waits for a schema keeps no other parked key waiting, however many there are, and spends no try", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  let fails = true;
  const handle: Handler = async (message, { tx }) => {
    // Told to come back later than the lane can wait, it is parked at once.
    if (fails) throw Object.assign(new Error("later"), { status: 429, retryAfterSeconds: 600 });
    await write(tx, message);
    return [];
  };
  const keys = Array.from({ length: 120 }, (_, n) => `waits${n}`);
  const consumer = world.start({ handle, tiersMs: [600_000, 600_000] });
  await world.send([...keys, "free"]);
  await until("all are parked", async () => (await world.parked()).length === 121, { timeoutMs: 60_000 });
  fails = false;
  world.setUnreadable((key) => (key.startsWith("waits") ? new Problem("UNAVAILABLE") : undefined));
  await world.db
    .sql`update parked_keys set next_at = clock_timestamp() + (case key when 'free' then 1 else 0 end) * interval '50 milliseconds'`;
  await world.db.sql`select pg_notify('consumer_controls', '')`;
  await until("the free one", async () => (await world.effects()).length === 1, patience);
  expect((await world.parked()).map(({ attempts }) => attempts)).toEqual(Array(120).fill(1));
  world.setUnreadable(() => undefined);
  await until("all", async () => (await world.effects()).length === 121, { timeoutMs: 60_000 });
  await consumer.stop();
});
