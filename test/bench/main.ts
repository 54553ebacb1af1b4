// `npx bun run bench [cost B1 … lanes find] [--full] [--seconds=N]`: runs the benchmarks named (all by default) and
// prints one table of ratios. Ends with 1 where something costs more than its budget.
// Each run is also one JSON line in .dev/bench.jsonl. A stack is started unless the environment names one.
import { appendFileSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { openTestStack } from "../../dev/testing/open-test-stack.ts";
import { stackEnvironment } from "../../dev/stack/stack.ts";
import { nodeCommand, whyNoRdKafka } from "../support/node-runtime.ts";
import { median, medianInterval, type Bench, type BenchRow } from "./bench.ts";

const checkout = join(import.meta.dir, "../..");
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const words = process.argv.slice(2);
const full = words.includes("--full");
const seconds = Number(
  words.find((word) => word.startsWith("--seconds="))?.slice("--seconds=".length) ?? (full ? 20 : 5),
);
if (!(seconds >= 1)) throw new Error("--seconds wants a number from 1");
const names = words.filter((word) => !word.startsWith("-")).map((word) => word.toLowerCase());

const benches: Bench[] = [];
const every = ["cost", ...Array.from({ length: 13 }, (_, n) => `b${n + 1}`), "lanes", "find"];
for (const name of names.length > 0 ? names : every) {
  const file = join(import.meta.dir, `${name}.ts`);
  if (existsSync(file)) benches.push((await import(file)).bench);
  else if (names.length > 0) throw new Error(`there is no benchmark ${name.toUpperCase()}`);
}

/** Those whose figures depend on the Kafka driver are measured with each. */
const ofBothDrivers: readonly string[] = ["B3", "B4", "B5"];
const unavailable = benches.some(({ id }) => ofBothDrivers.includes(id)) ? await whyNoRdKafka() : null;

const overBudget: string[] = [];
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
const given = ["DATABASE_URL", "KAFKA_BROKERS", "SCHEMA_REGISTRY_URL", "REDIS_URL"].every((name) => process.env[name]);
const stack = given ? null : await openTestStack({ checkout, env: process.env, say, signal: stop.signal });
if (stack) Object.assign(process.env, stackEnvironment(stack.stack.urls));
try {
  for (const bench of benches) {
    say(`${bench.id}  ${bench.title}`);
    const rows = await bench.run({ rounds: full ? 5 : 3, seconds, say });
    for (const row of rows) say(line(row));
    overBudget.push(...rows.filter(isOver).map(({ what }) => what));
    record(bench, rows);
    if (!ofBothDrivers.includes(bench.id)) continue;
    if (unavailable !== null) {
      say(`${bench.id}  not measured with librdkafka: ${unavailable}`);
      continue;
    }
    say(`${bench.id}  the same under Node 24 with librdkafka`);
    const theirs = await runUnderNode(bench.id);
    for (const row of theirs) say(line(row));
    record({ id: `${bench.id}-librdkafka` }, theirs);
  }
} finally {
  await stack?.close();
}
if (overBudget.length > 0) say(`above the budget: ${overBudget.join("; ")}`);
process.exit(overBudget.length > 0 ? 1 : 0);

function isOver({ isBudget = false, ratios }: BenchRow): boolean {
  return isBudget && !(median(ratios) <= 1);
}

function line({ what, ours, peer, unit, ratios, target, note }: BenchRow): string {
  const [low, high] = medianInterval(ratios);
  const figures = [ours, peer].map((value) => `${value.toFixed(value < 10 ? 2 : 0)}${unit}`).join(" : ");
  const ratio = `${median(ratios).toFixed(2)}x [${low.toFixed(2)}, ${high.toFixed(2)}]`;
  return `  ${what.padEnd(60)} ${ratio.padEnd(22)} target ${target.padEnd(7)} ${figures}${note ? `  (${note})` : ""}`;
}

/** One benchmark in a process of Node, whose rows are the last line it writes. */
async function runUnderNode(id: string): Promise<readonly BenchRow[]> {
  const child = Bun.spawn(
    [...nodeCommand(), "test/bench/under-node.ts", id.toLowerCase(), ...(full ? ["--full"] : [])],
    {
      cwd: checkout,
      env: { ...process.env, KAFKA_DRIVER: "librdkafka" },
      stdout: "pipe",
      stderr: "inherit",
    },
  );
  const lines = (await new Response(child.stdout).text()).trimEnd().split("\n");
  if ((await child.exited) !== 0) throw new Error(`${id} under Node ended with ${child.exitCode}\n${lines.join("\n")}`);
  // The other side of the pipe is a file of this folder.
  return JSON.parse(lines.at(-1) ?? "[]") as readonly BenchRow[];
}

function record(bench: Pick<Bench, "id">, rows: readonly BenchRow[]): void {
  mkdirSync(join(checkout, ".dev"), { recursive: true });
  const entry = { time: new Date().toISOString(), bench: bench.id, full, rows };
  appendFileSync(join(checkout, ".dev", "bench.jsonl"), `${JSON.stringify(entry)}\n`);
}
