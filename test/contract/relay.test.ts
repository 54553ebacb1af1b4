import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { makeLog } from "../../shared/role/log.ts";
import { shardOf } from "../../shared/outbox/outbox.ts";
import { claim } from "../../workers/outbox-relay/claim.ts";
import { claimInTurns } from "../../workers/outbox-relay/claim-in-turns.ts";
import { openLeases } from "../../workers/outbox-relay/leases.ts";
import { makeMarker } from "../../workers/outbox-relay/mark.ts";
import { refuse } from "../../workers/outbox-relay/refuse.ts";
import { runUpkeep } from "../../shared/role/upkeep.ts";
import { setAsideHeld } from "../../workers/outbox-relay/set-aside.ts";
import { readOutbox } from "../../workers/operator/read-outbox.ts";
import { outboxUpkeep } from "../../workers/outbox-relay/partitions.ts";
import { openRelayWorld, relayRow as row, sequenceOf } from "../support/relay-world.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(60_000);

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});
const keep = <T extends AsyncDisposable>(one: T): T => (opened.push(one), one);
const setup = async () => keep(await openRelayWorld());
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);
const drained = (world: Awaited<ReturnType<typeof setup>>, waiting = 0) =>
  until(`${waiting} rows unpublished`, async () => (await world.unpublished()) === waiting, { timeoutMs: 20_000 });

test("every row is sent once, per key in the order it was written, with its version, and marked", async () => {
  const world = await setup();
  keep(await world.startRelay("r1"));
  const keys = upTo(30).map((n) => `key-${n}`);
  for (const sequence of upTo(40)) await world.write(keys.map((key) => row(key, sequence)));
  await drained(world);
  for (const key of keys) expect(world.sequences(key)).toEqual(upTo(40));
  expect(world.taken).toHaveLength(1200);
  const first = world.taken[0];
  expect(first?.headers.map(([name]) => name)).toEqual(["ce_subject", "ce_sequence", "ce_outbox"]);
});

test("a backlog goes out in large sends, also when it is all in one shard", async () => {
  const world = await setup();
  await world.write(upTo(5000).map((n) => row("hot", n)));
  keep(await world.startRelay("r1"));
  await drained(world);
  expect(world.sequences("hot")).toEqual(upTo(5000));
  expect(world.sends.length).toBeLessThan(40);
});

test("a row whose transaction commits late is not skipped", async () => {
  const world = await setup();
  keep(await world.startRelay("r1"));
  const goOn = Promise.withResolvers<void>();
  const written = Promise.withResolvers<void>();
  const late = world.db.transaction(async (tx) => {
    await tx`
      insert into outbox (shard, topic, key, message_id, type, subject, sequence, time, value, headers)
      values (${shardOf("late")}, 'task-events', 'late', gen_random_uuid(), 'TaskUpdated', 'late', 1, now(), 'x', '[]')`;
    written.resolve();
    await goOn.promise;
  });
  await written.promise;
  await world.write(upTo(50).map((n) => row(`other-${n}`, 1)));
  await until("the later ids", () => world.taken.length === 50);
  goOn.resolve();
  await late;
  await until("the late row, by the poll alone", () => world.sequences("late").length === 1);
});

