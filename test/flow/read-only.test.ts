import { afterAll, beforeAll, expect, test } from "bun:test";
import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { readConfig } from "../../shared/role/config.ts";
import { makeLog } from "../../shared/role/log.ts";
import { signIn, type Client } from "../support/client.ts";
import { expectNothingLost } from "../support/expect-nothing-lost.ts";
import { readTopic } from "../support/read-topic.ts";
import { startSystem, type System } from "../support/system.ts";
import { askAs, isGood, startTaskLoad, type Answered } from "../support/task-load.ts";
import { until } from "../support/until.ts";

const downMs = process.env["LONG_TESTS"] === "1" ? 60_000 : 6_000;
const log = makeLog({}, "error");
let system: System;
let admin: postgres.Sql;
let ada: Client;
beforeAll(async () => {
  system = await startSystem();
  admin = postgres(system.env["DATABASE_URL"] ?? "", { max: 1, onnotice: () => {} });
  ada = await signIn(system.url("ui-gateway"), "ada");
}, 120_000);
afterAll(async () => {
  await admin?.end({ timeout: 2 });
  await system?.[Symbol.asyncDispose]();
}, 60_000);

/**
 * What a demoted primary looks like: connections are cut, new ones answer reads. The session that says so keeps
 * writing.
 */
async function demote(): Promise<void> {
  const name = new URL(system.env["DATABASE_URL"] ?? "").pathname.slice(1);
  await admin.unsafe(`alter database "${name}" set default_transaction_read_only = on`);
  const [now] = await admin<{ text: string }[]>`select clock_timestamp()::text as text`;
  const cutOlder = () => admin`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_start <= ${now?.text ?? ""}::timestamptz`;
  await cutOlder();
  // One that was just starting may have read the setting as it was before, and is listed a moment later.
  await sleep(1_000);
  await cutOlder();
}

/** A copy of a record that was published before, so that its groups have something to look up and write. */
async function publishAgain(): Promise<void> {
  await using broker = await openBroker(readConfig(kafkaSettings, system.env), { clientId: "test", log });
  await using producer = await broker.producer();
  const [first] = await readTopic(system.env, "task-events");
  if (first === undefined) throw new Error("no event was published");
  const { topic, timestamp, key, value, headers } = first.record;
  await producer.send([{ topic, timestamp, key, value, headers }]);
}

/** Nobody cuts the connections that were made meanwhile: their sessions stay read-only for as long as they live. */
async function promote(): Promise<void> {
  const name = new URL(system.env["DATABASE_URL"] ?? "").pathname.slice(1);
  await admin.unsafe(`alter database "${name}" reset default_transaction_read_only`);
}

test(
  "while Postgres is read-only under load reads are answered, writes are told to come again, every role waits and says so, and all goes on by itself",
  async () => {
    const load = startTaskLoad(ada);
    const { writes, reads } = load;
    await until("the load is under way", () => writes.length > 10);
    const down = await readOnlyFor(downMs);
    await until("writes are taken again", () => writes.some(({ at, status }) => at > down.to && status < 300), {
      timeoutMs: 30_000,
    });
    await sleep(1_000); // the load goes on over the recovery
    const ids = await load.stop();

    const meanwhile = ({ at, answeredAt }: Answered) => at > down.from && answeredAt < down.to;
    expect(reads.filter(meanwhile).length).toBeGreaterThan(10);
    expect(reads.filter((read) => meanwhile(read) && read.status !== 200)).toEqual([]);
    const refused = writes.filter(meanwhile);
    expect(refused.length).toBeGreaterThan(5);
    expect(refused.filter((write) => write.status < 300 || !isGood(write))).toEqual([]);
    expect(refused.filter(({ status }) => status === 503)).not.toEqual([]);
    await expectNothingLost(system, { sql: admin, user: ada, ids });
  },
  downMs + 150_000,
);

/** From and to, in ms of `performance.now()`, when every connection of before was gone. */
async function readOnlyFor(ms: number): Promise<Readonly<{ from: number; to: number }>> {
  await demote();
  try {
    // A pool of several connections: each notices by itself that it was cut.
    let answered = 0;
    const readMany = () => Promise.all(Array.from({ length: 20 }, () => askAs(ada, "GET", "/v1/tasks?limit=1")));
    await until(
      "reads are answered again, ten times in a row by all connections",
      async () => {
        answered = (await readMany()).every(({ status }) => status === 200) ? answered + 1 : 0;
        return answered >= 10;
      },
      { timeoutMs: 30_000 },
    );
    const from = performance.now();
    await publishAgain();
    await until(
      "the consumers say what they wait for",
      async () => {
        const told = await Promise.all(
          (["task-update-broadcaster", "outbox-relay"] as const).map(async (role) => ({
            ready: await (await fetch(`${system.url(role)}/readyz`)).text(),
            metrics: await (await fetch(`${system.metricsUrl(role)}/metrics`)).text(),
          })),
        );
        return told.every(
          ({ ready, metrics }) =>
            ready.startsWith("ok\n") &&
            ready.includes("down: postgres (read_only): ") &&
            /^dependency_down\{.*reason="read_only".*\} 1$/m.test(metrics),
        );
      },
      { timeoutMs: 20_000 },
    );
    // One that starts meanwhile gets ready, and answers reads.
    const second = await system.start("task-service");
    const authorization = `Bearer ${ada.token}`;
    const read = await fetch(`${system.url("task-service", second)}/v1/tasks`, { headers: { authorization } });
    expect(read.status).toBe(200);
    await sleep(Math.max(0, ms - (performance.now() - from))); // the outage itself
    return { from, to: performance.now() };
  } finally {
    await promote();
  }
}
