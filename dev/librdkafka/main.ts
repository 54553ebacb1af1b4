// `bun dev/librdkafka/main.ts`: puts the binary of the second Kafka driver where its package looks for it; see
// `provideRdKafka`.
import { checkout, ensureInstalled } from "../installed.ts";
import { directoriesOf } from "../run/directories.ts";
import { provideRdKafka } from "./provide.ts";

await ensureInstalled();
try {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const { program, version } = await provideRdKafka({ checkout, partsDirectory: directoriesOf(checkout).parts, say });
  say(`ready for Node ${version}: KAFKA_DRIVER=librdkafka ${program} workers/<role>/main.ts`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
