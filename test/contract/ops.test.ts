import { afterAll, expect, test } from "bun:test";
import type { Broker, OutgoingRecord } from "../../shared/messages/broker.ts";
import { readSchemas } from "../../shared/avro/files.ts";
import { openCodec } from "../../shared/avro/codec.ts";
import { readConfig } from "../../shared/role/config.ts";
import { openDb } from "../../shared/postgres/db.ts";
import { messageContentType } from "../../shared/outbox/envelope.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { makeLog } from "../../shared/role/log.ts";
import { insertOutbox } from "../../shared/outbox/outbox.ts";
import { openRegistry } from "../../shared/avro/registry.ts";
import { deadLetterTopics, topicNames } from "../../shared/messages/topics.ts";
import { runOps } from "../../workers/operator/ops.ts";
import { emptyDatabase, type FreshDatabase } from "../support/database.ts";
import { stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

// One deployment for the file: topics take a second to make, and the commands are meant to be run one after the other.
const world = await setup();
afterAll(() => world[Symbol.asyncDispose]());
const { ops } = world;

test("migrate brings an empty database to this build, and then has nothing to do", async () => {
  const { applied } = (await ops.json("migrate")) as { applied: string[] };
  expect(applied).toContain("shared/0004_stream_epoch.sql");
  expect(await ops.json("migrate")).toEqual({ applied: [] });
  expect((await ops("migrate")).out).toBe("the database is up to date");
});

test("topics are missing, then created as the table says, then as wanted", async () => {
  expect(await states("ls")).toEqual(new Set(["missing"]));
  expect((await ops("topics", "apply")).out).toMatch(/^task-events .* missing: created$/m);
  // A broker tells of a new topic a moment after it was made.
  await until("the topics are there", async () => [...(await states("ls"))].join() === "as wanted");
  const made = new Map((await world.broker.admin.topics()).map((topic) => [topic.name, topic]));
  expect([...made.keys()].toSorted()).toEqual([...topicNames, ...deadLetterTopics].toSorted());
  expect(made.get("task-events")).toMatchObject({
    partitions: 6,
    configs: { "retention.ms": "604800000", "max.message.bytes": "1048576" },
  });
  expect(made.get("task-service-dlq")?.configs["max.message.bytes"]).toBe("2097152");
});

test("applying topics again changes nothing, not even the stream's epoch", async () => {
  const before = await epoch();
  expect(before).toMatch(/^[0-9a-f]{10}$/);
  expect(await states("apply")).toEqual(new Set(["as wanted"]));
  expect(await epoch()).toBe(before);
});

test("a setting that differs is shown, and mended by apply", async () => {
  await world.broker.admin.alterConfigs("reminders", { "retention.ms": "60000" });
  const shows = async () => (await ops("topics")).out.match(/^reminders .*differs: retention\.ms 60000 -> 604800000/m);
  await until("the drift is shown", async () => (await shows()) !== null);
  expect((await ops("topics", "apply")).out).toMatch(/^reminders .*60000 -> 604800000, changed$/m);
  await until("the drift is mended", async () => [...(await states("ls"))].join() === "as wanted");
});

test("another number of partitions is refused with the reason, and nothing is changed", async () => {
  const { code, out } = await runWith({ TOPIC_PARTITIONS: "12" }, "topics", "apply");
  expect(code).toBe(1);
  expect(out).toMatch(
    /task-events .*refused: it has 6 partitions and should have 12: .*`ops topics repartition task-events --to 12`/,
  );
  const topic = (await world.broker.admin.topics()).find(({ name }) => name === "task-events");
  expect(topic?.partitions).toBe(6);
});

test("a task-updates that is created anew gets a new epoch", async () => {
  const before = await epoch();
  await world.broker.admin.deleteTopic("task-updates");
  await until("the topic is gone", async () => (await states("ls")).has("missing"));
  await ops("topics", "apply");
  expect(await epoch()).not.toBe(before);
  await until("the topic is back", async () => !(await states("ls")).has("missing"));
});

test("schemas are registered with FULL_TRANSITIVE, and then as wanted", async () => {
  const registered = (await ops.json("schemas", "apply")) as { subjects: { id: number }[] };
  for (const { id } of registered.subjects) expect(id).toBeGreaterThan(0);
  const { subjects } = (await ops.json("schemas", "apply")) as { subjects: object[] };
  const histories = await readSchemas();
  expect(subjects).toHaveLength(histories.length);
  for (const subject of subjects)
    expect(subject).toMatchObject({ compatibility: "FULL_TRANSITIVE", state: "as wanted", changes: [] });
  // Every version was registered, in order.
  const { out } = await ops("schemas");
  for (const { subject, versions } of histories)
    expect(out.split("\n").find((line) => line.startsWith(`${subject} `))).toMatch(
      new RegExp(` +${versions.length} +${versions.length} +\\d+ +FULL_TRANSITIVE`),
    );
});

test("what was created, mended and registered is in the audit", async () => {
  const { entries } = (await ops.json("audit")) as { entries: { action: string; state: string }[] };
  const kinds = new Set(entries.map(({ action, state }) => `${action} ${state}`));
  expect(kinds).toContain("topics apply done");
  expect([...kinds].filter((kind) => kind !== "topics apply done" && kind !== "schemas apply done")).toEqual([]);
});

test("lag counts the messages a group has not handled and the age of the oldest", async () => {
  await send({ topic: "reminders", timestamp: Date.now(), key: "k", value: Buffer.from("x"), headers: [] });
  await send({ topic: "reminders", timestamp: Date.now(), key: "k", value: Buffer.from("y"), headers: [] });
  type Lag = { group: string; topic: string; messages: number; seconds: number; committed: number | null; end: number };
  const lags = async () => ((await ops.json("lag", "--group", "notification-service")) as { lags: Lag[] }).lags;
  await until("the oldest has an age", async () => (await lags()).some(({ seconds }) => seconds > 0));
  const behind = (await lags()).filter(({ messages }) => messages > 0);
  expect(behind).toMatchObject([
    { group: "notification-service", topic: "reminders", messages: 2, committed: null, end: 2 },
  ]);
  expect(await lags()).toHaveLength(6);
});

test("outbox shows what waits, by shard", async () => {
  await using db = await openDatabase();
  await insertOutbox(db.sql, [
    {
      shard: 7,
      line: 0,
      topic: "reminders",
      key: "k",
      messageId: crypto.randomUUID(),
      type: "ReminderTriggered",
      subject: "s",
      sequence: 1,
      time: new Date(),
      value: Buffer.from("x"),
      headers: "[]",
    },
  ]);
  const state = (await ops.json("outbox")) as { waiting: number; shards: object[] };
  expect(state.waiting).toBe(1);
  expect(state.shards[7]).toMatchObject({ shard: 7, owner: null, waiting: 1 });
  expect((await ops("outbox")).out).toMatch(/^1 waiting, the oldest for /m);
});

test("dead letters are counted, listed with what was wrong, and shown with their decoded value", async () => {
  const registry = openRegistry({ url: stack().schemaRegistryUrl, user: null, password: null, timeoutMs: 5000 });
  const codec = await openCodec({ registry, log: makeLog({}, "error") });
  const id = crypto.randomUUID();
  const data = { id, user_id: crypto.randomUUID(), deleted_at: new Date(0) };
  const headers = {
    ce_type: "TaskDeleted",
    "content-type": messageContentType,
    "x-original-topic": "task-events",
    "x-error-class": "invalid",
    "x-error-message": "the widget is broken\nin two",
  };
  await send({
    topic: "recurring-task-worker-dlq",
    timestamp: Date.now(),
    key: id,
    value: codec.encode("TaskDeleted", data),
    headers: Object.entries(headers).map(([name, value]) => [name, Buffer.from(value)]),
  });
  const { out } = await ops("dlq", "topics");
  expect(out).toMatch(/^recurring-task-worker-dlq +1 +20/m);
  expect(out).toMatch(/^task-events-dlq +0 +-/m);
  const { records } = (await ops.json("dlq", "show", "recurring-task-worker")) as {
    records: { partition: number; offset: number }[];
  };
  expect(records).toMatchObject([{ key: id, type: "TaskDeleted", class: "invalid" }]);
  expect((await ops("dlq", "show", "recurring-task-worker-dlq")).out).toMatch(/invalid .*the widget is broken$/m);
  const place = ["--partition", String(records[0]?.partition), "--offset", String(records[0]?.offset)];
  expect(await ops.json("dlq", "show", "recurring-task-worker", ...place)).toMatchObject({
    headers,
    value: JSON.parse(JSON.stringify(data)),
    read: "as TaskDeleted",
  });
  const missing = await ops("dlq", "show", "recurring-task-worker", "--partition", "0", "--offset", "999");
  expect(missing).toMatchObject({ code: 1, err: expect.stringContaining("has no offset 999 in partition 0") });
});

const wrong: readonly (readonly [readonly string[], RegExp])[] = [
  [["frob"], /there is no command "frob"/],
  [["topics", "frob"], /"frob" is not one of ls, apply, repartition, delete/],
  [["topics", "apply", "now"], /unexpected "now"/],
  [["lag", "--frob"], /--frob/],
  [["lag", "--group", "nobody"], /there is no group "nobody"/],
  [["dlq", "show"], /say which: task-service-dlq/],
  [["dlq", "show", "task-events", "--limit", "many"], /--limit must be a whole number/],
  [["topics", "delete"], /say --yes/],
];
for (const [args, message] of wrong)
  test(`"ops ${args.join(" ")}" ends with 2 and says why`, async () => {
    const { code, out, err } = await ops(...args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(message);
  });

test("every command explains itself without touching anything", async () => {
  for (const name of ["migrate", "topics", "schemas", "lag", "groups", "consumers", "dlq", "outbox", "audit"]) {
    expect((await ops()).out).toContain(`  ${name} `);
    const { code, out } = await runOnly({}, name, "--help");
    expect(code).toBe(0);
    expect(out).toStartWith(`ops ${name}`);
  }
});

test("what is not set or not there is named", async () => {
  expect(await runOnly({}, "lag")).toMatchObject({ code: 1, err: expect.stringContaining("KAFKA_BROKERS is not set") });
  const dead = { DATABASE_URL: "postgres://127.0.0.1:1/x", SCHEMA_REGISTRY_URL: "http://127.0.0.1:1" };
  expect(await runWith(dead, "outbox")).toMatchObject({ code: 1, err: expect.stringContaining("127.0.0.1:1") });
  expect(await runWith(dead, "schemas")).toMatchObject({
    code: 1,
    err: expect.stringMatching(/registry is not reachable\n {2}because POST http:\/\/127\.0\.0\.1:1\/subjects/),
  });
  expect(await runWith({ KAFKA_PREFIX: "nobody-has-made-this." }, "lag")).toMatchObject({
    code: 1,
    err: expect.stringContaining("run `ops topics apply` first"),
  });
  await using empty = await emptyDatabase();
  expect(await runWith({ DATABASE_URL: empty.url }, "outbox")).toMatchObject({
    code: 1,
    err: expect.stringContaining("run `ops migrate` first"),
  });
});

test("deleting everything is refused in production, and elsewhere deletes this deployment alone", async () => {
  for (const NODE_ENV of ["production", "Production", "prod"]) {
    const { code, err } = await runWith({ NODE_ENV }, "topics", "delete", "--yes");
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining(`refused: NODE_ENV is ${NODE_ENV}`) });
  }
  expect((await ops("topics", "delete", "--yes")).out).toContain("deleted task-events");
  await until("the topics are gone", async () => (await world.broker.admin.topics()).length === 0);
});

