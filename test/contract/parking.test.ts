import { expect, setDefaultTimeout, test } from "bun:test";
import type { Handler } from "../../shared/consume/handler.ts";
import { redriveDead } from "../../shared/consume/dead-letters/redrive-dead.ts";
import { resetGroup } from "../../shared/consume/reset-group.ts";
import { retryParkedNow } from "../../shared/consume/parking/retry-parked-now.ts";
import { skipParkedHead } from "../../shared/consume/parking/skip-parked-head.ts";
import { Problem } from "../../shared/problem.ts";
import {
  breakable,
  consumerWorld,
  group,
  record,
  topic,
  write,
  type ConsumerWorld,
} from "../support/consumer-world.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(60_000);

const long = 3_600_000;
const numbers = (rows: readonly { key: string; n: number }[], key: string) =>
  rows.filter((row) => row.key === key).map(({ n }) => n);

/** Fails for messages of "bad" until it is told otherwise. */
function moody(fail: (n: number) => unknown = () => new Error("not now")) {
  let healed = false;
  const tried: number[] = [];
  const handle: Handler = async (message, { tx }) => {
    await write(tx, message);
    if (message.key !== "bad") return [];
    tried.push(message.sequence);
    const failure = healed ? null : fail(message.sequence);
    if (failure !== null) throw failure;
    return [];
  };
  return { handle, tried, heal: () => (healed = true) };
}

const parkedNumbers = (world: ConsumerWorld) =>
  world.db.sql<{ n: number }[]>`
    select (select value::int from jsonb_array_elements(headers) as header(pair),
      lateral (select pair ->> 1 as value where pair ->> 0 = 'ce_sequence')) as n
    from parked_messages order by id`.then((rows) => rows.map(({ n }) => n));

/** As if all waits were over. */
const hurry = async (world: ConsumerWorld) => {
  await world.db.sql`update parked_keys set next_at = clock_timestamp()`;
  await world.db.sql`select pg_notify('consumer_controls', '')`;
};

test("later messages of a key that fails wait behind it in order while all others flow, and run in order once it heals", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  const { handle, heal } = moody();
  await world.send(["bad", "a", "bad", "b"]);
  world.start({ handle, tiersMs: [long] });
  await until("everything else", () => world.caughtUp());
  await world.send(["bad", "a", "bad"], 3);
  await until("the rest", () => world.caughtUp());
  expect(numbers(await world.effects(), "bad")).toEqual([]);
  expect(numbers(await world.effects(), "a")).toEqual([1, 3]);
  expect(await parkedNumbers(world)).toEqual([1, 2, 3, 4]);
  expect(await world.deadLetters()).toHaveLength(0);
  heal();
  expect(await retryParkedNow(world.db, { group, topic, key: "bad" })).toBe(true);
  await until("the queue to end", async () => numbers(await world.effects(), "bad").length === 4);
  expect(numbers(await world.effects(), "bad")).toEqual([1, 2, 3, 4]);
  await world.send(["bad"], 5);
  await until("what comes after", async () => numbers(await world.effects(), "bad").at(-1) === 5);
  expect(await world.parked()).toHaveLength(0);
  expect(await retryParkedNow(world.db, { group, topic, key: "bad" })).toBe(false);
  expect(new Set((await world.fates()).map(({ fate }) => fate))).toEqual(new Set(["done"]));
});

test("a message that fails at every tier is one dead letter with all its tries, and its key goes on", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  const { handle } = moody((n) => (n === 1 ? new Error("never 1") : null));
  const [first = ""] = await world.send(["bad", "bad", "bad"]);
  const consumer = world.start({ handle, tiersMs: [10, 20, 30] });
  await until("the two behind it", async () => (await world.effects()).length === 2);
  expect(numbers(await world.effects(), "bad")).toEqual([2, 3]);
  const dead = await world.deadLetters();
  expect(dead).toHaveLength(1);
  const rows = await world.db.sql`select * from dead_letters`;
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({
    id: dead[0]?.message_id,
    group_name: group,
    message_id: first,
    key: "bad",
    class: "unknown",
    error: "never 1",
    state: "dead",
    redrives: 0,
  });
  // Four in process, one per tier.
  expect(rows[0]?.attempts).toHaveLength(7);
  const headers = new Map<string, unknown>(dead[0]?.headers);
  expect(headers.get("x-error-fingerprint")).toBe(rows[0]?.fingerprint);
  expect(await consumer.metrics.text()).toMatch(/consumer_dead_letters_total\{.*class="unknown".*\} 1/);
});

