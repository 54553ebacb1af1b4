import { expect, test } from "bun:test";
import { join } from "node:path";
import { openCodec } from "../../shared/avro/codec.ts";
import { openDb } from "../../shared/postgres/db.ts";
import { makeLog } from "../../shared/role/log.ts";
import { openRegistry, type RegistryClient } from "../../shared/avro/registry.ts";
import { readSchemas } from "../../shared/avro/files.ts";
import { openRegistryTurns } from "../../shared/avro/registry-turn.ts";
import { freshDatabase } from "../support/database.ts";
import { stack } from "../support/stack.ts";

const log = makeLog({}, "error");
const deleted = {
  id: "0190a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b",
  user_id: "0190a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6c",
  deleted_at: new Date(1),
};
const absent = openRegistry({ url: "http://127.0.0.1:1", user: null, password: null, timeoutMs: 1000 });

test("the registry gives back schemas that mean what the files say", async () => {
  await using world = await setup();
  const codec = await openCodec({ ...world, log });
  for (const { type } of await readSchemas()) expect(codec.schemaId(type)).toBeGreaterThan(0);
});

test("a role starts, writes and reads with the registry down when it has run before", async () => {
  await using world = await setup();
  const first = await openCodec({ ...world, log });
  const later = await openCodec({ db: world.db, registry: absent, log });
  const bytes = later.encode("TaskDeleted", deleted);
  expect(Buffer.from(bytes).equals(first.encode("TaskDeleted", deleted))).toBe(true);
  expect(await later.decode("task-events", bytes)).toEqual({ type: "TaskDeleted", data: deleted });
});

test("a role that has never run does not start with the registry down", async () => {
  await using world = await setup();
  await expect(openCodec({ db: world.db, registry: absent, log })).rejects.toMatchObject({ code: "UNAVAILABLE" });
});

test("a role that has never run waits for a registry that comes later, says so once, and gives up when it is to stop", async () => {
  await using world = await setup();
  const lines: { event: string }[] = [];
  const told = makeLog({}, "warn", (line) => void lines.push(JSON.parse(line)));
  const stop = new AbortController();
  let asked = 0;
  const registry: RegistryClient = {
    ...world.registry,
    lookup: (...of) => (asked++ < 2 ? absent : world.registry).lookup(...of),
  };
  const codec = await openCodec({ db: world.db, registry, log: told, signal: stop.signal });
  expect(codec.schemaId("TaskDeleted")).toBeGreaterThan(0);
  expect(lines.map(({ event }) => event)).toEqual(["waiting_for_registry"]);
  await using other = await setup();
  const waiting = openCodec({ db: other.db, registry: absent, log: told, signal: stop.signal });
  setTimeout(() => stop.abort(), 200);
  await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
});

test("a role told to stop while it waits for its first registry ends cleanly", async () => {
  await using database = await freshDatabase();
  const child = Bun.spawn([process.execPath, "--no-env-file", "workers/task-service/main.ts"], {
    cwd: join(import.meta.dir, "../.."),
    env: {
      PATH: process.env["PATH"] ?? "",
      PORT: "0",
      DATABASE_URL: database.url,
      KAFKA_BROKERS: stack().kafkaBrokers,
      SCHEMA_REGISTRY_URL: "http://127.0.0.1:1",
      AUTH_MODE: "dev",
      AUTH_SECRET: "x".repeat(32),
    },
    stdout: "pipe",
    stderr: "inherit",
  });
  const events: string[] = [];
  const lines = new Response(child.stdout).body?.pipeThrough(new TextDecoderStream()) ?? [];
  for await (const text of lines)
    for (const line of text.trim().split("\n")) {
      const { event } = JSON.parse(line) as { event: string };
      events.push(event);
      if (event === "waiting_for_registry") child.kill("SIGTERM");
    }
  expect([await child.exited, events.at(-1)]).toEqual([0, "stopped"]);
  expect(events).toContain("waiting_for_registry");
});

test("an id met by one process is known to all, also with the registry down", async () => {
  await using world = await setup();
  const schema = JSON.stringify({ type: "record", name: "TaskArchived", namespace: "taskwire.events", fields: [] });
  const registry: RegistryClient = {
    ...world.registry,
    schemaById: (id) => (id === 65_535 ? Promise.resolve(schema) : world.registry.schemaById(id)),
  };
  const unknown = Buffer.from([0, 0, 0, 255, 255]);
  const meets = await openCodec({ db: world.db, registry, log });
  // Opened before the id was met, and without a registry to ask.
  const running = await openCodec({ db: world.db, registry: absent, log });
  expect(await meets.decode("task-events", unknown)).toEqual({ unknown: "taskwire.events.TaskArchived" });
  expect(await running.decode("task-events", unknown)).toEqual({ unknown: "taskwire.events.TaskArchived" });
});

