// B6: from the request to the browser, against the sum of its parts measured alone in the same round.
import postgres from "postgres";
import type { Broker } from "../../shared/messages/broker.ts";
import { readConfig } from "../../shared/role/config.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { makeLog } from "../../shared/role/log.ts";
import { signIn } from "../support/client.ts";
import { startSystem, withoutLimits } from "../support/system.ts";
import { percentile, type Bench, type BenchRow } from "./bench.ts";
import { assertDurable } from "./machine.ts";
import { paced } from "./paced.ts";
import { writeToStream } from "./write-to-stream.ts";

const rates = [50, 500] as const;
/** Changes a second of one user: who makes more than are handled as they come waits for everybody else. */
const perUser = 50;
const topic = "task-updates-dlq"; // nobody reads it here: the peer's own log on the same broker, same settings

export const bench: Bench = {
  id: "B6",
  title: "write to stream: HTTP request sent until the event is read from an open stream",
  run: async ({ rounds, seconds, say }) => {
    await using system = await startSystem({ env: withoutLimits });
    const sql = postgres(system.env["DATABASE_URL"] ?? "", { max: 4, onnotice: () => {} });
    await using broker = await openBroker(readConfig(kafkaSettings, system.env), {
      clientId: "bench",
      log: makeLog({}, "error"),
    });
    try {
      await assertDurable(sql);
      await sql`create table bench_commit (id uuid primary key, body text not null, created_at timestamptz not null default now())`;
      const names = Array.from({ length: Math.max(...rates) / perUser }, (_, n) => `bench-${n}`);
      const users = await Promise.all(names.map((name) => signIn(system.url("ui-gateway"), name)));
      const write = async (rate: number, forSeconds: number): Promise<number[]> => {
        const those = users.slice(0, Math.ceil(rate / perUser));
        const times = await Promise.all(
          those.map((user) => writeToStream(system, user, rate / those.length, forSeconds)),
        );
        return times.flat();
      };
      say("warming up both sides");
      await write(200, 5);
      await parts(sql, broker, 200, 2);
      const rows: BenchRow[] = [];
      for (const rate of rates) {
        const ours: number[][] = [];
        const sums: number[] = [];
        for (let round = 0; round < rounds; round++) {
          // A-B or B-A by turns: what drifts with time meets both sides alike.
          const runs = [
            async () => void ours.push(await write(rate, seconds)),
            async () => void sums.push(await parts(sql, broker, rate, seconds)),
          ];
          for (const run of round % 2 === 0 ? runs : runs.toReversed()) await run();
          say(
            `${rate}/s round ${round + 1}: p50 ${percentile(ours.at(-1) ?? [], 0.5).toFixed(1)} ms, sum of the parts ${(sums.at(-1) ?? 0).toFixed(1)} ms`,
          );
        }
        const all = ours.flat();
        const sum = percentile(sums, 0.5);
        rows.push({
          what: `${rate}/s, p50 against the sum of its parts`,
          ours: percentile(all, 0.5),
          peer: sum,
          unit: " ms",
          ratios: ours.map((times, round) => percentile(times, 0.5) / (sums[round] ?? Number.NaN)),
          target: "<= 2",
          note: `p99 ${percentile(all, 0.99).toFixed(1)} ms, ${all.length} writes; broker acknowledges from its page cache (Apache Kafka)`,
        });
      }
      return rows;
    } finally {
      await sql.end();
    }
  },
};

/**
 * S: one durable commit, twice produce to fetched, and a loopback round trip, each alone at the same rate; the p50s
 * added up, ms.
 */
async function parts(sql: postgres.Sql, broker: Broker, rate: number, seconds: number): Promise<number> {
  const share = Math.max(1, seconds / 3);
  const commit = await paced(rate, share, async () => {
    await sql`insert into bench_commit (id, body) values (${crypto.randomUUID()}, ${"x".repeat(300)})`;
  });
  const produce = await produceToFetched(broker, rate, share);
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("ok") });
  const loopback = await paced(rate, share, async () => void (await (await fetch(server.url)).text()));
  await server.stop(true);
  return percentile(commit, 0.5) + 2 * percentile(produce, 0.5) + percentile(loopback, 0.5);
}

async function produceToFetched(broker: Broker, rate: number, seconds: number): Promise<number[]> {
  await using producer = await broker.producer();
  const stop = new AbortController();
  const waiting = new Map<string, () => void>();
  const from = await broker.admin.offsets(topic, "end");
  const reading = (async () => {
    for await (const { records } of broker.tail({ topic, from, signal: stop.signal }))
      for (const { key } of records) waiting.get(key ?? "")?.();
  })();
  const value = new Uint8Array(300);
  const times = await paced(rate, seconds, async () => {
    const key = crypto.randomUUID();
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.set(key, resolve);
    await producer.send([{ topic, timestamp: Date.now(), key, value, headers: [] }]);
    await promise;
  });
  stop.abort();
  await reading;
  return times;
}
