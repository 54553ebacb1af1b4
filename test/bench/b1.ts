// B1: durable creates per second over HTTP, with everything on, against pgbench writing the same two rows.
import postgres from "postgres";
import { issueDevToken, authSettings } from "../../shared/auth.ts";
import { readConfig } from "../../shared/config.ts";
import { startSystem, type System } from "../support/system.ts";
import { median, type Bench, type BenchOptions, type BenchRow } from "./bench.ts";
import { runLoad, type Load, type LoadResult } from "./http-load.ts";
import { assertDurable, foreignLoad } from "./machine.ts";
import { pgbenchPath, runPgbench } from "./pgbench.ts";

const maxP99Ms = 50;
const body = JSON.stringify({
  title: "Buy milk and bread",
  description: "Some more words about it, of a modest length",
  priority: "High",
  tags: ["home", "errand"],
  due_date: "2027-01-31T18:00:00+01:00",
});

export const bench: Bench = {
  id: "B1",
  title: `creates per second at p99 <= ${maxP99Ms} ms, durable`,
  run: async (options) => {
    pgbenchPath();
    await using system = await startSystem({ roles: { "task-service": 1 } });
    const url = system.env["DATABASE_URL"] ?? "";
    const sql = postgres(url, { max: 1, onnotice: () => {} });
    await using echo = await openEcho();
    try {
      await assertDurable(sql);
      const load = await makeLoad(system);
      await runLoad({ ...load, connections: 64, seconds: 3 });
      const scripts = await peerScripts(sql);
      const clean = () => sql`truncate tasks, idempotency_keys, outbox`;
      await clean();
      return await measure(options, { url, load, scripts, clean, echoPort: echo.port });
    } finally {
      await sql.end();
    }
  },
};

type Sides = Readonly<{
  url: string;
  load: Load;
  scripts: Readonly<Record<"transaction" | "statement", string>>;
  clean: () => Promise<unknown>;
  echoPort: number;
}>;

async function measure({ rounds, seconds, say }: BenchOptions, sides: Sides): Promise<readonly BenchRow[]> {
  const { url, load, scripts, clean, echoPort } = sides;
  const http = async (connections: number, keys = false, time = seconds) => {
    const result = await runLoad({ ...load, connections, keys, seconds: time });
    if (result.failures > 0) throw new Error(`${result.failures} requests failed, the first with ${result.failure}`);
    return result;
  };
  const pg = (script: string, clients: number, time = seconds) => runPgbench({ url, script, clients, seconds: time });

  const clients = await bestOf("pgbench clients", [8, 16, 32, 64], (n) => pg(scripts.transaction, n, 2), say);
  const single = await bestOf(
    "pgbench clients, one statement",
    [8, 16, 32, 64],
    (n) => pg(scripts.statement, n, 2),
    say,
  );
  const within = ({ p99, perSecond }: LoadResult) => (p99 <= maxP99Ms ? perSecond : 0);
  const connections = await bestOf(
    "connections",
    [32, 64, 128, 256],
    async (n) => within(await http(n, false, 2)),
    say,
  );

  const ours: LoadResult[] = [];
  const keyed: LoadResult[] = [];
  const transactions: number[] = [];
  const statements: number[] = [];
  const echoes: number[] = [];
  let disturbed = 0;
  for (let round = 1; round <= rounds; round++) {
    await clean();
    const foreign = await foreignLoad();
    if (foreign > 0.1) disturbed += 1;
    // A B B A: a drift of the machine falls on both sides alike.
    const first = await http(connections);
    const transaction = [await pg(scripts.transaction, clients), await pg(scripts.transaction, clients)];
    const last = await http(connections);
    statements.push(await pg(scripts.statement, single));
    keyed.push(await http(connections, true));
    echoes.push((await runLoad({ ...load, port: echoPort, connections, seconds })).perSecond);
    ours.push({ ...last, perSecond: (first.perSecond + last.perSecond) / 2, p99: Math.max(first.p99, last.p99) });
    transactions.push(median(transaction));
    say(
      `  round ${round}: ${first.perSecond | 0} and ${last.perSecond | 0}/s (p99 ${last.p99.toFixed(1)} ms), ` +
        `pgbench ${transaction.map((tps) => tps | 0).join(" and ")}/s, others use ${Math.round(foreign * 100)} % of the machine`,
    );
  }
  const row = (
    what: string,
    mine: readonly LoadResult[],
    peer: readonly number[],
    target: string,
    note = "",
  ): BenchRow => ({
    what,
    ours: median(mine.map(({ perSecond }) => perSecond)),
    peer: median(peer),
    unit: "/s",
    ratios: mine.map(({ perSecond }, at) => perSecond / (peer[at] ?? Number.NaN)),
    target,
    note:
      `p99 ${median(mine.map(({ p99 }) => p99)).toFixed(1)} ms` +
      (disturbed > 0 ? `, ${disturbed} of ${rounds} rounds disturbed` : "") +
      note,
  });
  return [
    row("POST /v1/tasks : pgbench BEGIN/INSERT/INSERT/COMMIT", ours, transactions, ">= 2.5"),
    row("POST /v1/tasks : pgbench, one statement", ours, statements, ">= 1.5"),
    row(
      "with Idempotency-Key : pgbench BEGIN/INSERT/INSERT/COMMIT",
      keyed,
      transactions,
      "-",
      ", one row more than the peer",
    ),
  ];
}