test("a registry that gives a known id another meaning is refused", async () => {
  await using world = await setup();
  const codec = await openCodec({ ...world, log });
  const id = codec.schemaId("TaskDeleted");
  const registry: RegistryClient = {
    ...world.registry,
    address: "http://rebuilt.example", // at the same one it would be asked again after half a minute
    schemaById: (asked) => world.registry.schemaById(asked === id ? codec.schemaId("TaskCompleted") : asked),
  };
  await expect(openCodec({ db: world.db, registry, log })).rejects.toThrow(
    new RegExp(`registry's schema ${id} is not the one records were written with .*TaskDeleted`),
  );
});

test("opening many codecs at once on an empty cache leaves one row per schema", async () => {
  await using world = await setup();
  await Promise.all(Array.from({ length: 8 }, () => openCodec({ ...world, log })));
  const [row] = await world.db.sql<{ rows: number }[]>`select count(*)::int as rows from schema_cache`;
  expect(row?.rows).toBe((await readSchemas()).length);
});

test("roles that start together ask the registry one at a time, and once for all of them", async () => {
  await using world = await setup();
  const counted = countCalls(world.registry);
  await Promise.all(Array.from({ length: 8 }, () => openCodec({ db: world.db, registry: counted.registry, log })));
  // Two calls a schema: its id, and its text.
  expect(counted.calls()).toEqual({ mostAtOnce: 1, all: 2 * (await readSchemas()).length });
});

test("roles that start together at a registry that fails try it in turns, with pauses, and all start once it is back", async () => {
  await using world = await setup();
  const quiet = makeLog({}, "error");
  let isDown = true;
  const { signal } = new AbortController();
  const failing: RegistryClient = {
    ...world.registry,
    lookup: (...of) => (isDown ? absent : world.registry).lookup(...of),
  };
  const counted = countCalls(failing);
  const opening = Array.from({ length: 8 }, () =>
    openCodec({ db: world.db, registry: counted.registry, log: quiet, signal }),
  );
  await Bun.sleep(2_500);
  // Eight roles that ask all at once, and again each second, make some five hundred.
  expect(counted.calls().all).toBeLessThan(8 + 2);
  isDown = false;
  for (const codec of await Promise.all(opening)) expect(codec.schemaId("TaskDeleted")).toBeGreaterThan(0);
  expect(counted.calls().mostAtOnce).toBe(1);
});

test("what a registry has answered wrongly to one role is no outage to the others", async () => {
  await using world = await setup();
  const { sql } = world.db;
  const turns = openRegistryTurns(sql, "http://registry.example");
  const wrong = () => Promise.reject(new Error("another meaning"));
  await expect(turns.take(wrong)).rejects.toThrow("another meaning");
  expect(await turns.news()).toBeNull();
  expect(await turns.take(() => Promise.resolve("answered"))).toBe("answered");
  expect(await turns.news()).toBe("confirmed");
  await expect(turns.take(() => absent.ping())).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(await turns.news()).toBe("failed");
  await sql`update registry_turns set held_until = clock_timestamp() + interval '1 minute'`;
  expect(await openRegistryTurns(sql, "http://registry.example").take(() => Promise.resolve("both"))).toBeNull();
});

/** A registry whose calls for ids are counted: all of them, and how many were under way at once. */
function countCalls(registry: RegistryClient) {
  let [now, mostAtOnce, all] = [0, 0, 0];
  const count = async <T>(call: () => Promise<T>): Promise<T> => {
    all += 1;
    mostAtOnce = Math.max(mostAtOnce, ++now);
    try {
      return await call();
    } finally {
      now -= 1;
    }
  };
  return {
    calls: () => ({ mostAtOnce, all }),
    registry: {
      ...registry,
      lookup: (...of) => count(() => registry.lookup(...of)),
      schemaById: (...of) => count(() => registry.schemaById(...of)),
    } satisfies RegistryClient,
  };
}

async function setup() {
  const database = await freshDatabase();
  const registry = openRegistry({ url: stack().schemaRegistryUrl, user: null, password: null, timeoutMs: 5000 });
  for (const { subject, current } of await readSchemas())
    await registry.register(subject, JSON.stringify(current.schema));
  const db = await openDb(
    { url: database.url, directUrl: null, statementMs: 10_000 },
    { role: "codec-test", poolSize: 8, log },
  );
  return {
    db,
    registry,
    [Symbol.asyncDispose]: async () => {
      await db[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}
