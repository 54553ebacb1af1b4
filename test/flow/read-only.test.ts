import { afterAll, beforeAll, expect, test } from "bun:test";
import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { signIn, type Client } from "../support/client.ts";
import { expectNothingLost } from "../support/expect-nothing-lost.ts";
import { startSystem, type System } from "../support/system.ts";
import { askAs, startTaskLoad, type Answered } from "../support/task-load.ts";
import { until } from "../support/until.ts";

const downMs = process.env["LONG_TESTS"] === "1" ? 60_000 : 6_000;
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
  await admin`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`;
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
    for (const { status, code, retryAfter } of refused)
      expect({ status, code, retryAfter }).toEqual({ status: 503, code: "UNAVAILABLE", retryAfter: "1" });
    await expectNothingLost(system, { sql: admin, user: ada, ids });
  },
  downMs + 150_000,
);

/** From and to, in ms of `performance.now()`, when every connection of before was gone. */
async function readOnlyFor(ms: number): Promise<Readonly<{ from: number; to: number }>> {
  await demote();
  try {
    await until("reads are answered again", async () => (await askAs(ada, "GET", "/v1/tasks?limit=1")).status === 200);
    // A pool of several connections: each notices by itself that it was cut.
    await sleep(1_000);
    const from = performance.now();
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
