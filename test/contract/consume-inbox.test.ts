import { expect, setDefaultTimeout, test } from "bun:test";
import { inboxDays, inboxUpkeep } from "../../shared/consume/inbox-retention.ts";
import { makeLog } from "../../shared/role/log.ts";
import { runUpkeep } from "../../shared/role/upkeep.ts";
import { consumerWorld, event } from "../support/consumer-world.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(40_000);

const dayMs = 86_400_000;

/** The same event with another time in its envelope. */
function at(time: Date, of: ReturnType<typeof event>) {
  return {
    ...of,
    headers: of.headers.map(([name, value]) =>
      name === "ce_time" ? ([name, Buffer.from(time.toISOString())] as const) : ([name, value] as const),
    ),
  };
}

test.each([
  ["years ago", -800 * dayMs],
  ["at the end of last week", -7 * dayMs],
  ["in a year", 365 * dayMs],
])("a message from %s is remembered too", async (_when, offset) => {
  await using world = await consumerWorld({ kafka: "fake" });
  const message = at(new Date(Date.now() + offset), event("k", 1));
  await world.sendRaw([message, message]);
  const first = world.start({});
  await until("all commits", () => world.caughtUp());
  await first.stop();
  await world.sendRaw([message]);
  world.start({});
  await until("all commits", () => world.caughtUp());
  expect(await world.effects()).toHaveLength(1);
});

test("the weeks ahead are made and those nobody needs any more are dropped", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  const weeks = async () =>
    (
      await world.db.sql<{ name: string }[]>`
      select child.relname as name from pg_inherits join pg_class child on child.oid = inhrelid
      where inhparent = 'inbox'::regclass and child.relname <> 'inbox_default' order by 1`
    ).map(({ name }) => name);
  const last = (await weeks()).at(-1) ?? "";
  await world.db.sql.unsafe(`drop table ${last}`);
  await world.db.sql.unsafe(
    "create table inbox_20200106 partition of inbox for values from ('2020-01-06 00:00Z') to ('2020-01-13 00:00Z')",
  );
  world.start({});
  // From the week of the oldest message that counts to three weeks ahead; the migration made one more on some days of a
  // week.
  const [{ needed } = { needed: [] }] = await world.db.sql<{ needed: readonly string[] }[]>`
    select array_agg('inbox_' || to_char(monday, 'YYYYMMDD') order by monday) as needed
    from generate_series(
      date_trunc('week', now() at time zone 'UTC' - ${inboxDays} * interval '1 day'),
      date_trunc('week', now() at time zone 'UTC') + interval '3 weeks', interval '1 week') as monday`;
  await until("the weeks that are needed", async () => Bun.deepEquals(await weeks(), [...needed]), {
    describe: () => needed.join(),
  });
});

test("of the weeks messages may come back from, upkeep drops none", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  const log = makeLog({}, "error");
  const monday = world.db.sql`
    date_trunc('week', now() at time zone 'UTC' - ${inboxDays} * interval '1 day')`;
  const there = async () =>
    (
      await world.db.sql<
        { name: string | null }[]
      >`select to_regclass('inbox_' || to_char(${monday}, 'YYYYMMDD'))::text as name`
    )[0]?.name;
  expect(await there()).toStartWith("inbox_");
  expect(await runUpkeep(inboxUpkeep(world.db, log), { log })).toEqual([]);
  expect(await there()).toStartWith("inbox_");
});

test("dead letters settled long ago are forgotten, those still dead never", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  const insert = (state: string, days: number) => world.db.sql`
    insert into dead_letters (id, group_name, epoch, topic, partition, "offset", message_id, time, timestamp_ms, headers, class,
      error, fingerprint, attempts, state, dead_at, settled_at)
    values (gen_random_uuid(), 'g', 1, 't', 0, 0, gen_random_uuid(), now(), 0, '[]', 'unknown', ${`${state} ${days}`}, 'f', '[]',
      ${state}, now() - interval '1 year', ${state === "dead" ? null : world.db.sql`now() - ${days} * interval '1 day'`})`;
  await insert("dead", 365);
  await insert("dropped", 44);
  await insert("redriven", 46);
  await insert("edited", 46);
  world.start({});
  const left = async () =>
    (await world.db.sql<{ error: string }[]>`select error from dead_letters order by 1`).map(({ error }) => error);
  await until("two are left", async () => (await left()).length === 2);
  expect(await left()).toEqual(["dead 365", "dropped 44"]);
});
