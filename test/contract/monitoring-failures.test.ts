import { expect, test } from "bun:test";
import { makeLog } from "../../shared/role/log.ts";
import { openDb } from "../../shared/postgres/db.ts";
import { measureFailures, measureTables } from "../../workers/operator/measure-failures.ts";
import { freshDatabase } from "../support/database.ts";

test("parked keys and unsettled dead letters are counted by group and topic with the age of the oldest, zeros included", async () => {
  await using world = await setup();
  const { sql } = world.db;
  const nothing = await measureFailures(sql);
  expect(nothing.parked).toHaveLength(8);
  expect(nothing.parked.every(({ keys, messages, oldestSeconds }) => keys + messages + oldestSeconds === 0)).toBe(true);
  expect(nothing.dead.map(({ group, letters }) => `${group} ${letters}`)).toContain("reminder-service 0");

  const [row] = await sql<
    { epoch: number }[]
  >`insert into consumer_groups (name) values ('reminder-service') returning epoch`;
  const epoch = row?.epoch ?? 0;
  // One key of an epoch that is over: a reset has made it nobody's.
  await sql`
    insert into parked_keys (epoch, topic, key, partition, next_at, since, class, error, fingerprint)
    select epoch, 'task-events', key, 0, now(), clock_timestamp() - age, 'unknown', 'x', 'f'
    from (values (${epoch}::int, 'a', interval '2 h'), (${epoch}::int, 'b', '1 min'), (${epoch}::int + 1000, 'a', '9 h')) v (epoch, key, age)`;
  await sql`
    insert into parked_messages (epoch, topic, key, partition, "offset", message_id, time, timestamp_ms, headers)
    select ${epoch}, 'task-events', 'a', 0, n, gen_random_uuid(), now(), 0, '[]' from generate_series(1, 5) n`;
  await sql`
    insert into dead_letters (id, group_name, epoch, topic, partition, "offset", message_id, time, timestamp_ms, headers,
      class, error, fingerprint, attempts, state, dead_at)
    select gen_random_uuid(), 'reminder-service', ${epoch}, 'task-events', 0, 0, gen_random_uuid(), now(), 0, '[]',
      'unknown', 'x', 'f', '[]', state, clock_timestamp() - interval '1 day'
    from unnest(array['dead', 'dead', 'redriven', 'dropped']) state`;

  const found = await measureFailures(sql);
  const here = found.parked.find(({ group, topic }) => group === "reminder-service" && topic === "task-events");
  expect(here).toMatchObject({ keys: 2, messages: 5 });
  expect(here?.oldestSeconds).toBeGreaterThanOrEqual(7_200);
  expect(here?.oldestSeconds).toBeLessThan(7_260);
  expect(found.parked.reduce((sum, { keys }) => sum + keys, 0)).toBe(2);
  const dead = found.dead.find(({ group }) => group === "reminder-service");
  expect(dead?.letters).toBe(2);
  expect(dead?.oldestSeconds).toBeGreaterThanOrEqual(86_400);
});

test("the size of a partitioned table is that of its partitions, and grows with them", async () => {
  await using world = await setup();
  const { sql } = world.db;
  const before = await measureTables(sql);
  expect(before.map(({ table }) => table)).toEqual(["dead_letters", "inbox", "outbox", "parked_messages"]);
  expect(before.every(({ bytes }) => bytes > 0)).toBe(true);
  await sql`insert into inbox select 1, gen_random_uuid(), clock_timestamp(), 'done' from generate_series(1, 10000)`;
  const [inbox, inboxAfter] = [before, await measureTables(sql)].map(
    (tables) => tables.find(({ table }) => table === "inbox")?.bytes ?? 0,
  );
  expect((inboxAfter ?? 0) - (inbox ?? 0)).toBeGreaterThan(500_000);
});

async function setup() {
  const database = await freshDatabase();
  const db = await openDb(
    { url: database.url, directUrl: null, statementMs: 10_000 },
    { role: "test", poolSize: 2, log: makeLog({}, "error") },
  );
  return {
    db,
    [Symbol.asyncDispose]: async () => {
      await db[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}
