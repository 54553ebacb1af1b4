import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import * as fc from "../support/fast-check.ts";
import { groupsPassingOverPlain } from "../../shared/messages/topics.ts";
import { makeLog } from "../../shared/role/log.ts";
import { lineOf, shardCount } from "../../shared/outbox/outbox.ts";
import { openDb } from "../../shared/postgres/db.ts";
import { claimInTurns } from "../../workers/outbox-relay/claim-in-turns.ts";
import { claim, claimSettings } from "../../workers/outbox-relay/claim.ts";
import { makeTurns, pickOfLine, windowRows } from "../../workers/outbox-relay/turns.ts";
import { freshDatabase } from "../support/database.ts";
import { openRelayWorld, relayRow, sequenceOf } from "../support/relay-world.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(60_000);

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});
const keep = <T extends AsyncDisposable>(one: T): T => (opened.push(one), one);
const setup = async () => keep(await openRelayWorld());
type World = Awaited<ReturnType<typeof setup>>;

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);
/** What `user` writes to a topic, spread over so many keys, each key's versions in order. */
const rowsOf = (user: string, count: number, { topic = "task-events", keys = 50 } = {}) =>
  upTo(count).map((n) => relayRow(`${user}-${n % keys}`, Math.ceil(n / keys), { topic, line: lineOf(topic, user) }));
const drained = (world: World) =>
  until("nothing is unpublished", async () => (await world.unpublished()) === 0, { timeoutMs: 30_000 });
const placeOf = (world: World, key: string) => world.taken.findIndex((record) => record.key === key);
/** Enters everything published in the inbox of a group, as that group does. */
const handlePublished = (world: World, group = "task-update-broadcaster") => world.db.sql`
  insert into inbox (epoch, message_id, time, fate)
  select epoch, message_id, time, 'done' from outbox, consumer_groups
  where name = ${group} and published_at is not null on conflict do nothing`;
const inOrder = (world: World) => {
  for (const [, records] of Map.groupBy(world.taken, ({ topic, key }) => `${topic}/${key}`)) {
    const sequences = records.map(sequenceOf);
    expect(sequences).toEqual(upTo(sequences.length));
  }
};

test("of 300 events of one user, 64 are published before anybody has handled them, and those of others are not held up", async () => {
  const world = await setup();
  await world.db.sql`insert into consumer_groups (name) values ('task-update-broadcaster')`;
  await world.write([...rowsOf("busy", 300), ...rowsOf("other", 1), ...rowsOf("third", 1)]);
  keep(await world.startRelay("r1"));
  await until("both others", () => placeOf(world, "other-1") >= 0 && placeOf(world, "third-1") >= 0);
  expect(placeOf(world, "other-1")).toBeLessThanOrEqual(windowRows + 1);
  expect(placeOf(world, "third-1")).toBeLessThanOrEqual(windowRows + 1);
  await until("all are published", async () => {
    await handlePublished(world);
    return (await world.unpublished()) === 0;
  });
  expect(world.taken).toHaveLength(302);
  inOrder(world);
});

test("what is handled makes room for more of its line, what is not counts for a second", async () => {
  const world = await setup();
  await world.db.sql`insert into consumer_groups (name) values ('task-update-broadcaster')`;
  await world.write(rowsOf("busy", 3 * windowRows));
  keep(await world.startRelay("r1"));
  await until("the first are published", () => world.taken.length >= windowRows);
  // Nobody handles them: the group may be stopped, and other groups read the same topic.
  await drained(world);
  inOrder(world);
  expect(Math.max(...world.sends)).toBeLessThanOrEqual(windowRows);
});

test("a herd goes on when every group that reads its events has handled them, not the one that users watch alone", async () => {
  const world = await setup();
  await world.db.sql`insert into consumer_groups (name) values ('task-update-broadcaster'), ('recurring-task-worker')`;
  await using db = await openDb(
    { url: world.url, directUrl: null, statementMs: 10_000 },
    { role: "test", poolSize: 1, log: makeLog({}, "error") },
  );
  await world.write(rowsOf("busy", 2 * windowRows));
  const leases = Array.from({ length: shardCount }, (_, shard) => ({ shard, epoch: 1 }));
  const all = await claim(db, {
    leases,
    busy: [],
    except: [],
    layouts: new Map(),
    rowsPerShard: 1000,
    bytesPerShard: 1_000_000,
  });
  await db.sql`update outbox set published_at = clock_timestamp()`;
  const clock = { ms: 1_000 };
  const turns = makeTurns(() => clock.ms);
  turns.sent(turns.share(all));
  const mayGo = async () => {
    await turns.refresh(db);
    clock.ms += 200;
    return [...turns.allowances().values()];
  };
  expect(await mayGo()).toEqual([0]);
  await handlePublished(world);
  await turns.refresh(db);
  turns.allowances();
  // In less, a batch that all had handled would be followed by the next one.
  clock.ms += 600;
  expect([...turns.allowances().values()]).toEqual([0]);
  await handlePublished(world, "recurring-task-worker");
  await turns.refresh(db);
  turns.allowances();
  clock.ms += 900;
  expect([...turns.allowances().values()]).toEqual([windowRows]);
});