test("no try of a parked message comes before its time, and each tier is one try", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  const early: string[] = [];
  const seen = new Map<number, number>();
  const handle: Handler = async (_message, { tx }) => {
    const [row] = await tx<{ attempts: number; early: boolean }[]>`
      select attempts, next_at > clock_timestamp() as early from parked_keys`;
    if (row?.early) early.push("early");
    if (row !== undefined) seen.set(row.attempts, (seen.get(row.attempts) ?? 0) + 1);
    throw new Error("never");
  };
  await world.send(["bad"]);
  world.start({ handle, tiersMs: [100, 200, 400] });
  await until("the dead letter", async () => (await world.deadLetters()).length === 1);
  expect(early).toEqual([]);
  expect([...seen]).toEqual([
    [1, 1],
    [2, 1],
    [3, 1],
  ]);
});

test("a parked message that turns out hopeless is tried once more and then dead, whatever tiers are left", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  let inLane = true;
  const { handle, tried } = moody(() => (inLane ? new Error("unclear") : new Problem("INVARIANT")));
  await world.send(["bad"]);
  world.start({ handle, tiersMs: [long, long, long, long] });
  await until("it is parked", async () => (await world.parked()).length === 1);
  inLane = false;
  const before = tried.length;
  await hurry(world);
  await until("the dead letter", async () => (await world.deadLetters()).length === 1);
  expect(tried.length - before).toBe(2);
  expect(await world.parked()).toHaveLength(0);
});

test("a parked key outlives its consumer: the next member works it, with the tries it had", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  const { handle, heal } = moody();
  await world.send(["bad", "bad", "a"]);
  const first = world.start({ handle, tiersMs: [long] });
  await until("it is parked", async () => (await world.parked()).length === 2);
  await until("all commits", () => world.caughtUp());
  await first.stop();
  expect((await world.parked()).map(({ attempts }) => attempts)).toEqual([1, 1]);
  heal();
  world.start({ handle: record("two"), tiersMs: [long] });
  await hurry(world);
  await until("the queue to end", async () => numbers(await world.effects(), "bad").length === 2);
  expect((await world.effects()).filter(({ key }) => key === "bad").map(({ member }) => member)).toEqual([
    "two",
    "two",
  ]);
});

test("of two members only the owner of the partition works its parked keys", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 2 });
  const keys = ["p", "q", "r", "s", "t", "u"];
  await world.send(keys);
  const first = world.start({ handle: () => Promise.reject(new Error("no")), tiersMs: [long] });
  await until("all parked", async () => (await world.parked()).length === keys.length);
  await until("all commits", () => world.caughtUp());
  await first.stop();
  const members = ["one", "two"].map((name) => world.start({ handle: record(name), tiersMs: [long] }));
  await until("both joined", () => members.every((member) => member.ready()));
  await until("both own", () =>
    members.every(({ lines }) =>
      lines.some((line) => line.event === "partitions_assigned" && (line.partitions as string[]).length === 1),
    ),
  );
  const places = await world.db.sql<{ key: string; partition: number }[]>`select key, partition from parked_keys`;
  await hurry(world);
  await until("all effects", async () => (await world.effects()).length === keys.length);
  const ownerOf = (partition: number) =>
    members.findIndex(
      ({ lines }) =>
        lines.findLast(({ event }) => event === "partitions_assigned")?.partitions?.toString() ===
        `${topic}/${partition}`,
    );
  const effects = await world.effects();
  const workers = new Map(effects.map(({ key, member }) => [key, member]));
  for (const { key, partition } of places)
    expect([key, workers.get(key)]).toEqual([key, ["one", "two"][ownerOf(partition)]]);
  expect(new Set(workers.values()).size).toBe(2);
});

