// `npx bun run bench [B1 … lanes] [--full]`: runs the benchmarks named (all by default) and prints one table of ratios.
// Each run is also one JSON line in .dev/bench.jsonl. A stack is started unless the environment names one.
import { appendFileSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { openTestStack } from "../../dev/testing/open-test-stack.ts";
import { stackEnvironment } from "../../dev/stack/stack.ts";
import { median, medianInterval, type Bench, type BenchRow } from "./bench.ts";

const checkout = join(import.meta.dir, "../..");
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const words = process.argv.slice(2);
const full = words.includes("--full");
const names = words.filter((word) => !word.startsWith("-")).map((word) => word.toLowerCase());

const benches: Bench[] = [];
const every = [...Array.from({ length: 13 }, (_, n) => `b${n + 1}`), "lanes"];
for (const name of names.length > 0 ? names : every) {
  const file = join(import.meta.dir, `${name}.ts`);
  if (existsSync(file)) benches.push((await import(file)).bench);
  else if (names.length > 0) throw new Error(`there is no benchmark ${name.toUpperCase()}`);
}

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
const given = ["DATABASE_URL", "KAFKA_BROKERS", "SCHEMA_REGISTRY_URL", "REDIS_URL"].every((name) => process.env[name]);
const stack = given ? null : await openTestStack({ checkout, env: process.env, say, signal: stop.signal });
if (stack) Object.assign(process.env, stackEnvironment(stack.stack.urls));
try {
  for (const bench of benches) {
    say(`${bench.id}  ${bench.title}`);
    const rows = await bench.run({ rounds: full ? 5 : 3, seconds: full ? 20 : 5, say });
    for (const row of rows) say(line(row));
    record(bench, rows);
  }
} finally {
  await stack?.close();
}
process.exit(0);

function line({ what, ours, peer, unit, ratios, target, note }: BenchRow): string {
  const [low, high] = medianInterval(ratios);
  const figures = [ours, peer].map((value) => `${value.toFixed(value < 10 ? 2 : 0)}${unit}`).join(" : ");
  const ratio = `${median(ratios).toFixed(2)}x [${low.toFixed(2)}, ${high.toFixed(2)}]`;
  return `  ${what.padEnd(60)} ${ratio.padEnd(22)} target ${target.padEnd(7)} ${figures}${note ? `  (${note})` : ""}`;
}

function record(bench: Bench, rows: readonly BenchRow[]): void {
  mkdirSync(join(checkout, ".dev"), { recursive: true });
  const entry = { time: new Date().toISOString(), bench: bench.id, full, rows };
  appendFileSync(join(checkout, ".dev", "bench.jsonl"), `${JSON.stringify(entry)}\n`);
}
