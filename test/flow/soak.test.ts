import { afterAll, beforeAll, expect, test } from "bun:test";
import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { roleNames } from "../../shared/messages/topics.ts";
import { openStream, signIn, type Client } from "../support/client.ts";
import { readScrape } from "../support/read-scrape.ts";
import { settled } from "../support/settled.ts";
import { startSystem, type System } from "../support/system.ts";

const skip = process.env["LONG_TESTS"] !== "1";
const minutes = Number(process.env["SOAK_MINUTES"] ?? 30);
const mb = 2 ** 20;

let system: System;
let sql: postgres.Sql;
beforeAll(async () => {
  if (skip) return;
  system = await startSystem();
  sql = postgres(system.env["DATABASE_URL"] ?? "", { max: 1, onnotice: () => {} });
}, 150_000);
afterAll(async () => {
  await sql?.end();
  await system?.[Symbol.asyncDispose]();
}, 30_000);

test.skipIf(skip)(
  `${minutes} minutes of tasks, reminders and streams: what keeps no history stays as large as it was, nothing waits long`,
  async () => {
    const users = await Promise.all(["ada", "ben", "cleo"].map((name) => signIn(system.url("ui-gateway"), name)));
    const streams = await Promise.all(users.map((user) => openStream(system.url("ui-gateway"), user)));
    const load = new AbortController();
    const counts = { tasks: 0 };
    const writers = users.map((user) => write(user, load.signal, counts));
    let longestWait = 0;
    const watch = async (forMs: number) => {
      for (const end = Date.now() + forMs; Date.now() < end; await sleep(2_000))
        longestWait = Math.max(longestWait, await valueOf("outbox-relay", "outbox_oldest_unpublished_seconds"));
    };
    await watch((minutes * 60_000) / 3);
    const early = await measure(counts.tasks);
    await watch((minutes * 60_000 * 2) / 3);
    const late = await measure(counts.tasks);
    load.abort();
    await Promise.all(writers);
    await settled(system);
    console.log(`${counts.tasks} tasks in ${minutes} min, nothing waited longer than ${longestWait.toFixed(1)} s`);
    console.table({ early: told(early), late: told(late) });
    for (const stream of streams) stream[Symbol.dispose]();

    for (const [role, bytes] of Object.entries(late.memory))
      expect([role, bytes < 1.3 * (early.memory[role] ?? 0) + 30 * mb]).toEqual([role, true]);
    expect(late.unpublished).toBeLessThan(2 * early.unpublished + mb);
    expect(late.working).toBeLessThan(2 * early.working + mb);
    expect(late.perTask).toBeLessThan(1.3 * early.perTask);
    expect(longestWait).toBeLessThan(30);
    expect(counts.tasks).toBeGreaterThan(minutes * 60);
  },
  minutes * 60_000 + 180_000,
);

/** A new task about once a second, due within the minute; half of them are completed before. */
async function write(user: Client, signal: AbortSignal, counts: { tasks: number }): Promise<void> {
  for (let n = 0; !signal.aborted; n++) {
    const due_date = new Date(Date.now() + 5_000 + Math.random() * 55_000);
    const { id } = await user.must("POST", "/v1/tasks", { title: `Task ${n}`, due_date });
    counts.tasks++;
    await user.must("PATCH", `/v1/tasks/${id}`, { priority: "High", tags: ["home", "soon"] });
    if (n % 2 === 0) await user.must("POST", `/v1/tasks/${id}/complete`);
    await sleep(900);
  }
}

type Measured = Readonly<{
  memory: Readonly<Record<string, number>>;
  unpublished: number;
  working: number;
  perTask: number;
}>;

/**
 * In bytes: each role's memory, the index of what is not published, the tables that keep no history, and the others for
 * each task.
 */
async function measure(tasks: number): Promise<Measured> {
  const memory: Record<string, number> = {};
  for (const role of roleNames) memory[role] = await valueOf(role, "process_resident_memory_bytes");
  const [sizes] = await sql<{ unpublished: number; working: number; rest: number }[]>`
    with sized as (
      select relname, pg_total_relation_size(oid)::float8 as bytes, relname ~ '^(outbox_shards|outbox_relays|outbox_holds|timer_markers|consumer_groups|parked_keys|parked_messages|delivery_lanes)$' as is_working
      from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
    )
    select coalesce(sum(bytes) filter (where is_working), 0) as working, sum(bytes) filter (where not is_working) as rest,
      (select sum(pg_relation_size(indexrelid))::float8 from pg_index join pg_class on pg_class.oid = indexrelid
        where indrelid::regclass::text ~ '^outbox_([0-9]+|default)$' and indpred is not null) as unpublished
    from sized`;
  return {
    memory,
    unpublished: sizes?.unpublished ?? Number.NaN,
    working: sizes?.working ?? Number.NaN,
    perTask: (sizes?.rest ?? Number.NaN) / tasks,
  };
}

async function valueOf(role: (typeof roleNames)[number], name: string): Promise<number> {
  const { series } = readScrape(await (await fetch(`${system.metricsUrl(role)}/metrics`)).text());
  return series.find((one) => one.name === name)?.value ?? Number.NaN;
}

function told({ memory, unpublished, working, perTask }: Measured): Readonly<Record<string, string>> {
  const ofRoles = Object.entries(memory).map(([role, bytes]) => [role, `${Math.round(bytes / mb)} MB`] as const);
  return {
    ...Object.fromEntries(ofRoles),
    unpublished: `${Math.round(unpublished / 1024)} kB`,
    working: `${Math.round(working / 1024)} kB`,
    "per task": `${(perTask / 1024).toFixed(1)} kB`,
  };
}
