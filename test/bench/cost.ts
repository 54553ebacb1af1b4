// Cost: the CPU that a created task takes in every role and in every part of the stack, and what they take at rest,
// against DESIGN's budget.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { roleNames, type RoleName } from "../../shared/messages/topics.ts";
import { startSystem, withoutLimits, type System } from "../support/system.ts";
import { until } from "../support/until.ts";
import type { Bench, BenchRow } from "./bench.ts";
import type { CostLoad, CostLoadDone } from "./cost-load.ts";
import { rates, readBudget, type Measure } from "./cost-budget.ts";
import { assertDurable, cpuSeconds, listenerOf } from "./machine.ts";

const warmUp: CostLoad = { rate: 100, seconds: 5 };
/** After work everybody slows down again; then it is quiet. */
const settleSeconds = 20;
/** Nothing was written to an inbox for so long: all is handled, and offsets are committed. */
const calmMs = 2_000;

export const bench: Bench = {
  id: "cost",
  title: "CPU of a created task in every role and part, and of all of them at rest, against the budget in DESIGN.md",
  run: async ({ seconds, say }) => {
    const budget = readBudget(readFileSync(join(import.meta.dir, "../../DESIGN.md"), "utf8"));
    await using system = await startSystem({ env: withoutLimits });
    const sql = postgres(system.env["DATABASE_URL"] ?? "", { max: 1, onnotice: () => {} });
    try {
      await assertDurable(sql);
      const parts = findParts(system);
      await using load = await startLoad(system.url("ui-gateway"));
      say("warming up");
      await load.run(warmUp);
      await sleep(settleSeconds * 1_000);
      say("at rest");
      const before = await look(parts, sql, system);
      await sleep(Math.max(10, seconds * 2) * 1_000);
      const rest = perSecond(before, await look(parts, sql, system));
      const figures: Figures[] = [];
      for (const rate of rates) {
        say(`${rate} creates a second`);
        const from = await look(parts, sql, system);
        const { creates, ...paced } = await load.run({ rate, seconds });
        await untilCalm(sql);
        figures.push({ ...perCreate(from, await look(parts, sql, system), rest, creates), rate, ...paced });
      }
      for (const line of table(rest, figures)) say(line);
      return rowsOf(budget, rest, figures);
    } finally {
      await sql.end();
    }
  },
};

/** Of everything together: what grew from one look to another, by name. */
type Seen = Readonly<{ at: number; cpu: ReadonlyMap<string, number>; counts: ReadonlyMap<string, number> }>;
type Rest = Omit<Seen, "at">;
type Figures = Rest & Readonly<{ rate: number; perSecond: number; p50: number }>;

const counted = {
  commits: "xact_commit",
  rows: "tup_inserted + tup_updated + tup_deleted",
} as const;

/** By name, the processes to ask: those that this machine runs. */
function findParts(system: System): ReadonlyMap<string, number> {
  const portOf = (address: string | undefined, usual: number) =>
    Number(/:(\d+)(?:\/|$)/.exec(address ?? "")?.[1] ?? usual);
  const { env } = system;
  const found = [
    ["postgres", listenerOf(portOf(env["DATABASE_URL"], 5432))],
    ["kafka", listenerOf(portOf(env["KAFKA_BROKERS"], 9092))],
    ["redis", listenerOf(portOf(env["REDIS_URL"], 6379))],
    ...roleNames.map((role) => [role, system.pid(role)] as const),
  ] as const;
  return new Map(found.flatMap(([name, pid]) => (pid === null ? [] : [[name, pid] as const])));
}

async function look(parts: ReadonlyMap<string, number>, sql: postgres.Sql, system: System): Promise<Seen> {
  const cpu = new Map([...parts].map(([name, pid]) => [name, cpuSeconds(pid)]));
  const at = performance.now();
  const [row] = await sql.unsafe<Record<string, string>[]>(`
    select ${Object.entries(counted).map(([name, of]) => `${of} as ${name}`)}, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') / 1000 as wal_kb
    from pg_stat_database where datname = current_database()`);
  const sends = await metric(system, "outbox-relay", "outbox_send_records_count");
  const batches = await Promise.all(consumers.map((role) => metric(system, role, "consumer_batch_seconds_count")));
  const counts = new Map(Object.entries(row ?? {}).map(([name, value]) => [name, Number(value)]));
  counts.set("sends", sends);
  counts.set(
    "batches",
    batches.reduce((sum, value) => sum + value, 0),
  );
  return { at, cpu, counts };
}
const consumers = [
  "task-service",
  "recurring-task-worker",
  "reminder-scheduling-worker",
  "reminder-service",
  "notification-service",
  "task-update-broadcaster",
] as const satisfies readonly RoleName[];

