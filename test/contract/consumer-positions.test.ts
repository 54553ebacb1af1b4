import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { openGroup } from "../../shared/consume/group-epoch.ts";
import { makePositions } from "../../shared/consume/log/positions.ts";
import { resetGroup } from "../../shared/consume/reset-group.ts";
import { partitionOf } from "../../shared/kafka/partition.ts";
import { formatOrigin, originHeader, type RowOrigin } from "../../shared/outbox/origin.ts";
import { consumerWorld, event, group, record, topic, type ConsumerWorld } from "../support/consumer-world.ts";
import { readScrape } from "../support/read-scrape.ts";
import { makeAnew } from "../support/make-anew.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(60_000);
const patience = { timeoutMs: 30_000 };
const at = { topic, partition: 0 };

describe.each(["fake", "real"] as const)("positions in Postgres, with the %s broker", (kafka) => {
  test("effects the database lost are made again after a restart, once, and it is told", async () => {
    await using world = await consumerWorld({ kafka, partitions: 1 });
    const sent = await handleAll(world, 5);
    // What a replica that was behind, or a backup, does not have: the last two effects and the positions above them.
    await goBack(world, sent.slice(3), 3n);
    const second = world.start({ handle: record() });
    await until("the lost effects", async () => (await world.effects()).length === 5, patience);
    await until("commits", () => world.caughtUp(), patience);
    expect((await world.effects()).map(({ n }) => n)).toEqual([1, 2, 3, 4, 5]);
    expect(second.lines.map(({ event }) => event)).toContain("group_rewound");
    expect(second.lines.filter(({ event }) => event === "database_went_back")).toHaveLength(1);
    expect(await lost(second)).toBe(2);
    expect([...(await stored(world))]).toEqual([{ next: "5", doubted: null }]);
  });

  test("commits above the position without a loss are read again and handled by nobody", async () => {
    await using world = await consumerWorld({ kafka, partitions: 1 });
    await handleAll(world, 5);
    // As an older build leaves them: it commits and stores nothing.
    await world.db.sql`update consumer_positions set next_offset = 1`;
    const second = world.start({ handle: record() });
    await until("positions", async () => (await stored(world))[0]?.next === "5", patience);
    expect(await world.effects()).toHaveLength(5);
    expect(second.lines.map(({ event }) => event)).toContain("group_rewound");
    expect(second.lines.map(({ event }) => event)).not.toContain("database_went_back");
    expect(await lost(second)).toBe(0);
  });

  test("a group without stored positions goes on from its commits", async () => {
    await using world = await consumerWorld({ kafka, partitions: 1 });
    await handleAll(world, 5);
    await world.db.sql`delete from consumer_positions`;
    const second = world.start({ handle: record() });
    await until("positions", async () => (await stored(world)).length === 1, patience);
    expect([...(await stored(world))]).toEqual([{ next: "5", doubted: null }]);
    expect(second.lines.map(({ event }) => event)).not.toContain("group_rewound");
  });

  test("a group whose first positions are younger than the backup is read from its start, and what was not lost is left out", async () => {
    await using world = await consumerWorld({ kafka, partitions: 2 });
    const kept = rowOf(await insertRow(world));
    const first = world.start({ handle: record() });
    await world.sendRaw([
      from(event("a", 1), { life: "1", ...kept }),
      from(event("b", 1), { life: "1", ...kept }),
      event("c", 1),
    ]);
    await until("all effects", async () => (await world.effects()).length === 3, patience);
    // Committed, and of a change that is lost.
    await world.sendRaw([from(event("a", 2), { life: "1", ...kept, id: "999999" })]);
    await until("commits", () => world.caughtUp(), patience);
    await first.stop();
    // The database as it was before this group had begun there.
    await world.db.sql`delete from effects where key in ('b', 'c')`;
    await world.db.sql`delete from inbox where message_id not in (select id from effects)`;
    await world.db.sql`delete from consumer_positions`;
    const second = world.start({ handle: record() });
    await until("the lost effects", async () => (await world.effects()).length === 3, patience);
    await until("commits", () => world.caughtUp(), patience);
    expect((await world.effects()).map(({ key, n }) => `${key}${n}`).toSorted()).toEqual(["a1", "b1", "c1"]);
    expect(second.lines.map(({ event: name }) => name)).toContain("group_rewound");
  });

  test("a partition that was added after the backup is read again from its start", async () => {
    await using world = await consumerWorld({ kafka, partitions: 2 });
    const first = world.start({ handle: record() });
    const keys = Array.from({ length: 12 }, (_, n) => `k${n}`);
    await world.send(keys);
    await until("all effects", async () => (await world.effects()).length === keys.length, patience);
    await until("commits", () => world.caughtUp(), patience);
    await first.stop();
    // As in a backup from before partition 1 was there.
    const added = keys.filter((key) => partitionOf(key, 2) === 1);
    await world.db.sql`
      with gone as (delete from effects where key = any(${added}::text[]) returning id)
      delete from inbox where message_id in (select id from gone)`;
    await world.db.sql`delete from consumer_positions where partition = 1`;
    const second = world.start({ handle: record() });
    await until("the lost effects", async () => (await world.effects()).length === keys.length, patience);
    await until("commits", () => world.caughtUp(), patience);
    expect((await world.effects()).map(({ key }) => key).toSorted()).toEqual(keys.toSorted());
    expect(await lost(second)).toBe(added.length);
  });

  test("a reset by an operator, to the end or to the start, stays", async () => {
    await using world = await consumerWorld({ kafka, partitions: 1 });
    await handleAll(world, 3);
    await world.send(["a", "a"], 4);
    await resetGroup(world.db, world.broker.admin, { group, to: [{ ...at, offset: 5n }] });
    const second = world.start({ handle: record() });
    await until("joined", () => second.ready(), patience);
    await world.send(["a"], 6);
    await until("what came later", async () => (await world.effects()).length === 4, patience);
    expect((await world.effects()).map(({ n }) => n)).toEqual([1, 2, 3, 6]);
    await second.stop();
    await resetGroup(world.db, world.broker.admin, { group, to: [{ ...at, offset: 0n }] });
    const third = world.start({ handle: record() });
    await until("everything again", async () => (await world.effects()).length === 10, patience);
    for (const { lines } of [second, third]) expect(lines.map(({ event }) => event)).not.toContain("group_rewound");
  });

  test("a topic that somebody deleted and made again, grown beyond the position, is read from its start by who runs and by who comes later", async () => {
    await using world = await consumerWorld({ kafka, partitions: 1 });
    const first = world.start({ handle: record(), timing: { lookEveryMs: 300 } });
    await world.send(["a", "a", "a"]);
    await until("three", async () => (await world.effects()).length === 3, patience);
    await until("commits", () => world.caughtUp(), patience);
    await remake(world, 5);
    await until("the five", async () => (await world.effects()).length === 8, patience);
    await until("commits", () => world.caughtUp(), patience);
    await first.stop();
    await remake(world, 9);
    const second = world.start({ handle: record() });
    await until("the nine", async () => (await world.effects()).length === 17, patience);
    expect((await world.effects()).map(({ n }) => n)).toEqual([1, 2, 3, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const { lines } of [first, second]) {
      expect(lines.map(({ event }) => event)).toContain("topic_made_anew");
      expect(lines.map(({ event }) => event)).not.toContain("database_went_back");
    }
    // What an operator chose of the topic that is there now stays.
    await second.stop();
    await remake(world, 4);
    await resetGroup(world.db, world.broker.admin, { group, to: [{ ...at, offset: 3n }] });
    const third = world.start({ handle: record() });
    await until("the last", async () => (await world.effects()).length === 18, patience);
    await until("commits", () => world.caughtUp(), patience);
    expect((await world.effects()).at(-1)?.n).toBe(4);
    expect(third.lines.map(({ event }) => event)).not.toContain("topic_made_anew");
  });

  test("a commit in Kafka is never above the position in Postgres", async () => {
    await using world = await consumerWorld({ kafka, partitions: 2 });
    const timing = { commitEveryMs: 20 };
    const first = world.start({ handle: record("one"), timing });
    await world.send(Array.from({ length: 200 }, (_, n) => `k${n % 9}`));
    let looks = 0;
    const look = async () => {
      // Commits are read first: positions only rise.
      const commits = await world.broker.admin.committed(group);
      for (const { partition, offset } of commits) expect(offset <= (await positionOf(world, partition))).toBe(true);
      looks += commits.length;
    };
    const second = world.start({ handle: record("two"), timing });
    await until("all effects", async () => (await look(), (await world.effects()).length === 200), patience);
    await first.stop();
    await look();
    await until("all commits", async () => (await look(), world.caughtUp()), patience);
    await second.stop();
    await look();
    expect(looks).toBeGreaterThan(2);
  });
});

test("where no position is stored, the first of several members to ask adopts the commits of all", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 2 });
  const committed = [0, 1].map((partition) => ({ topic, partition, offset: 5n }) as const);
  const positions = makePositions({
    db: world.db,
    admin: {
      committed: () => Promise.resolve(committed),
      offsets: async () => new Map(committed.map(({ partition }) => [partition, 0n])),
      read: () => Promise.resolve([]),
    },
    group,
    epoch: await openGroup(world.db.sql, group),
  });
  for (const { offset, ...one } of committed) {
    const compared = await positions.compare([{ ...one, committed: offset, start: 0n, end: 9n, topicId: "one" }]);
    expect(compared.behind).toEqual([]);
  }
  expect([...(await stored(world))]).toEqual([
    { next: "5", doubted: null },
    { next: "5", doubted: null },
  ]);
});

