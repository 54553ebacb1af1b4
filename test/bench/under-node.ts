// `node test/bench/under-node.ts b3 [--full]` with KAFKA_DRIVER=librdkafka and a stack's addresses: one benchmark; its
// rows as JSON on the last line.
import { loadRdKafka } from "../../shared/librdkafka/load.ts";
import type { Bench } from "./bench.ts";

const [name = "", ...words] = process.argv.slice(2);
// Else the first driver would serve, and be measured for the second.
const client = await loadRdKafka();
if ("reason" in client) throw new Error(client.reason);
const full = words.includes("--full");
const { bench }: { bench: Bench } = await import(`./${name}.ts`);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const rows = await bench.run({ rounds: full ? 5 : 3, seconds: full ? 20 : 5, say });
process.stdout.write(`${JSON.stringify(rows)}\n`);
process.exit(0);
