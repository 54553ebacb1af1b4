import { afterAll, beforeAll, expect, test } from "bun:test";
import { rmSync, symlinkSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { openPortClaims } from "../../dev/stack/ports.ts";
import { startPostgres } from "../../dev/stack/postgres.ts";
import { roleNames } from "../../shared/messages/topics.ts";
import { signIn } from "../support/client.ts";
import { expectNothingLost } from "../support/expect-nothing-lost.ts";
import { ownRecords } from "../support/own-records.ts";
import { openSmallDisk, type SmallDisk } from "../support/small-disk.ts";
import { stack } from "../support/stack.ts";
import { startSystem, type System } from "../support/system.ts";
import { isGood, startTaskLoad } from "../support/task-load.ts";
import { until } from "../support/until.ts";

const downMs = process.env["LONG_TESTS"] === "1" ? 60_000 : 5_000;
const disk: SmallDisk | null = openSmallDisk(256);
const skip = disk === null && process.env["REQUIRE_ALL"] !== "1";
if (skip) console.log("skipped: a disk that can be filled has to be mounted, which needs root");

let system: System;
let admin: postgres.Sql;
const closing: (() => Promise<unknown>)[] = [];

/**
 * A Postgres whose tables are on the small disk. Its log is not: without room for that it would end itself, which is an
 * outage of another kind.
 */
async function startOnDisk({ path }: SmallDisk): Promise<string> {
  const elsewhere = await mkdtemp(join(tmpdir(), "taskwire-full-"));
  const { recordsDirectory, release } = ownRecords(elsewhere);
  const claims = openPortClaims();
  const port = await claims.choose([36_632]);
  const options = {
    checkout: join(import.meta.dir, "../.."),
    directory: path,
    port,
    logFile: join(elsewhere, "postgres.log"),
    recordsDirectory,
    database: "taskwire",
  };
  await (await startPostgres(options)).stop(5_000);
  const log = `${path}-log`;
  const inside = join(path, "data", "pg_wal");
  Bun.spawnSync(["cp", "-a", inside, log]);
  rmSync(inside, { recursive: true });
  symlinkSync(log, inside);
  const running = await startPostgres(options);
  closing.push(async () => {
    await running.stop(5_000);
    release();
    claims.release();
    for (const one of [log, elsewhere]) rmSync(one, { recursive: true, force: true });
  });
  return `postgres://postgres@127.0.0.1:${port}/taskwire`;
}

beforeAll(async () => {
  if (skip) return;
  if (disk === null) throw new Error("a disk that can be filled cannot be mounted: that needs root");
  const databaseUrl = await startOnDisk(disk);
  system = await startSystem({ stack: { ...stack(), databaseUrl } });
  admin = postgres(system.env["DATABASE_URL"] ?? "", { max: 1, onnotice: () => {} });
}, 150_000);
afterAll(async () => {
  disk?.free();
  await admin?.end({ timeout: 2 });
  await system?.[Symbol.asyncDispose]();
  for (const close of closing) await close();
  disk?.[Symbol.dispose]();
}, 60_000);

test.skipIf(skip)(
  "with the disk of Postgres full under load nothing is lost, dead or parked, the metric says so, and all goes on when there is room again",
  async () => {
    const ada = await signIn(system.url("ui-gateway"), "ada");
    const load = startTaskLoad(ada);
    await until("the load is under way", () => load.writes.length > 10);
    disk?.fill();
    await until("a write is refused", () => load.writes.some(({ status }) => status === 503), { timeoutMs: 60_000 });
    await until("a role says that the disk is full", tellsFull, { timeoutMs: 60_000 });
    await sleep(downMs); // the outage itself
    disk?.free();
    const back = performance.now();
    await until("writes are taken again", () => load.writes.some(({ at, status }) => at > back && status < 300), {
      timeoutMs: 30_000,
    });
    await sleep(1_000); // the load goes on over the recovery
    const ids = await load.stop();

    expect(load.writes.filter((write) => !isGood(write))).toEqual([]);
    await expectNothingLost(system, { sql: admin, user: ada, ids });
    expect(await tellsFull()).toBe(false);
  },
  downMs + 300_000,
);

/** Whether any role waits for room on the disk. */
async function tellsFull(): Promise<boolean> {
  const told = await Promise.all(
    roleNames.map(async (role) => (await fetch(`${system.metricsUrl(role)}/metrics`)).text()),
  );
  return told.some((text) => /^dependency_down\{.*dependency="postgres",reason="full".*\} 1$/m.test(text));
}
