import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Admin } from "@platformatic/kafka";
import { openEmbeddedStack } from "../../dev/stack/embedded.ts";
import { listJavas, javaNeeded } from "../../dev/stack/java.ts";
import { openPortClaims, isListening } from "../../dev/stack/ports.ts";
import { removePostgresOutside } from "../../dev/stack/postgres-directory.ts";
import { identify } from "../../dev/stack/process-identity.ts";
import { until } from "../support/until.ts";

// A stack of its own, because its parts are killed. Its downloads are those of the checkout.
const root = join(import.meta.dir, "../..");
const canRun = (listJavas()[0]?.major ?? 0) >= javaNeeded && Bun.which("mvn") !== null;
const skip = !canRun && process.env["REQUIRE_ALL"] !== "1";
if (skip) console.log(`skipped: the embedded stack needs Java ${javaNeeded} and Maven`);

let state = "";
const said: string[] = [];
const claims = openPortClaims();
type Opened = Awaited<ReturnType<typeof openEmbeddedStack>>;
const opened: Opened[] = [];

const options = () => ({
  checkout: root,
  stateDirectory: state,
  partsDirectory: join(root, ".dev", "parts"),
  given: {},
  usualPorts: { postgres: 35_432, kafka: 39_092, registry: 38_081, redis: 36_379 },
});

async function open(): Promise<Opened> {
  const stack = await openEmbeddedStack({ ...options(), claims, say: (line) => said.push(line) });
  opened.push(stack);
  return stack;
}

/** Opens the stack in another process, which is then killed: only the records know of the parts. */
async function openElsewhereAndKill(): Promise<
  Readonly<{ urls: Opened["urls"]; parts: readonly { pid: number | null }[] }>
> {
  const script = `
    const { openEmbeddedStack } = await import(${JSON.stringify(join(root, "dev/stack/embedded.ts"))});
    const { openPortClaims } = await import(${JSON.stringify(join(root, "dev/stack/ports.ts"))});
    const stack = await openEmbeddedStack({ ...${JSON.stringify(options())}, claims: openPortClaims(), say: () => {} });
    process.stdout.write(JSON.stringify({ urls: stack.urls, parts: stack.parts() }) + "\\n");
    setInterval(() => {}, 1000);`;
  const other = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
  for await (const chunk of other.stdout) {
    other.kill("SIGKILL");
    await other.exited;
    return JSON.parse(new TextDecoder().decode(chunk));
  }
  throw new Error("the other process did not open the stack");
}

const pidOf = (stack: Opened, name: string): number | null =>
  stack.parts().find((part) => part.name === name)?.pid ?? null;

async function putSomething(stack: Opened): Promise<void> {
  await using sql = new Bun.SQL(stack.urls.databaseUrl, { max: 1 });
  await sql`create table if not exists kept (what text primary key)`;
  await sql`insert into kept values ('a row') on conflict do nothing`;
  const redis = new Bun.RedisClient(stack.urls.redisUrl);
  await redis.set("kept", "a key");
  redis.close();
  const schema = JSON.stringify({ schema: JSON.stringify({ type: "record", name: "Kept", fields: [] }) });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${stack.urls.schemaRegistryUrl}/subjects/kept/versions`, {
    method: "POST",
    body: schema,
    headers,
  });
  expect(answer.status).toBe(200);
  await withAdmin(stack, (admin) => admin.createTopics({ topics: ["kept"], partitions: 1, replicas: 1 }));
}

async function readEverything(stack: Opened): Promise<unknown> {
  await using sql = new Bun.SQL(stack.urls.databaseUrl, { max: 1 });
  const rows = await sql`select what from kept`;
  const redis = new Bun.RedisClient(stack.urls.redisUrl);
  const key = await redis.get("kept");
  redis.close();
  const subjects = await (await fetch(`${stack.urls.schemaRegistryUrl}/subjects`)).json();
  const topics = await withAdmin(stack, (admin) => admin.listTopics());
  return { rows: rows.map((row: { what: string }) => row.what), key, subjects, topics };
}

async function withAdmin<T>(stack: Opened, act: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Admin({
    clientId: "stack-test",
    bootstrapBrokers: stack.urls.kafkaBrokers.split(","),
    retries: 10,
    retryDelay: 300,
  });
  try {
    return await act(admin);
  } finally {
    await admin.close();
  }
}

const everything = { rows: ["a row"], key: "a key", subjects: ["kept"], topics: ["kept"] };

beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), "taskwire-stack-"));
});
afterAll(async () => {
  for (const stack of opened) await stack.stop(5_000);
  removePostgresOutside(state);
  claims.release();
  await rm(state, { recursive: true, force: true });
});

test.skipIf(skip)(
  "killed parts come back on their ports with what they had acknowledged",
  async () => {
    const stack = await open();
    await putSomething(stack);
    const before = stack.parts();
    for (const { pid } of before) if (pid !== null) process.kill(pid, "SIGKILL");
    await until(
      "every part runs again",
      () => before.every(({ name, pid }) => pidOf(stack, name) !== null && pidOf(stack, name) !== pid),
      { timeoutMs: 90_000, describe: () => said.slice(-12).join("\n") },
    );
    expect(await readEverything(stack)).toEqual(everything);
    for (const name of ["postgres", "kafka", "registry", "redis"]) {
      expect(said).toContainEqual(expect.stringContaining(`${name} ended (signal SIGKILL)`));
    }
  },
  120_000,
);

test.skipIf(skip)(
  "a second start finds what a killed run left, stops it, and has its data at the same addresses",
  async () => {
    await opened[0]?.stop(8_000);
    const left = await openElsewhereAndKill();
    const pids = left.parts.map((part) => part.pid ?? 0);
    expect(pids.map((pid) => identify(pid) !== undefined)).toEqual([true, true, true, true]);
    const again = await open();
    expect(said).toContainEqual(expect.stringContaining("stopped what an earlier run left behind"));
    expect(again.urls).toEqual(left.urls);
    expect(pids.map(identify)).toEqual([undefined, undefined, undefined, undefined]);
    expect(await readEverything(again)).toEqual(everything);
  },
  120_000,
);

test.skipIf(skip)(
  "a stop leaves no process, no port and no record",
  async () => {
    const stack = opened.at(-1) ?? (await open());
    const parts = stack.parts();
    await stack.stop(8_000);
    for (const { pid, port } of parts) {
      expect(pid === null || identify(pid) === undefined).toBe(true);
      expect(await isListening(port ?? 0)).toBe(false);
    }
    expect([...new Bun.Glob("*.json").scanSync(join(state, "processes"))]).toEqual([]);
    expect(existsSync(join(state, "postgres", "data", "postmaster.pid"))).toBe(false);
  },
  60_000,
);