async function openEcho(): Promise<AsyncDisposable & Readonly<{ port: number }>> {
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/b1-echo.ts`], { stdout: "pipe", stderr: "inherit" });
  const { value } = await child.stdout.getReader().read();
  return {
    port: Number(new TextDecoder().decode(value)),
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await child.exited;
    },
  };
}

/** The setting with the highest rate. */
async function bestOf(
  what: string,
  settings: readonly number[],
  rate: (setting: number) => Promise<number>,
  say: BenchOptions["say"],
): Promise<number> {
  const rates: number[] = [];
  for (const setting of settings) rates.push(await rate(setting));
  say(`  ${what}: ${settings.map((setting, at) => `${setting} → ${(rates[at] ?? 0) | 0}/s`).join(", ")}`);
  return settings[rates.indexOf(Math.max(...rates))] ?? 64;
}

async function makeLoad(system: System): Promise<Load> {
  const config = readConfig(authSettings, system.env);
  const now = new Date();
  const { token } = await issueDevToken(config, { name: "bench", sessionId: "bench", now, lifetimeSeconds: 86_400 });
  const { hostname, port } = new URL(system.url("task-service"));
  return {
    host: hostname,
    port: Number(port),
    path: "/v1/tasks",
    headers: { authorization: `Bearer ${token}` },
    body,
    connections: 64,
    warmSeconds: 1,
    seconds: 5,
    keys: false,
  };
}

/** The two rows of a create, as the product has just written them: same columns, same sizes, same indexes. */
async function peerScripts(sql: postgres.Sql): Promise<Sides["scripts"]> {
  const [made] = await sql<{ user_id: string; value: string; headers: string }[]>`
    select tasks.user_id, encode(value, 'hex') as value, headers::text from outbox join tasks on tasks.id::text = key limit 1`;
  if (!made) throw new Error("nothing was made while warming up");
  const task =
    `insert into tasks (id, user_id, title, description, created_at, updated_at, due_date, priority, tags)` +
    ` values (uuidv7(), '${made.user_id}', 'Buy milk and bread', 'Some more words about it, of a modest length',` +
    ` clock_timestamp(), clock_timestamp(), '2027-01-31T17:00:00Z', 'High', '{home,errand}') returning id`;
  // pgbench reads a colon before a letter as one of its variables; JSON's have a space after them.
  const outbox = (id: string) =>
    `insert into outbox (shard, topic, key, message_id, type, subject, sequence, time, value, headers)` +
    ` select :shard, 'task-events', ${id}, uuidv7(), 'TaskCreated', ${id}, 1, clock_timestamp(),` +
    ` decode('${made.value}', 'hex'), '${made.headers.replaceAll(/:(?=[a-z])/gi, ": ")}'`;
  return {
    transaction: `\\set shard random(0, 15)\nbegin;\n${task} \\gset\n${outbox(":id::text")};\ncommit;\n`,
    statement: `\\set shard random(0, 15)\nwith made as (${task}) ${outbox("id::text")} from made;\n`,
  };
}