test("while Postgres is away no try of a parked message is spent, nor while what its handler needs is down", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  const { db, setBroken } = breakable(world.db);
  let down = false;
  const { handle, heal } = moody(() =>
    down ? Object.assign(new Error("down"), { code: "ECONNREFUSED" }) : new Error("no"),
  );
  await world.send(["bad"]);
  const consumer = world.start({ handle, db, tiersMs: [long, long] });
  await until("it is parked", async () => (await world.parked()).length === 1);
  down = true;
  setBroken(true);
  await hurry(world);
  await until("a pause", () => consumer.lines.some(({ event }) => event === "consumer_paused"));
  expect((await world.parked()).map(({ attempts }) => attempts)).toEqual([1]);
  heal();
  setBroken(false);
  await until("the effect", async () => (await world.effects()).length === 1);
  expect(await world.deadLetters()).toHaveLength(0);
});

test("a parked message whose handler does not end writes nothing after its deadline, and the try counts", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  let hang = false;
  const late = Promise.withResolvers<unknown>();
  const handle: Handler = async (message, { tx, signal }) => {
    if (!hang) throw new Error("not yet");
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    // Goes on although nobody waits for it any more.
    await Bun.sleep(1);
    await write(tx, message).then(() => late.resolve("written"), late.resolve);
    return [];
  };
  await world.send(["bad"]);
  world.start({ handle, handlerMs: 200, tiersMs: [long, long] });
  await until("it is parked", async () => (await world.parked()).length === 1);
  hang = true;
  await hurry(world);
  expect(await late.promise).toMatchObject({ code: "TX_OVER" });
  await until("the try", async () => (await world.parked())[0]?.attempts === 2);
  expect(await world.effects()).toHaveLength(0);
});

test("an operator's skip makes the head a dead letter and lets the next go", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  const { handle } = moody((n) => (n === 1 ? new Error("stuck") : null));
  const [first] = await world.send(["bad", "bad"]);
  world.start({ handle, tiersMs: [long] });
  await until("all wait", async () => (await world.parked()).length === 2);
  expect(await skipParkedHead(world.db, { group, topic, key: "bad", by: "ada" })).toBe(first ?? "");
  await until("the next", async () => (await world.effects()).length === 1);
  expect(numbers(await world.effects(), "bad")).toEqual([2]);
  const [dead] = await world.db.sql`select error, state, message_id from dead_letters`;
  expect(dead).toMatchObject({ error: "skipped by ada; it had failed with: stuck", state: "dead", message_id: first });
  expect(await world.deadLetters()).toHaveLength(1);
  expect(await skipParkedHead(world.db, { group, topic, key: "bad", by: "ada" })).toBeNull();
});

/** Thirty messages of three keys, of which those of two are dead. */
async function withDead(world: ConsumerWorld) {
  let healed = false;
  const handle: Handler = async (message, { tx }) => {
    await write(tx, message);
    if (!healed && message.key !== "good") throw new Problem("INVARIANT");
    return [];
  };
  await world.send(Array.from({ length: 30 }, (_, n) => ["x", "y", "good"][n % 3] ?? ""));
  const consumer = world.start({ handle });
  await until("all are settled", () => world.caughtUp());
  const rows = await world.db.sql<{ id: string }[]>`select id from dead_letters order by id`;
  expect(rows).toHaveLength(20);
  return { ids: rows.map(({ id }) => id), heal: () => (healed = true), consumer };
}
const redriveId = "0196c0de-0000-7000-8000-000000000001";

test("a redrive brings each dead letter back once, in order per key, to be handled", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  const { ids, heal } = await withDead(world);
  heal();
  const redrive = { group, ids, redriveId, by: "ada" } as const;
  const done = await redriveDead(world.db, redrive);
  expect(done.moved.toSorted()).toEqual(ids);
  expect((await redriveDead(world.db, redrive)).skipped.map(({ why }) => why)).toEqual(Array(20).fill("already"));
  await until("all effects", async () => (await world.effects()).length === 30);
  await until("the queues to end", async () => (await world.parked()).length === 0);
  const effects = await world.effects();
  for (const key of ["x", "y"]) expect(numbers(effects, key)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(new Set((await world.fates()).map(({ fate }) => fate))).toEqual(new Set(["done"]));
  expect(await redriveDead(world.db, { ...redrive, redriveId: crypto.randomUUID() })).toMatchObject({ moved: [] });
  const states = await world.db.sql`select distinct state, redrives from dead_letters`;
  expect([...states]).toEqual([{ state: "redriven", redrives: 1 }] as never);
});

