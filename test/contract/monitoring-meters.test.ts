import { expect, test } from "bun:test";
import { openDb } from "../../shared/postgres/db.ts";
import { makeLog } from "../../shared/role/log.ts";
import { makeMetrics } from "../../shared/role/metrics.ts";
import { openRegistry } from "../../shared/avro/registry.ts";
import { dueRows } from "../../shared/timers/due-rows.ts";
import { freshDatabase } from "../support/database.ts";
import { until } from "../support/until.ts";

test("users of a pool are told while they have or wait for a connection, and failures by kind, each once", async () => {
  await using world = await setup({ statementMs: 500 });
  const { db, value } = world;
  const gate = Promise.withResolvers<void>();
  const holding = [1, 2].map(() =>
    db.transaction(async (tx) => {
      await tx`select 1`;
      await gate.promise;
    }),
  );
  const waiting = db.sql`select 1`;
  void waiting.execute();
  await until("two have a connection and one waits", async () => (await value("postgres_pool_users")) === 3);
  expect(await value("postgres_pool_connections")).toBe(2);
  await expect(waiting).rejects.toMatchObject({ code: "DB_DEADLINE" });
  await until("it waits no more", async () => (await value("postgres_pool_users")) === 2);
  expect(await value("postgres_failures_total", 'kind="deadline"')).toBe(1);
  gate.resolve();
  await Promise.all(holding);
  expect(await value("postgres_pool_users")).toBe(0);

  await expect(db.sql`select 1 / 0`).rejects.toMatchObject({ code: "22012" });
  await expect(db.sql`select pg_sleep(2)`).rejects.toMatchObject({ code: "57014" });
  await expect(db.transaction((tx) => tx`select nonsense`)).rejects.toMatchObject({ code: "42703" });
  await expect(db.transaction(() => Promise.reject(new Error("not Postgres's")))).rejects.toThrow("not Postgres's");
  const killed = db.sql`select pg_terminate_backend(pg_backend_pid())`;
  await expect(killed).rejects.toMatchObject({ code: expect.stringMatching(/57P01|CONNECTION_/) });
  expect(await value("postgres_failures_total", 'kind="refused"')).toBe(3);
  expect(await value("postgres_failures_total", 'kind="connection"')).toBe(1);
  expect(await value("postgres_failures_total", 'kind="deadline"')).toBe(1);
  expect(await value("postgres_pool_users")).toBe(0);
});

test("rows past their due instant are counted with the age of the first; fired and future ones are not", async () => {
  await using world = await setup({ statementMs: 5_000 });
  const { db } = world;
  await db.sql`create table alarms (id uuid primary key default gen_random_uuid(), status text, due_at timestamptz(3))`;
  const rows = dueRows(db, { table: "alarms", due: "due_at", fire: () => Promise.resolve([]) });
  expect(await rows.late()).toEqual({ rows: 0, seconds: 0 });
  await db.sql`
    insert into alarms (status, due_at) select status, clock_timestamp() + after
    from (values ('pending', interval '-90 s'), ('pending', '-5 s'), ('triggered', '-1 h'), ('pending', '1 h')) v (status, after)`;
  const late = await rows.late();
  expect(late.rows).toBe(2);
  expect(late.seconds).toBeGreaterThanOrEqual(90);
  expect(late.seconds).toBeLessThan(120);
});

test("calls of the registry are counted by whether it answered, refused, or could not be reached", async () => {
  const metrics = makeMetrics("task-service", { process: false });
  let status = 200;
  await using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => Response.json({ error_code: status * 100, message: "no" }, { status }),
  });
  const config = { url: server.url.href, user: null, password: null, timeoutMs: 2_000 };
  const registry = openRegistry(config, metrics);
  await registry.ping();
  status = 422;
  await expect(registry.ping()).rejects.toThrow("422");
  status = 503;
  await expect(registry.ping()).rejects.toMatchObject({ code: "UNAVAILABLE" });
  const text = await metrics.text();
  for (const outcome of ["answered", "refused", "unreachable"])
    expect(text).toContain(`registry_calls_total{outcome="${outcome}",role="task-service"} 1`);
});

async function setup({ statementMs }: Readonly<{ statementMs: number }>) {
  const database = await freshDatabase();
  const metrics = makeMetrics("task-service", { process: false });
  const db = await openDb(
    { url: database.url, directUrl: null, statementMs },
    { role: "test", poolSize: 2, log: makeLog({}, "error"), metrics },
  );
  return {
    db,
    value: async (name: string, label = "") => {
      const line = (await metrics.text()).split("\n").find((one) => one.startsWith(`${name}{`) && one.includes(label));
      return Number(line?.split(" ").at(-1));
    },
    [Symbol.asyncDispose]: async () => {
      await db[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}