test("what retention has deleted below the position the database went back to is an alarm, and nothing is skipped", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  const sent = await handleAll(world, 5);
  await goBack(world, sent.slice(1), 1n);
  world.fake?.truncate(at, 3n);
  const second = world.start({ handle: record() });
  await until("alarm", () => second.lines.some(({ event }) => event === "consumer_alarm"), patience);
  expect(await world.effects()).toHaveLength(1);
});

test("a topic made anew is read from its start, whatever was stored of the one before", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  await handleAll(world, 5);
  await world.broker.admin.deleteTopic(topic);
  await world.broker.admin.deleteGroup(group);
  await world.broker.admin.createTopic({ name: topic, partitions: 1, configs: { "retention.ms": "604800000" } });
  await world.send(["b", "b"]);
  const second = world.start({ handle: record() });
  await until("new records", async () => (await world.effects()).length === 7, patience);
  await until("positions", async () => (await stored(world))[0]?.next === "2", patience);
  expect(second.lines.map(({ event }) => event)).not.toContain("group_rewound");
});

/** The topic is deleted and made again by somebody else's tool; then it gets so many records. */
async function remake(world: ConsumerWorld, records: number): Promise<void> {
  await makeAnew(world.broker.admin, topic, { "retention.ms": "604800000" });
  // The old one knows the old topic for a while.
  await using producer = await world.broker.producer();
  await producer.send(Array.from({ length: records }, (_, n) => event("a", n + 1)));
}

