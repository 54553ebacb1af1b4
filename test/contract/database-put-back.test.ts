import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { noteHistory } from "../../shared/postgres/database-history.ts";
import { openDb } from "../../shared/postgres/db.ts";
import { migrate } from "../../workers/operator/migrate.ts";
import { makeLog } from "../../shared/role/log.ts";
import { consumerWorld } from "../support/consumer-world.ts";
import { openPostgresServers } from "../support/postgres-servers.ts";
import { openSwitchingProxy } from "../support/switching-proxy.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(120_000);
const patience = { timeoutMs: 40_000 };

test("a copy of the data directory that is put back, on the same timeline, is noticed by what the groups had committed since", async () => {
  await using servers = openPostgresServers();
  const data = await servers.create();
  const first = await servers.start(data);
  await using front = await openSwitchingProxy(first.port);
  const url = `postgres://postgres@127.0.0.1:${front.port}/taskwire`;
  const log = makeLog({}, "error", () => {});
  await migrate(url, { log });
  await using db = await openDb(
    { url, directUrl: null, statementMs: 10_000 },
    { role: "test", poolSize: 30, log, checkSchema: false },
  );
  await db.sql`create table effects (place serial, id uuid, key text, n int, member text)`;
  await using world = await consumerWorld({ kafka: "fake", partitions: 1, db });
  const partsNow = async () => [...(await db.sql`select number, reason from database_history order by number`)];
  const consumer = world.start({ timing: { watchEveryMs: 200 } });
  const handled = async (count: number) => {
    await until(
      `${count} effects`,
      () =>
        world.effects().then(
          (all) => all.length === count,
          () => false,
        ),
      patience,
    );
    await until("commits", () => world.caughtUp(), patience);
  };
  await world.send(["a", "a", "a"]);
  await handled(3);

  front.lead(null);
  await first.stop();
  const copy = { path: join(data.path, "..", "copy") };
  Bun.spawnSync(["cp", "-a", data.path, copy.path]);
  const second = await servers.start(data);
  front.lead(second.port);
  await world.send(["a", "b"], 4);
  await handled(5);
  // A restart like any other: nothing is lost, and nothing begins.
  await noteHistory(db);
  expect(await partsNow()).toEqual([{ number: 0, reason: "beginning" }]);

  front.lead(null);
  await second.stop();
  const third = await servers.start(copy);
  front.lead(third.port);
  await handled(5);
  await until("a new part", async () => (await partsNow()).length === 2, patience);
  expect((await partsNow())[1]).toEqual({ number: 1, reason: "effects" });
  expect(consumer.lines.map(({ event }) => event)).toContain("database_went_back");
  expect((await world.effects()).map(({ key, n }) => `${key}${n}`).toSorted()).toEqual(["a1", "a2", "a3", "a4", "b4"]);
});