test("a relay whose database connections keep dying publishes everything in order all the same", async () => {
  const world = await setup();
  keep(await world.startRelay("r1"));
  const stop = performance.now() + 3000;
  let sequence = 0;
  while (performance.now() < stop) {
    sequence++;
    await world.write(upTo(5).map((n) => row(`k${n}`, sequence)));
    if (sequence % 10 === 0)
      await world.db.sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name like 'relay-%' and random() < 0.5`;
    await Bun.sleep(5);
  }
  await drained(world);
  for (const n of upTo(5)) expect([...new Set(world.sequences(`k${n}`))]).toEqual(upTo(sequence));
});

test("a relay whose database fails it is waiting, not dead: its loop goes on, and looks count only when they work", async () => {
  const world = await setup();
  const { count } = keep(await world.startRelay("r1"));
  await world.db.sql`alter table outbox rename to outbox_away`;
  await until("looks that fail", async () => {
    const before = { ...count };
    await Bun.sleep(700); // longer than the loop rests after a failure
    return count.rounds === before.rounds && count.turns > before.turns;
  });
  await world.db.sql`alter table outbox_away rename to outbox`;
  await world.write([row("k", 1)]);
  await drained(world);
});

describe("leases", () => {
  test("relays share the shards, one that stops gives its own to the other at once", async () => {
    const world = await setup();
    keep(await world.startRelay("r1"));
    expect(await world.shardsOf("r1")).toBe(16);
    const second = await world.startRelay("r2");
    await until("half and half", async () => (await world.shardsOf("r1")) === 8 && (await world.shardsOf("r2")) === 8);
    for (const sequence of upTo(20)) await world.write(upTo(20).map((n) => row(`k${n}`, sequence)));
    await drained(world);
    await second[Symbol.asyncDispose]();
    // Given back: a lease that is left to run out keeps its owner.
    expect(await world.db.sql`select from outbox_shards where owner = 'r2'`).toHaveLength(0);
    await until("all with the first", async () => (await world.shardsOf("r1")) === 16);
    for (const n of upTo(20)) expect(world.sequences(`k${n}`)).toEqual(upTo(20));
  });

  test("what a dead relay held is taken over when its lease has run out by the database's clock, with a higher epoch", async () => {
    const world = await setup();
    await world.db.sql`
      update outbox_shards set owner = 'dead', epoch = 7, expires_at = 'infinity'`;
    await world.write([row("k", 1)]);
    keep(await world.startRelay("r1"));
    expect(await world.shardsOf("r1")).toBe(0);
    await world.db.sql`update outbox_shards set expires_at = clock_timestamp()`;
    await drained(world);
    const epochs = await world.db.sql<{ early: boolean; epoch: number }[]>`
      select min(epoch)::int as epoch, bool_or(expires_at < clock_timestamp()) as early from outbox_shards`;
    expect(epochs).toEqual([{ epoch: 8, early: false }] as never);
    expect(world.sequences("k")).toEqual([1]);
  });

  test("a relay cut off from the database sends nothing more once its leases may have run out", async () => {
    const world = await setup();
    let isCut = false;
    const sql = new Proxy(world.db.sql, {
      apply: (target, self, args) =>
        isCut ? Promise.reject(new Error("cut off")) : (Reflect.apply(target, self, args) as unknown),
    });
    const quiet = makeLog({}, "error", () => {});
    const db = { ...world.db, sql };
    await using leases = await openLeases({ db, instance: "r1", log: quiet, onAcquired: () => {} });
    const held = leases.held();
    expect([held.length > 0, held.every(leases.isHeld)]).toEqual([true, true]);
    isCut = true;
    await until("it finds nothing to claim", () => leases.held().length === 0);
    expect(held.filter(leases.isHeld)).toEqual([]);
    isCut = false;
  });

  test("a relay counts those that live for its share, and claims no more from what it is about to give back", async () => {
    const world = await setup();
    await world.db.sql`
      insert into outbox_relays (instance, seen_at) values ('dead', clock_timestamp() - interval '10 s')`;
    const log = makeLog({}, "error");
    await using leases = await openLeases({ db: world.db, instance: "r1", log, onAcquired: () => {} });
    const all = leases.held();
    expect(all).toHaveLength(16);
    const seen = new Set<string>();
    const look = () => void seen.add(`${leases.held().length} of ${all.filter(leases.isHeld).length}`);
    look();
    await world.db.sql`insert into outbox_relays (instance, seen_at) values ('r2', 'infinity')`;
    const looking = setInterval(look, 5);
    await until("half is given back", async () => (await world.shardsOf("r1")) === 8);
    clearInterval(looking);
    // What is on its way when a shard is to be left still arrives under its lease.
    expect([...seen].filter((one) => one.endsWith("of 16"))).toEqual(["16 of 16", "8 of 16"]);
  });

  test("a lease that somebody else has taken is neither renewed nor used", async () => {
    const world = await setup();
    const log = makeLog({}, "error");
    await using leases = await openLeases({ db: world.db, instance: "r1", log, onAcquired: () => {} });
    await world.db.sql`update outbox_shards set owner = 'thief', epoch = epoch + 1, expires_at = 'infinity'`;
    await until("it finds nothing to claim", () => leases.held().length === 0);
    expect(
      await world.db.sql`select from outbox_shards where owner = 'thief' and expires_at = 'infinity'`,
    ).toHaveLength(16);
  });

  test("a relay that lost a shard while its send was in the air marks nothing of it; the new owner sends again", async () => {
    const world = await setup();
    keep(await world.startRelay("r1"));
    const gate = Promise.withResolvers<void>();
    world.gate = gate.promise;
    await world.write([row("k", 1), row("k", 2)]);
    await until("the send is begun", () => world.begun === 1);
    await world.db.sql`update outbox_shards set owner = 'thief', epoch = epoch + 1, expires_at = 'infinity'`;
    gate.resolve();
    await until("the send in the air", () => world.taken.length === 2);
    await Bun.sleep(300); // Longer than marks gather: a wrong one would be there.
    expect(await world.unpublished()).toBe(2);
    await world.db.sql`update outbox_shards set expires_at = clock_timestamp()`;
    await drained(world);
    expect(world.sequences("k")).toEqual([1, 2, 1, 2]);
  });

  test("a row larger than a whole page is claimed, alone, and what follows it after it", async () => {
    const world = await setup();
    await world.write([row("k", 1, { value: new Uint8Array(5_000) }), row("k", 2), row("k", 3)]);
    const page = {
      leases: [{ shard: shardOf("k"), epoch: 1 }],
      except: [],
      layouts: new Map(),
      rowsPerShard: 100,
      bytesPerShard: 2_000,
    };
    const first = await claim(world.db, { ...page, busy: [] });
    expect(first.map(({ sequence }) => sequence)).toEqual([1]);
    const next = await claim(world.db, { ...page, busy: first.map(({ id }) => id) });
    expect(next.map(({ sequence }) => sequence)).toEqual([2, 3]);
  });

  test("nothing is claimed of a topic whose partitions are being changed, or were, unbeknownst to this relay", async () => {
    const world = await setup();
    await world.write([row("k", 1)]);
    const leases = [{ shard: shardOf("k"), epoch: 1 }];
    const counts = async (...known: readonly number[]) => {
      const layouts = new Map(known.map((generation) => ["task-events", generation]));
      const page = { leases, busy: [], except: [], layouts, rowsPerShard: 100, bytesPerShard: 100_000 };
      const inTurns = { ...page, allowances: new Map<number, number>(), otherwise: 60, start: 0.5 };
      return [(await claim(world.db, page)).length, (await claimInTurns(world.db, inTurns)).length];
    };
    expect(await counts()).toEqual([1, 1]);
    await world.db.sql`insert into topic_layouts (topic, partitions, generation) values ('task-events', 12, 1)`;
    expect([await counts(), await counts(0), await counts(1)]).toEqual([
      [0, 0],
      [0, 0],
      [1, 1],
    ]);
    await world.db.sql`update topic_layouts set held_by = gen_random_uuid(), held_since = now()`;
    expect(await counts(1)).toEqual([0, 0]);
  });

  test("a mark under an old epoch changes nothing, one under the current does", async () => {
    const world = await setup();
    await world.write([row("k", 1)]);
    await world.db.sql`update outbox_shards set owner = 'r1', epoch = 5`;
    const [stored] = await world.db.sql`
      select id::float8 as id, day, (extract(epoch from created_at) * 1000000)::bigint::text as created from outbox`;
    const claimed = (epoch: number, created: string) => ({
      id: stored?.id as number,
      day: stored?.day as string,
      lease: { shard: shardOf("k"), epoch },
      claimedAt: 0,
      created,
      life: "1",
      line: 0,
      topic: "task-events",
      key: "k",
      sequence: 1,
      value: Buffer.alloc(0),
      headers: [],
      bytes: 0,
    });
    const mark = async (instance: string, epoch: number, created = stored?.created as string) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      await using marker = makeMarker({
        db: world.db,
        instance,
        log: makeLog({}, "error"),
        onDone: () => resolve(),
        onLost: () => {},
      });
      marker.add([claimed(epoch, created)]);
      await promise;
      return world.unpublished();
    };
    // The last but one is a row of this id that a database further on had.
    const left = [await mark("r1", 4), await mark("r2", 5), await mark("r1", 5, "1"), await mark("r1", 5)];
    expect(left).toEqual([1, 1, 1, 0]);
  });

  test("a row that got, after the database went back, the id of one in flight is sent too", async () => {
    const world = await setup();
    keep(await world.startRelay("r1"));
    const gate = Promise.withResolvers<void>();
    world.gate = gate.promise;
    await world.write([row("k", 1)]);
    await until("the send is begun", () => world.begun === 1);
    // The row in flight is one this database never had; the next to be written draws its id.
    await world.db.transaction(async (tx) => {
      const [gone] = await tx`delete from outbox returning id`;
      await tx`select setval('outbox_id_seq', ${gone?.["id"]}, false)`;
    });
    await world.write([row("k", 2)]);
    gate.resolve();
    await drained(world);
    expect(world.sequences("k")).toEqual([1, 2]);
  });
});

describe("when the broker does not take it", () => {
  test("while it is down rows wait in the database, and afterwards go out in order", async () => {
    const world = await setup();
    keep(await world.startRelay("r1"));
    let tries = 0;
    world.weather = () => (tries++, "unreachable");
    for (const sequence of upTo(30)) await world.write(upTo(10).map((n) => row(`k${n}`, sequence)));
    await until("some tries", () => tries >= 3);
    expect([world.taken.length, await world.unpublished()]).toEqual([0, 300]);
    world.weather = () => null;
    await drained(world);
    for (const n of upTo(10)) expect(world.sequences(`k${n}`)).toEqual(upTo(30));
  });

  test("what was read ahead while a send failed is not sent before it", async () => {
    const world = await setup();
    const count = 3_000;
    await world.write(Array.from({ length: count }, (_, n) => row("k", n + 1)));
    // The first send is of a small page; beside the second a full one is read ahead.
    world.weather = () => (world.begun === 2 ? "unreachable" : null);
    keep(await world.startRelay("r1"));
    await drained(world);
    expect(world.sequences("k")).toEqual(Array.from({ length: count }, (_, n) => n + 1));
  });

  test("answers that get lost make duplicates, never gaps or another order of first appearances", async () => {
    const world = await setup();
    keep(await world.startRelay("r1"));
    let sends = 0;
    world.weather = () => (sends++ % 3 === 0 ? "written" : sends % 7 === 0 ? "unreachable" : null);
    for (const sequence of upTo(60)) await world.write(upTo(5).map((n) => row(`k${n}`, sequence)));
    await drained(world);
    expect(world.taken.length).toBeGreaterThan(300);
    for (const n of upTo(5)) expect([...new Set(world.sequences(`k${n}`))]).toEqual(upTo(60));
  });

  test("a topic in trouble does not hold up the others", async () => {
    const world = await setup();
    keep(await world.startRelay("r1"));
    world.weather = (records) => (records.some(({ topic }) => topic === "reminders") ? "unreachable" : null);
    for (const sequence of upTo(20)) {
      await world.write([row("t", sequence), row("t", sequence, { topic: "reminders" })]);
      await Bun.sleep(5);
    }
    await until("the healthy topic", () => world.sequences("t").length === 20);
    expect(world.sequences("t", "reminders")).toEqual([]);
    world.weather = () => null;
    await drained(world);
    expect([world.sequences("t"), world.sequences("t", "reminders")]).toEqual([upTo(20), upTo(20)]);
  });

  test("a refused row goes to the dead-letter topic with its story, and its key waits for an operator", async () => {
    const world = await setup();
    const relay = keep(await world.startRelay("r1"));
    world.weather = (records) =>
      records.some((record) => record.key === "bad" && record.topic === "task-events" && sequenceOf(record) === 3)
        ? "refused"
        : null;
    for (const sequence of upTo(6)) await world.write(["bad", "good", "other"].map((key) => row(key, sequence)));
    await drained(world, 3);
    expect([world.sequences("bad"), world.sequences("good"), world.sequences("other")]).toEqual([
      [1, 2],
      upTo(6),
      upTo(6),
    ]);
    const letter = world.taken.find(({ topic }) => topic === "task-events-dlq");
    expect(letter).toMatchObject({ key: "bad", value: Buffer.from("bad/3") });
    expect(letter?.headers.map(([name, value]) => [name, Buffer.from(value).toString()])).toEqual(
      expect.arrayContaining([
        ["ce_subject", "bad"],
        ["ce_sequence", "3"],
        ["x-original-topic", "task-events"],
        ["x-error-class", "refused"],
      ]),
    );
    await relay.meters.watch(world.db);
    expect(await relay.metrics.text()).toContain('outbox_held_keys{role="outbox-relay"} 1');

    await world.write([row("bad", 7)]);
    await world.write([row("good", 7)]);
    await until("other keys go on", () => world.sequences("good").length === 7);
    expect(world.sequences("bad")).toEqual([1, 2]);
    await world.db.sql`delete from outbox_holds where topic = 'task-events' and key = 'bad'`;
    await drained(world);
    expect(world.sequences("bad")).toEqual([1, 2, 4, 5, 6, 7]);
  });

  test("what is held is set aside, counted with its shard, and goes in order when the hold is gone, however often that happens", async () => {
    const world = await setup();
    const { sql } = world.db;
    const hold = () => sql`insert into outbox_holds (topic, key, reason) values ('task-events', 'bad', 'refused')`;
    const aside = async () => (await sql`select from outbox where shard < 0`).length;
    await hold();
    await world.write(upTo(1_500).flatMap((sequence) => [row("bad", sequence)]));
    await world.write([row("good", 1)]);
    expect(await setAsideHeld(world.db)).toBe(1_500);
    expect(await aside()).toBe(1_500);
    const { shards, waiting } = await readOutbox(sql);
    expect([waiting, shards[shardOf("bad")]?.waiting]).toEqual([
      1_501,
      shardOf("bad") === shardOf("good") ? 1_501 : 1_500,
    ]);
    const relay = keep(await world.startRelay("r1"));
    await world.write([row("bad", 1_501)]);
    await until("other keys go on", () => world.sequences("good").length === 1);
    expect(world.sequences("bad")).toEqual([]);
    await drained(world, 1_501);
    expect(await setAsideHeld(world.db)).toBe(1);
    await relay.meters.watch(world.db);
    expect(await relay.metrics.text()).toMatch(/^outbox_oldest_unpublished_seconds\{[^}]*\} 0?[.1-9]/m);

    // Held again and again while it is being set aside: nothing is left aside without a hold, and order holds.
    await Promise.all([
      (async () => {
        for (let n = 0; n < 10; n++) await setAsideHeld(world.db);
      })(),
      (async () => {
        for (let n = 0; n < 3; n++) {
          await sql`delete from outbox_holds`;
          await hold();
        }
        await sql`delete from outbox_holds`;
      })(),
    ]);
    await drained(world);
    expect(await aside()).toBe(0);
    expect(world.sequences("bad")).toEqual(upTo(1_501));
  });

  test("a refused row is put on record once, however often it is refused", async () => {
    const world = await setup();
    await world.write([row("k", 1)]);
    const leases = [{ shard: shardOf("k"), epoch: 1 }];
    const [claimed] = await claim(world.db, {
      leases,
      busy: [],
      except: [],
      layouts: new Map(),
      rowsPerShard: 1,
      bytesPerShard: 1,
    });
    if (claimed === undefined) throw new Error("nothing was claimed");
    const letters = () => world.db.sql`select from outbox where topic = 'task-events-dlq'`;
    // One of this id that a database further on had.
    await refuse(world.db, { ...claimed, created: "1" }, "too large");
    expect(await letters()).toHaveLength(0);
    for (let times = 0; times < 3; times += 1) await refuse(world.db, claimed, "too large");
    expect(await letters()).toHaveLength(1);
  });

  test("on task-updates nothing waits behind a refused snapshot", async () => {
    const world = await setup();
    keep(await world.startRelay("r1"));
    const topic = "task-updates";
    world.weather = (records) =>
      records.some((record) => record.topic === topic && sequenceOf(record) === 2) ? "refused" : null;
    await world.write(upTo(4).map((sequence) => row("u", sequence, { topic })));
    await drained(world);
    expect(world.sequences("u", topic)).toEqual([1, 3, 4]);
    expect(world.taken.filter((record) => record.topic === "task-updates-dlq")).toHaveLength(1);
  });

  test("a dead letter that is refused itself stays in the outbox", async () => {
    const world = await setup();
    keep(await world.startRelay("r1"));
    world.weather = (records) => (records.some(({ topic }) => topic === "task-events-dlq") ? "refused" : null);
    await world.write([row("k", 1, { topic: "task-events-dlq" }), row("k", 1)]);
    await drained(world, 1);
    expect(await world.db.sql`select topic, key from outbox_holds`).toEqual([
      { topic: "task-events-dlq", key: "k" },
    ] as never);
    expect(world.sequences("k")).toEqual([1]);
  });
});

describe("days", () => {
  const insertOn = (world: Awaited<ReturnType<typeof setup>>, day: string, key: string, published: boolean) =>
    world.db.sql`
      insert into outbox (day, shard, topic, key, message_id, type, subject, time, value, headers, published_at)
      values (${day}, 0, 'task-events', ${key}, gen_random_uuid(), 'TaskUpdated', ${key}, now(), 'x', '[]',
        ${published ? new Date() : null})`;
  const places = async (world: Awaited<ReturnType<typeof setup>>): Promise<readonly string[]> =>
    (
      await world.db.sql<{ name: string }[]>`
        select inhrelid::regclass::text as name from pg_inherits where inhparent = 'outbox'::regclass order by 1`
    ).map(({ name }) => name);

  const tend = async (world: Pick<Awaited<ReturnType<typeof setup>>, "db">) => {
    const log = makeLog({}, "error");
    return await runUpkeep(outboxUpkeep(world.db, log), { log });
  };

  test("today and the next two are made; a day is dropped 24 h after its end, once all of it is published", async () => {
    const world = await setup();
    const [when] = await world.db.sql<{ today: string; days: string[] }[]>`
      select (clock_timestamp() at time zone 'UTC')::date as today,
        array(select ((clock_timestamp() at time zone 'UTC')::date + n)::text from generate_series(-4, 2) as n) as days`;
    const days = when?.days ?? [];
    const name = (n: number) => `outbox_${days[n + 4]?.replaceAll("-", "")}`;
    for (const n of [-4, -3, -2, -1])
      await world.db.sql.unsafe(
        `create table ${name(n)} partition of outbox for values from ('${days[n + 4]}') to ('${days[n + 5]}')`,
      );
    await world.db.sql.unsafe(`drop table ${name(2)}`);
    await insertOn(world, days[0] ?? "", "published", true);
    await insertOn(world, days[1] ?? "", "waiting", false);
    await insertOn(world, days[2] ?? "", "held", false);
    await world.db.sql`insert into outbox_holds (topic, key, reason) values ('task-events', 'held', 'refused')`;
    await Promise.all([tend(world), tend(world)]);
    await tend(world);
    // -4 was published, -2 held one that moved to today, -1 has not ended for long enough.
    expect(await places(world)).toEqual([name(-3), name(-1), name(0), name(1), name(2), "outbox_default"]);
    const left = await world.db.sql`select key, day from outbox order by id`;
    expect([...left]).toEqual([
      { key: "waiting", day: days[1] },
      { key: "held", day: when?.today },
    ]);
  });

  test("for two days after the database went back no day is dropped, for groups ask it what was lost", async () => {
    const world = await setup();
    const { sql } = world.db;
    const [when] = await sql<{ old: string; next: string; older: string }[]>`
      select (today - 4)::text as old, (today - 3)::text as next, (today - 5)::text as older
      from (select (clock_timestamp() at time zone 'UTC')::date as today) now`;
    const { old = "", next = "", older = "" } = when ?? {};
    await sql.unsafe(
      `create table outbox_${old.replaceAll("-", "")} partition of outbox for values from ('${old}') to ('${next}')`,
    );
    await insertOn(world, old, "its day", true);
    await insertOn(world, older, "no day", true);
    await insertOn(world, older, "unpublished", false);
    const left = async () => (await sql<{ key: string }[]>`select key from outbox order by key`).map(({ key }) => key);
    const all = ["its day", "no day", "unpublished"];
    // Another timeline than was noted, as right after a promotion.
    await sql`update database_history set timeline = '0000FFFF'`;
    await tend(world);
    expect(await left()).toEqual(all);
    await sql`
      insert into database_history (number, life, timeline, system, reason, noticed_at)
      select 1, life, database_timeline(), system, 'timeline', clock_timestamp() - interval '47 hours' from database_history`;
    await tend(world);
    expect(await left()).toEqual(all);
    await sql`update database_history set noticed_at = clock_timestamp() - interval '49 hours'`;
    await tend(world);
    expect(await left()).toEqual(["unpublished"]);
  });

  test("a day whose rows went to the default partition stays there, and they are published and cleared all the same", async () => {
    const world = await setup();
    const [when] = await world.db.sql<
      { past: string }[]
    >`select ((clock_timestamp() at time zone 'UTC')::date - 3)::text as past`;
    await insertOn(world, when?.past ?? "", "k", false);
    keep(await world.startRelay("r1"));
    await drained(world);
    await tend(world);
    expect(await world.db.sql`select from outbox`).toHaveLength(0);
    // A day ahead, as after a long stop.
    const [ahead] = await world.db.sql<
      { day: string }[]
    >`select ((clock_timestamp() at time zone 'UTC')::date + 2)::text as day`;
    await world.db.sql.unsafe(`drop table outbox_${ahead?.day.replaceAll("-", "")}`);
    await insertOn(world, ahead?.day ?? "", "k", false);
    expect(await tend(world)).toEqual([]);
  });
});
