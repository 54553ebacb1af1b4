// B11: how long a change of one user takes to reach their stream while another user makes thousands, against the same
// without them.
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { openCodec, type Codec } from "../../shared/avro/codec.ts";
import { readConfig } from "../../shared/role/config.ts";
import { makeLog } from "../../shared/role/log.ts";
import type { MessageOf } from "../../shared/messages/message.ts";
import { insertOutbox, outboxChannel, outboxRow } from "../../shared/outbox/outbox.ts";
import { openDb, type Db } from "../../shared/postgres/db.ts";
import { openRegistry, registrySettings } from "../../shared/avro/registry.ts";
import { openStream, signIn, type Client, type Stream } from "../support/client.ts";
import { startSystem } from "../support/system.ts";
import { until } from "../support/until.ts";
import { percentile, type Bench, type BenchRow } from "./bench.ts";
import { assertDurable } from "./machine.ts";
import { taskCreated } from "../support/task-created.ts";

const writes = 600;
const occurrences = 100;
const waiting = 10_000;
/** Between two changes of the user who is measured. */
const everyMs = 100;
const log = makeLog({}, "error");

export const bench: Bench = {
  id: "B11",
  title: "create to stream of one user while another makes thousands of events, against alone",
  run: async ({ rounds, seconds, say }) => {
    await using system = await startSystem();
    const config = { url: system.env["DATABASE_URL"] ?? "", directUrl: null, statementMs: 60_000 };
    await using db = await openDb(config, { role: "bench", poolSize: 4, log });
    await assertDurable(db.sql);
    const registry = openRegistry(readConfig(registrySettings, system.env));
    const codec = await openCodec({ registry, db, log });
    const base = system.url("ui-gateway");
    const bystander = await signIn(base, "bystander");
    using stream = await openStream(base, bystander);
    const over = new AbortController();
    const arrivals = watchArrivals(stream, over.signal);
    say("warming up");
    await measure(bystander, arrivals, seconds);
    const unpublished = async () => (await db.sql`select from outbox where published_at is null limit 1`).length > 0;
    const herds: readonly Herd[] = [
      {
        what: `${writes} writes, then scope changes over ${occurrences} occurrences in a loop`,
        open: async (round) => {
          const user = await signIn(base, `busy-${round}`);
          const occurrence = await makeOccurrences(user);
          return (stop) => writeMuch(user, occurrence, stop);
        },
      },
      {
        what: `${waiting} events of one user that wait in the outbox at once`,
        open: async () => {
          await writeHidden(db, codec, crypto.randomUUID());
          return async () => {
            await db.sql`update outbox set published_at = null where published_at = 'infinity'`;
            await db.sql`select pg_notify(${outboxChannel}, '')`;
            return waiting;
          };
        },
      },
    ];
    const rows: BenchRow[] = [];
    for (const { what, open } of herds) {
      const alone: number[][] = [];
      const beside: number[][] = [];
      let events = 0;
      for (let round = 0; round < rounds; round++) {
        const herd = await open(round);
        await until("the outbox is empty", async () => !(await unpublished()), { timeoutMs: 120_000 });
        await sleep(1_000);
        alone.push(await measure(bystander, arrivals, seconds));
        const stop = new AbortController();
        const running = herd(stop.signal);
        beside.push(await measure(bystander, arrivals, seconds * 2));
        stop.abort();
        events += await running;
        // What is left of the herd would take long: the next round needs an empty outbox.
        const left = await db.sql`delete from outbox where published_at is null`;
        say(
          `round ${round + 1}: alone ${told(alone.at(-1) ?? [])}, beside ${told(beside.at(-1) ?? [])}; ${left.count} events still waited`,
        );
      }
      rows.push({
        what,
        ours: percentile(beside.flat(), 0.5),
        peer: percentile(alone.flat(), 0.5),
        unit: " ms",
        ratios: beside.map((times, round) => percentile(times, 0.5) / percentile(alone[round] ?? [], 0.5)),
        target: "<= 3",
        note: `${events} events made; p99 ${percentile(beside.flat(), 0.99).toFixed(0)} : ${percentile(alone.flat(), 0.99).toFixed(0)} ms, ${beside.flat().length} changes measured; load average ${loadavg()[0]?.toFixed(1)}`,
      });
    }
    over.abort();
    return rows;
  },
};

