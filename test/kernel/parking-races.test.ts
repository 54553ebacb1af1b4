import { expect, setDefaultTimeout, test } from "bun:test";
import type { Fetched } from "../../shared/broker.ts";
import type { Db, Tx } from "../../shared/postgres/db.ts";
import { openGroup } from "../../shared/consume/group-epoch.ts";
import { handleBatch } from "../../shared/consume/handle-batch.ts";
import { park } from "../../shared/consume/park.ts";
import { readRecord } from "../../shared/consume/read-record.ts";
import { workParkedKey } from "../../shared/consume/work-parked-key.ts";
import { makeLog } from "../../shared/log.ts";
import { consumerWorld, event, group, record, topic } from "../support/consumer-world.ts";
import { makeJsonCodec } from "../support/json-codec.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(40_000);

const codec = makeJsonCodec();
const fetched = (n: number): Fetched & { key: string } => ({
  ...event("k", n),
  topic,
  key: "k",
  partition: 0,
  offset: BigInt(n),
  timestamp: Date.now(),
  generation: 1,
});

async function setup() {
  const world = await consumerWorld({ kafka: "fake" });
  const epoch = await openGroup(world.db.sql, group);
  const handling = {
    db: world.db,
    codec,
    group,
    epoch,
    source: group,
    handle: async (messages: Parameters<Parameters<typeof handleBatch>[0]["handle"]>[0], context: { tx: Tx }) => {
      for (const message of messages) await record()(message, { ...context, ...rest });
      return messages.map(() => []);
    },
    handlerMs: 5_000,
    log: makeLog({}, "error"),
    now: () => new Date(),
    stop: new AbortController().signal,
    tiersMs: [3_600_000],
  } as const;
  const rest = { signal: handling.stop, log: handling.log, now: new Date() };
  const failed = (of: Fetched & { key: string }) =>
    ({ record: of, userId: null, class: "unknown", error: new Error("no"), attempts: [] }) as const;
  const batch = async (...records: readonly Fetched[]) => {
    const read = await Promise.all(records.map((one) => readRecord(codec, one)));
    return handleBatch(
      handling,
      read.flatMap((one) => ("message" in one ? [one.message] : [])),
    );
  };
  return {
    world,
    handling,
    batch,
    park: (of: Fetched & { key: string }, db: Pick<Db, "transaction"> = world.db, delayMs = 3_600_000) =>
      park({ ...handling, db }, failed(of), { delayMs }),
    numbers: async () => (await world.effects()).map(({ n }) => n),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

/** Commits only once told. */
function held(db: Pick<Db, "transaction">, go: Promise<void>): Pick<Db, "transaction"> {
  return {
    transaction: (work, options) =>
      db.transaction(async (tx) => {
        const result = await work(tx);
        await go;
        return result;
      }, options),
  };
}

const someoneWaits = async (sql: Db["sql"]) => {
  const [row] = await sql<{ n: number }[]>`
    select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return (row?.n ?? 0) > 0;
};

test("a batch that waited for a former owner's parking queues behind it", async () => {
  await using one = await setup();
  const [first, second] = [fetched(1), fetched(2)];
  const go = Promise.withResolvers<void>();
  const parking = one.park(first, held(one.world.db, go.promise));
  await until("the inbox row", async () => {
    const [row] = await one.world.db
      .sql`select count(*)::int as n from pg_locks where relation = 'parked_messages'::regclass`;
    return row?.n > 0;
  });
  const handled = one.batch(first, second);
  await until("the batch to wait", () => someoneWaits(one.world.db.sql));
  go.resolve();
  await parking;
  expect([(await handled).handled.size, (await handled).parked.size]).toEqual([0, 1]);
  expect(await one.numbers()).toEqual([]);
  expect((await one.world.parked()).length).toBe(2);
});

test("a message queued while the worker was about to take the lock is neither passed over nor orphaned", async () => {
  await using one = await setup();
  await one.park(fetched(1), one.world.db, 0);
  let queued = false;
  /** Just before the lock is asked for, a batch queues one more. */
  const interrupted: Pick<Db, "transaction"> = {
    transaction: (work, options) =>
      one.world.db.transaction((tx) => {
        const slow = new Proxy(tx, {
          apply: (target, self, args: readonly unknown[]) => {
            const send = () => Reflect.apply(target as (...given: readonly unknown[]) => unknown, self, args);
            if (queued || !String((args[0] as readonly string[]).join("?")).includes("skip locked")) return send();
            queued = true;
            return one.batch(fetched(2)).then(send);
          },
        });
        return work(slow);
      }, options),
  };
  const visit = await workParkedKey({ ...one.handling, db: interrupted }, { topic, key: "k" });
  expect(queued).toBe(true);
  expect([visit.done.length, visit.released]).toEqual([2, true]);
  expect(await one.numbers()).toEqual([1, 2]);
  expect(await one.world.db.sql`select from parked_messages`).toHaveLength(0);
});

test("a batch that meets a key being worked waits for it, and goes on in order when it is released", async () => {
  await using one = await setup();
  await one.park(fetched(1), one.world.db, 0);
  const go = Promise.withResolvers<void>();
  const visit = workParkedKey({ ...one.handling, db: held(one.world.db, go.promise) }, { topic, key: "k" });
  await until(
    "the lock",
    async () => (await one.world.db.sql`select from parked_keys for update skip locked`).length === 0,
  );
  const batch = one.batch(fetched(2));
  await until("the batch to wait", () => someoneWaits(one.world.db.sql));
  go.resolve();
  expect((await visit).released).toBe(true);
  expect((await batch).handled.size).toBe(1);
  expect(await one.numbers()).toEqual([1, 2]);
});

test("of two workers of one key one works it and the other leaves it alone", async () => {
  await using one = await setup();
  await one.park(fetched(1), one.world.db, 0);
  const visits = await Promise.all([1, 2, 3].map(() => workParkedKey(one.handling, { topic, key: "k" })));
  expect(visits.map(({ done }) => done.length).toSorted()).toEqual([0, 0, 1]);
  expect(await one.numbers()).toEqual([1]);
});