test("what dies again after a redrive is not brought back by the same one, and not for ever by others", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  const { ids } = await withDead(world);
  const letters = ids.slice(0, 2);
  for (let round = 1; round <= 5; round++) {
    const redrive = { group, ids: letters, redriveId: crypto.randomUUID(), by: "ada" } as const;
    expect((await redriveDead(world.db, redrive)).moved).toHaveLength(2);
    await until("dead again", async () => {
      const [row] = await world.db
        .sql`select count(*)::int as n from dead_letters where state = 'dead' and redrives = ${round}`;
      return row?.n === 2;
    });
    expect((await redriveDead(world.db, redrive)).skipped.map(({ why }) => why)).toEqual(["already", "already"]);
  }
  const more = await redriveDead(world.db, { group, ids: letters, redriveId, by: "ada" });
  expect(more.skipped.map(({ why }) => why)).toEqual(["over_cap", "over_cap"]);
  expect(await world.parked()).toHaveLength(0);
  expect(await world.db.sql`select from parked_keys`).toHaveLength(0);
});

test("redrives cut off and begun again, several at a time, move each message once", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  const { ids, heal } = await withDead(world);
  heal();
  // A kill between two keys, or in the middle of one, which Postgres undoes.
  let left = 1;
  const dying: typeof world.db.transaction = (work, options) =>
    world.db.transaction(async (tx) => {
      const result = await work(tx);
      if (left-- <= 0) throw new Error("killed");
      return result;
    }, options);
  const redrive = { group, ids, redriveId, by: "ada" } as const;
  await expect(redriveDead({ sql: world.db.sql, transaction: dying }, redrive)).rejects.toThrow("killed");
  await redriveDead({ sql: world.db.sql, transaction: dying }, redrive).catch(() => {});
  const again = await Promise.all([1, 2, 3].map(() => redriveDead(world.db, redrive)));
  expect(new Set(again.flatMap(({ moved }) => moved)).size).toBe(again.flatMap(({ moved }) => moved).length);
  await until("all effects", async () => (await world.effects()).length === 30);
  await until("the queues to end", async () => (await world.parked()).length === 0);
  const effects = await world.effects();
  expect(new Set(effects.map(({ id }) => id)).size).toBe(30);
  for (const key of ["x", "y"]) expect(numbers(effects, key)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test.each(["fake", "real"] as const)(
  "a reset begins the group anew on the %s broker: all is handled again, nothing waits",
  async (kafka) => {
    await using world = await consumerWorld({ kafka });
    const { handle } = moody();
    await world.send(["a", "bad", "b", "bad"]);
    const first = world.start({ handle, tiersMs: [long] });
    await until("all are settled", () => world.caughtUp(), { timeoutMs: 30_000 });
    expect(
      resetGroup(world.db, world.broker.admin, { group, to: [{ topic, partition: 0, offset: 0n }] }),
    ).rejects.toThrow();
    expect(await world.parked()).toHaveLength(2);
    await first.stop();
    const to = [0, 1, 2].map((partition) => ({ topic, partition, offset: 0n }));
    const reset = await until("the group is empty", () =>
      resetGroup(world.db, world.broker.admin, { group, to }).catch(() => null),
    );
    expect(reset).toMatchObject({ droppedKeys: 1, droppedMessages: 2 });
    world.start({ handle: record("two") });
    await until(
      "all again",
      async () => (await world.effects()).filter(({ member }) => member === "two").length === 4,
      { timeoutMs: 30_000 },
    );
    expect(
      numbers(
        (await world.effects()).filter(({ member }) => member === "two"),
        "bad",
      ),
    ).toEqual([1, 2]);
  },
);