type Herd = Readonly<{ what: string; open: (round: number) => Promise<(stop: AbortSignal) => Promise<number>> }>;

function told(times: readonly number[]): string {
  return `p50 ${percentile(times, 0.5).toFixed(0)} p99 ${percentile(times, 0.99).toFixed(0)} ms (${times.length})`;
}

/**
 * Creates tasks at a fixed rate (open loop) and measures each from its request until its event came out of the stream,
 * ms.
 */
async function measure(user: Client, arrivals: Arrivals, seconds: number): Promise<number[]> {
  const times: Promise<number>[] = [];
  const ending = performance.now() + seconds * 1000;
  while (performance.now() < ending) {
    const began = performance.now();
    times.push(createToStream(user, arrivals));
    await sleep(Math.max(0, began + everyMs - performance.now()));
  }
  return Promise.all(times);
}

let nextTitle = 0;

async function createToStream(user: Client, arrivals: Arrivals): Promise<number> {
  const title = `bench-${nextTitle++}`;
  const began = performance.now();
  const seen = arrivals.of(title);
  const { status } = await user.call("POST", "/v1/tasks", { title });
  if (status !== 201) throw new Error(`a create answered ${status}`);
  return (await seen) - began;
}

/** When the task of a title was first told of in the stream. */
function watchArrivals(stream: Stream, stop: AbortSignal) {
  const waiting = new Map<string, (at: number) => void>();
  let read = 0;
  void (async () => {
    for (; !stop.aborted; await sleep(2)) {
      const at = performance.now();
      for (const { event, data } of stream.events.slice(read)) {
        read++;
        if (event !== "task.changed") continue;
        const title = String(data.payload["title"]);
        waiting.get(title)?.(at);
        waiting.delete(title);
      }
    }
  })();
  return { of: (title: string) => new Promise<number>((resolve) => waiting.set(title, resolve)) };
}
type Arrivals = ReturnType<typeof watchArrivals>;

/** A series with 100 open occurrences; one of them. */
async function makeOccurrences(user: Client): Promise<string> {
  const pattern = { rrule: "FREQ=DAILY", tz: "UTC", start: "1970-01-01T09:00", catch_up: "all", max_open: occurrences };
  await user.must("POST", "/v1/tasks", { title: "herd", recurrence_pattern: pattern });
  const open = () => user.must("GET", "/v1/tasks?limit=200&status=open");
  await until("all occurrences are there", async () => (await open()).items.length >= occurrences, {
    timeoutMs: 60_000,
    everyMs: 250,
  });
  return (await open()).items[0]?.id ?? "";
}

/** Resolves with the number of events made. */
async function writeMuch(user: Client, occurrence: string, stop: AbortSignal): Promise<number> {
  let events = 0;
  let left = writes;
  const write = async () => {
    while (left-- > 0 && !stop.aborted) {
      await user.call("POST", "/v1/tasks", { title: "one of many" });
      events++;
    }
  };
  await Promise.all(Array.from({ length: 4 }, write));
  while (!stop.aborted) {
    const { status } = await user.call("PATCH", `/v1/tasks/${occurrence}?scope=all`, { title: `herd ${events}` });
    if (status === 200) events += occurrences + 1;
    await sleep(100);
  }
  return events;
}

/** Writes the events as if they were published, so that making them is no part of what is measured. */
async function writeHidden(db: Db, codec: Codec, userId: string): Promise<void> {
  const now = new Date();
  for (let n = 0; n < waiting; n += 1000) {
    const rows = Array.from({ length: 1000 }, () => {
      const message = created(userId, crypto.randomUUID(), now);
      return outboxRow(codec, message, { source: "task-service", correlationId: "bench", now });
    });
    await db.transaction(async (tx) => {
      await insertOutbox(tx, rows);
      await tx`update outbox set published_at = 'infinity' where published_at is null and line = ${rows[0]?.line ?? 0}`;
    });
  }
}

function created(userId: string, id: string, now: Date): MessageOf<"TaskCreated"> {
  return {
    type: "TaskCreated",
    key: id,
    subject: id,
    sequence: 1,
    data: taskCreated({
      id,
      user_id: userId,
      title: "one of many",
      created_at: now,
    }),
  };
}