test("a herd of plain new tasks does not wait for the group that passes over them", async () => {
  const world = await setup();
  const groups = ["task-update-broadcaster", ...groupsPassingOverPlain];
  await world.db.sql`insert into consumer_groups (name) select unnest(${groups}::text[])`;
  await using db = await openDb(
    { url: world.url, directUrl: null, statementMs: 10_000 },
    { role: "test", poolSize: 1, log: makeLog({}, "error") },
  );
  await world.write(rowsOf("busy", 2 * windowRows));
  await db.sql`update outbox set type = 'TaskCreated', headers = headers || '[["ce_traits", "none"]]'::jsonb`;
  const leases = Array.from({ length: shardCount }, (_, shard) => ({ shard, epoch: 1 }));
  const page = { busy: [], except: [], layouts: new Map(), rowsPerShard: 1000, bytesPerShard: 1_000_000 };
  const all = await claim(db, { leases, ...page });
  await db.sql`update outbox set published_at = clock_timestamp()`;
  const clock = { ms: 1_000 };
  const turns = makeTurns(() => clock.ms);
  turns.sent(turns.share(all));
  await handlePublished(world);
  await turns.refresh(db);
  turns.allowances();
  // Sooner than what nobody handles counts as handled.
  clock.ms += 900;
  expect([...turns.allowances().values()]).toEqual([windowRows]);
});

test("with 5,000 rows of one user before it, a row of another is among the first 500 published, and keys keep their order", async () => {
  const world = await setup();
  const topic = "reminder-commands";
  await world.write([...rowsOf("busy", 5000, { topic }), ...rowsOf("other", 1, { topic })]);
  keep(await world.startRelay("r1"));
  await drained(world);
  expect(placeOf(world, "other-1")).toBeLessThan(500);
  expect(world.taken).toHaveLength(5001);
  inOrder(world);
});

test("users come and go while one has thousands waiting: everything is published once, per key in order", async () => {
  const world = await setup();
  const topic = "reminder-commands";
  await world.write(rowsOf("busy", 2000, { topic }));
  keep(await world.startRelay("r1"));
  for (const n of upTo(30)) {
    await world.write(upTo(10).map((user) => relayRow(`u${user}`, n, { topic, line: lineOf(topic, `u${user}`) })));
    await world.write(upTo(5).map((key) => relayRow(`old-${key}`, n, { topic, line: 0 })));
  }
  await drained(world);
  expect(world.taken).toHaveLength(2000 + 30 * 15);
  inOrder(world);
});

test("a key whose older rows were written before lines were there keeps its order", async () => {
  const world = await setup();
  const topic = "reminder-commands";
  const line = lineOf(topic, "old");
  await world.write(upTo(400).map((n) => relayRow("k", n, { topic, line: 0 })));
  await world.write([
    ...rowsOf("busy", 1000, { topic }),
    ...upTo(10).map((n) => relayRow("k", 400 + n, { topic, line })),
  ]);
  keep(await world.startRelay("r1"));
  await drained(world);
  inOrder(world);
});

test("a claim by lines gives what one in order gives where nobody has more than they may, and else the first rows of each line", async () => {
  await using database = await freshDatabase();
  const config = { url: database.url, directUrl: null, statementMs: 10_000 };
  await using db = await openDb(config, {
    role: "test",
    poolSize: 1,
    log: makeLog({}, "error"),
    settings: claimSettings,
  });
  const leases = Array.from({ length: shardCount }, (_, shard) => ({ shard, epoch: 1 }));
  const page = { leases, busy: [], except: [], layouts: new Map(), rowsPerShard: 1000, bytesPerShard: 1_000_000 };
  await db.sql`insert into outbox_holds (topic, key, reason) values ('task-events', '3/1', 'refused')`;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ line: fc.constantFrom(-(2 ** 31), -7, 0, 3, 2 ** 31 - 1), key: fc.nat(3) }), {
        maxLength: 60,
      }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 1, max: 5 }),
      async (wanted, start, otherwise) => {
        await db.sql`delete from outbox`;
        for (const [n, { line, key }] of wanted.entries()) {
          const { shard, messageId, time } = relayRow(`${line}/${key}`, n);
          await db.sql`
            insert into outbox (shard, line, topic, key, message_id, type, subject, sequence, time, value, headers)
            values (${shard}, ${line}, 'task-events', ${`${line}/${key}`}, ${messageId}, 't', 's', ${n}, ${time}, 'x', '[]')`;
        }
        const ids = (rows: readonly Readonly<{ id: number }>[]) => rows.map(({ id }) => id);
        const all = await claim(db, page);
        const turns = { ...page, allowances: new Map(), start };
        expect(ids(await claimInTurns(db, { ...turns, otherwise: 60 }))).toEqual(ids(all));
        const first = [...Map.groupBy(all, ({ line }) => line)].flatMap(([line, of]) =>
          line === 0 ? of : pickOfLine(of, otherwise).picked,
        );
        expect(ids(await claimInTurns(db, { ...turns, otherwise }))).toEqual(ids(first).toSorted((a, b) => a - b));
      },
    ),
    { numRuns: 30 },
  );
});