async function states(verb: "ls" | "apply"): Promise<ReadonlySet<string>> {
  const { topics } = (await ops.json("topics", verb)) as { topics: { state: string }[] };
  return new Set(topics.map(({ state }) => state));
}

async function epoch(): Promise<string | undefined> {
  await using db = await openDatabase();
  return (await db.sql<{ epoch: string }[]>`select epoch from stream_epoch where topic = 'task-updates'`)[0]?.epoch;
}

async function send(record: OutgoingRecord): Promise<void> {
  await using producer = await world.broker.producer();
  await producer.send([record]);
}

function openDatabase() {
  const config = { url: world.database.url, directUrl: null, statementMs: 10_000 };
  return openDb(config, { role: "ops-test", poolSize: 1, log: makeLog({}, "error") });
}

type Ended = Readonly<{ code: number; out: string; err: string }>;

async function runOnly(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ended> {
  const out: string[] = [];
  const err: string[] = [];
  const log = makeLog({}, "error", () => {});
  const terminal = { env, print: (text: string) => void out.push(text), log, now: () => new Date() };
  const code = await runOps(args, terminal, (text) => void err.push(text));
  return { code, out: out.join("\n"), err: err.join("\n") };
}

function runWith(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ended> {
  return runOnly({ ...world.env, ...env }, ...args);
}

async function setup() {
  const database: FreshDatabase = await emptyDatabase();
  const urls = stack();
  const env = {
    DATABASE_URL: database.url,
    KAFKA_BROKERS: urls.kafkaBrokers,
    SCHEMA_REGISTRY_URL: urls.schemaRegistryUrl,
    KAFKA_PREFIX: `ops-${crypto.randomUUID().slice(0, 8)}.`,
  };
  const log = makeLog({}, "error");
  const broker: Broker = await openBroker(readConfig(kafkaSettings, env), { clientId: "ops-test", log });
  const run = (...args: readonly string[]) => runOnly(env, ...args);
  const json = async (...args: readonly string[]): Promise<unknown> => {
    const { code, out, err } = await run(...args, "--json");
    if (code !== 0) throw new Error(`ops ${args.join(" ")} ended with ${code}: ${err}`);
    return JSON.parse(out);
  };
  return {
    env,
    broker,
    database,
    ops: Object.assign(run, { json }),
    [Symbol.asyncDispose]: async () => {
      for (const { name } of await broker.admin.topics()) await broker.admin.deleteTopic(name);
      await broker[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}