/** The sum of a metric's series. Asking costs a role about a millisecond. */
async function metric(system: System, role: RoleName, name: string): Promise<number> {
  const text = await (await fetch(`${system.metricsUrl(role)}/metrics`)).text();
  const series = text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return series.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

async function untilCalm(sql: postgres.Sql): Promise<void> {
  let last = "";
  let since = performance.now();
  await until(
    "nothing is handled any more",
    async () => {
      const [row] = await sql<{ state: string }[]>`
        select (select sum(n_tup_ins) from pg_stat_user_tables where relname like 'inbox%')::text || '/' ||
          (select count(*) from outbox where published_at is null)::text as state`;
      const state = row?.state ?? "";
      if (state !== last) since = performance.now();
      last = state;
      return state.endsWith("/0") && performance.now() - since > calmMs;
    },
    { timeoutMs: 120_000, everyMs: 250, describe: () => last },
  );
}

function difference(
  from: ReadonlyMap<string, number>,
  to: ReadonlyMap<string, number>,
  of: (grown: number, name: string) => number,
) {
  return new Map([...to].map(([name, value]) => [name, of(value - (from.get(name) ?? 0), name)]));
}

function perSecond(from: Seen, to: Seen): Rest {
  const seconds = (to.at - from.at) / 1_000;
  const of = (grown: number) => grown / seconds;
  return { cpu: difference(from.cpu, to.cpu, of), counts: difference(from.counts, to.counts, of) };
}

/** CPU in ms, less what the same processes take at rest. */
function perCreate(from: Seen, to: Seen, rest: Rest, creates: number): Rest {
  const seconds = (to.at - from.at) / 1_000;
  return {
    cpu: difference(
      from.cpu,
      to.cpu,
      (grown, name) => ((grown - seconds * (rest.cpu.get(name) ?? 0)) * 1_000) / creates,
    ),
    counts: difference(
      from.counts,
      to.counts,
      (grown, name) => (grown - seconds * (rest.counts.get(name) ?? 0)) / creates,
    ),
  };
}

const roles: ReadonlySet<string> = new Set(roleNames);

/**
 * The share of a core in percent, and ms per create; `roles` and `all` are sums. Last, commits of Postgres: a second,
 * and per create.
 */
function measured(rest: Rest, figures: readonly Figures[]): ReadonlyMap<string, Measure> {
  const measures = [...rest.cpu.keys()].map((name): readonly [string, Measure] => [
    name,
    [100 * (rest.cpu.get(name) ?? 0), ...figures.map(({ cpu }) => cpu.get(name) ?? 0)],
  ]);
  const sum = (those: typeof measures): Measure =>
    [rest, ...figures].map((_, at) => those.reduce((all, [, of]) => all + (of[at] ?? 0), 0));
  const commits = [rest, ...figures].map(({ counts }) => counts.get("commits") ?? 0);
  const ours = measures.filter(([name]) => roles.has(name));
  return new Map([...measures, ["roles", sum(ours)], ["all", sum(measures)], ["commits", commits]]);
}

function table(rest: Rest, figures: readonly Figures[]): readonly string[] {
  const line = (cells: readonly string[]) =>
    `  ${(cells[0] ?? "").padEnd(28)}${cells
      .slice(1)
      .map((cell) => cell.padStart(12))
      .join("")}`;
  const all = [...measured(rest, figures)].filter(([name]) => !rest.counts.has(name));
  const cpu = all.map(([name, [atRest = 0, ...of]]) =>
    line([name, `${atRest.toFixed(2)} %`, ...of.map((ms) => `${ms.toFixed(2)} ms`)]),
  );
  const counts = [...rest.counts].map(([name, value]) =>
    line([name, `${value.toFixed(1)}/s`, ...figures.map((of) => (of.counts.get(name) ?? 0).toFixed(2))]),
  );
  return [
    line(["CPU", "at rest", ...figures.map(({ rate }) => `${rate}/s`)]),
    ...cpu,
    ...counts,
    line(["creates a second", "", ...figures.map(({ perSecond }) => perSecond.toFixed(0))]),
    line(["answered in (p50)", "", ...figures.map(({ p50 }) => `${p50.toFixed(0)} ms`)]),
  ];
}

/** Of everything together, and of each part what is above its budget. */
function rowsOf(budget: ReadonlyMap<string, Measure>, rest: Rest, figures: readonly Figures[]): readonly BenchRow[] {
  const rows = [...measured(rest, figures)].flatMap(([name, of]) => {
    const limits = budget.get(name);
    if (limits === undefined) throw new Error(`DESIGN.md has no budget for ${name}`);
    return of.map((value, at): BenchRow => {
      const limit = limits[at] ?? Number.NaN;
      return {
        what:
          at === 0
            ? `${name} at rest, against the budget`
            : `${name} per create at ${rates[at - 1]}/s, against the budget`,
        ours: value,
        peer: limit,
        unit: name === "commits" ? "" : at === 0 ? " %" : " ms",
        ratios: [value / limit],
        target: "<= 1",
        isBudget: true,
      };
    });
  });
  return rows.filter(
    ({ what, ratios: [ratio = Number.NaN] }) => /^(all|roles at rest|commits at rest)/.test(what) || !(ratio <= 1),
  );
}

type Load = AsyncDisposable & Readonly<{ run: (load: CostLoad) => Promise<CostLoadDone> }>;

/** Its CPU is nobody's: it is a process of its own. */
async function startLoad(base: string): Promise<Load> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "cost-load.ts"), base], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines = linesOf(child.stdout);
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`the load ended with ${await child.exited}`);
    return value;
  };
  await next();
  return {
    run: async (load) => {
      child.stdin.write(`${JSON.stringify(load)}\n`);
      await child.stdin.flush();
      // The other side of the pipe is `cost-load.ts`.
      return JSON.parse(await next()) as CostLoadDone;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await child.exited;
    },
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    const parts = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}