describe("records from another life of the database", () => {
  test("one whose row is in the outbox is handled, one whose change was lost is not, and its id stays free", async () => {
    await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
    const kept = await insertRow(world);
    const [lostOne, keptOne, news] = [event("a", 2), event("a", 1), event("b", 1)];
    await world.sendRaw([
      from(keptOne, { life: "1", ...rowOf(kept) }),
      from(lostOne, { life: "1", ...rowOf(kept), id: "999999" }),
      // The id has come again, for another row.
      from(lostOne, { life: "1", ...rowOf(kept), created: "1" }),
      news,
    ]);
    const consumer = world.start({ handle: record() });
    await until("the news", async () => (await world.effects()).some(({ key }) => key === "b"), patience);
    await until("commits", () => world.caughtUp(), patience);
    expect((await world.effects()).filter(({ key }) => key === "a").map(({ n }) => n)).toEqual([1]);
    expect(await world.fates()).toHaveLength(2);
    const { series } = readScrape(await consumer.metrics.text());
    expect(series.find(({ labels }) => labels["outcome"] === "lost")?.value).toBe(2);
    expect(consumer.lines.filter(({ event: name }) => name === "database_went_back")).toHaveLength(1);
    // The same message, made once more by the change's own cause.
    await world.sendRaw([from(lostOne, { life: await lifeOf(world), ...rowOf(kept) })]);
    await until("its effect", async () => (await world.effects()).length === 3, patience);
  });

  test("one of a day whose rows need not be kept is handled", async () => {
    await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
    await world.sendRaw([from(event("a", 1), { life: "1", day: "2020-01-01", id: "1", created: "1" })]);
    world.start({ handle: record() });
    await until("its effect", async () => (await world.effects()).length === 1, patience);
  });

  test("after a backup of some days ago the days it has, and later ones, are looked up, those before are not", async () => {
    await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
    const { db } = world;
    await db.sql`update database_history set timeline = '0000FFFF'`;
    const [days] = await db.sql<{ kept: string; after: string; before: string }[]>`
      select (now() at time zone 'UTC')::date - 5 as kept, (now() at time zone 'UTC')::date - 4 as after,
        (now() at time zone 'UTC')::date - 6 as before`;
    if (days === undefined) throw new Error("no days");
    const name = `outbox_${days.kept.replaceAll("-", "")}`;
    await db.sql.unsafe(
      `create table ${name} partition of outbox for values from ('${days.kept}') to ('${days.after}')`,
    );
    await world.sendRaw([
      from(event("kept", 1), { life: "1", day: days.kept, id: "1", created: "1" }),
      from(event("after", 1), { life: "1", day: days.after, id: "1", created: "1" }),
      from(event("before", 1), { life: "1", day: days.before, id: "1", created: "1" }),
    ]);
    world.start({ handle: record() });
    await until("commits", () => world.caughtUp(), patience);
    expect((await world.effects()).map(({ key }) => key)).toEqual(["before"]);
  });

  test("one that fails is neither parked nor a dead letter", async () => {
    await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
    const [today] = await world.db.sql<{ day: string }[]>`select (clock_timestamp() at time zone 'UTC')::date as day`;
    const unreadable = event("a", 1, { value: new Uint8Array([9]) });
    await world.sendRaw([from(unreadable, { life: "1", day: today?.day ?? "", id: "1", created: "1" })]);
    world.start({ handle: record() });
    await until("commits", () => world.caughtUp(), patience);
    expect([...(await world.deadLetters())]).toEqual([]);
    expect([...(await world.fates())]).toEqual([]);
  });
});

