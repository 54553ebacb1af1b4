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

type Urls = Pick<Opened, "urls">;

/** Has each part keep something of this name. */
async function put({ urls }: Urls, name: string): Promise<void> {
  await using sql = new Bun.SQL(urls.databaseUrl, { max: 1 });
  await sql`create table if not exists kept (what text primary key)`;
  await sql`insert into kept values (${name})`;
  const redis = new Bun.RedisClient(urls.redisUrl);
  await redis.sadd("kept", name);
  redis.close();
  const schema = JSON.stringify({ schema: JSON.stringify({ type: "record", name, fields: [] }) });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${urls.schemaRegistryUrl}/subjects/${name}/versions`, {
    method: "POST",
    body: schema,
    headers,
  });
  expect(answer.status).toBe(200);
  await withAdmin({ urls }, (admin) => admin.createTopics({ topics: [name], partitions: 1, replicas: 1 }));
}

/** The names of what each part has kept. */
async function kept({ urls }: Urls): Promise<unknown> {
  await using sql = new Bun.SQL(urls.databaseUrl, { max: 1 });
  const rows = await sql`select what from kept order by what`;
  const redis = new Bun.RedisClient(urls.redisUrl);
  const members = await redis.smembers("kept");
  redis.close();
  const subjects: string[] = await (await fetch(`${urls.schemaRegistryUrl}/subjects`)).json();
  const topics = await withAdmin({ urls }, (admin) => admin.listTopics());
  return {
    postgres: rows.map((row: { what: string }) => row.what),
    redis: members.toSorted(),
    registry: subjects.toSorted(),
    kafka: topics.toSorted(),
  };
}
const inAll = (...names: readonly string[]) => ({ postgres: names, redis: names, registry: names, kafka: names });

async function withAdmin<T>({ urls }: Urls, act: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Admin({
    clientId: "stack-test",
    bootstrapBrokers: urls.kafkaBrokers.split(","),
    retries: 10,
    retryDelay: 300,
  });
  try {
    return await act(admin);
  } finally {
    await admin.close();
  }
}

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
  "a start finds what a killed run left, stops it, and has its data at the same addresses",
  async () => {
    const left = await openElsewhereAndKill();
    await put(left, "first");
    const pids = left.parts.map((part) => part.pid ?? 0);
    expect(pids.map((pid) => identify(pid) !== undefined)).toEqual([true, true, true, true]);
    const again = await open();
    expect(said).toContainEqual(expect.stringContaining("stopped what an earlier run left behind"));
    expect(again.urls).toEqual(left.urls);
    expect(pids.map(identify)).toEqual([undefined, undefined, undefined, undefined]);
    expect(await kept(again)).toEqual(inAll("first"));
  },
  120_000,
);

test.skipIf(skip)(
  "killed parts come back on their ports with what they had acknowledged",
  async () => {
    const stack = opened.at(-1);
    if (stack === undefined) throw new Error("the test before this one opens the stack");
    await put(stack, "second");
    const before = stack.parts();
    for (const { pid } of before) if (pid !== null) process.kill(pid, "SIGKILL");
    await until(
      "every part runs again",
      () => before.every(({ name, pid }) => pidOf(stack, name) !== null && pidOf(stack, name) !== pid),
      { timeoutMs: 90_000, describe: () => said.slice(-12).join("\n") },
    );
    expect(await kept(stack)).toEqual(inAll("first", "second"));
    for (const name of ["postgres", "kafka", "registry", "redis"]) {
      expect(said).toContainEqual(expect.stringContaining(`${name} ended (signal SIGKILL)`));
    }
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