type Row = Readonly<{ day: string; id: string; created: string }>;

function insertRow({ db }: ConsumerWorld) {
  return db.sql<Row[]>`
    insert into outbox (shard, topic, key, message_id, type, subject, time, value, headers, published_at)
    values (0, 'x', 'x', gen_random_uuid(), 'x', 'x', now(), '', '[]', now())
    returning day, id::text as id, (extract(epoch from created_at) * 1000000)::bigint::text as created`;
}

function rowOf([row]: readonly Row[]): Row {
  if (row === undefined) throw new Error("no row was inserted");
  return { day: row.day, id: row.id, created: row.created };
}

/** The record as the relay sends it. */
function from(sent: ReturnType<typeof event>, origin: RowOrigin): ReturnType<typeof event> {
  return { ...sent, headers: [...sent.headers, [originHeader, Buffer.from(formatOrigin(origin))]] };
}

async function lifeOf({ db }: ConsumerWorld): Promise<string> {
  const [row] = await db.sql<{ life: string }[]>`select server_life() as life`;
  return row?.life ?? "";
}

async function handleAll(world: ConsumerWorld, count: number): Promise<readonly string[]> {
  const first = world.start({ handle: record() });
  const sent = await world.send(Array.from({ length: count }, () => "a"));
  await until("all effects", async () => (await world.effects()).length === count, patience);
  await until("commits", () => world.caughtUp(), patience);
  await first.stop();
  return sent;
}

/** Makes the database one that never saw these messages. */
async function goBack({ db }: ConsumerWorld, ids: readonly string[], position: bigint): Promise<void> {
  await db.transaction(async (tx) => {
    await tx`delete from effects where id = any(${[...ids]}::uuid[])`;
    await tx`delete from inbox where message_id = any(${[...ids]}::uuid[])`;
    await tx`update consumer_positions set next_offset = ${String(position)}`;
  });
}

function stored({ db }: ConsumerWorld) {
  return db.sql<{ next: string; doubted: string | null }[]>`
    select next_offset::text as next, doubted_below::text as doubted from consumer_positions`;
}

async function positionOf({ db }: ConsumerWorld, partition: number): Promise<bigint> {
  const [row] = await db.sql<{ next: string }[]>`
    select next_offset::text as next from consumer_positions where partition = ${partition}`;
  return BigInt(row?.next ?? 0);
}

async function lost(consumer: ReturnType<ConsumerWorld["start"]>): Promise<number> {
  return (
    readScrape(await consumer.metrics.text()).series.find(({ name }) => name === "consumer_lost_effects_total")
      ?.value ?? -1
  );
}
