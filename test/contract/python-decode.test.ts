import { expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { openCodec } from "../../shared/codec.ts";
import { readConfig } from "../../shared/config.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { makeLog } from "../../shared/log.ts";
import { openRegistry } from "../../shared/registry.ts";
import { readSchemas, schemasFolder } from "../../shared/avro/files.ts";
import { fullName } from "../../shared/avro/json.ts";
import { recordDecoder, recordType } from "../../shared/avro/record-type.ts";
import { maxMessageBytes, topicNames } from "../../shared/topics.ts";
import { readNewest } from "../../workers/operator/read-newest.ts";
import { stack } from "../support/stack.ts";

const root = join(import.meta.dir, "../..");
const python = await findPython();

test.skipIf(python.path === null && process.env["REQUIRE_ALL"] !== "1")(
  `a consumer in Python decodes every record of every topic, knowing only the registry${python.why}`,
  async () => {
    if (python.path === null) throw new Error(`REQUIRE_ALL=1 and ${python.why}`);
    const registryUrl = stack().schemaRegistryUrl;
    const registry = openRegistry({ url: registryUrl, user: null, password: null, timeoutMs: 5000 });
    const log = makeLog({}, "error");
    const histories = await readSchemas();
    for (const { subject, current } of histories) await registry.register(subject, JSON.stringify(current.schema));
    const codec = await openCodec({ registry, log });

    // Written through Kafka and read back, so that what Python sees are the bytes a foreign consumer would see.
    await using kafka = await ownTopics();
    const written: Readonly<{ name: string; data: unknown }>[] = [];
    for (const { topic, type, current } of histories) {
      const decode = recordDecoder(recordType(current.schema), recordType(current.schema));
      const file = Bun.file(join(schemasFolder, current.path.replace(".avsc", ".golden.json")));
      for (const { bytes, value } of (await file.json()) as readonly { bytes: string; value: unknown }[]) {
        const data = decode(Buffer.from(bytes, "hex"), 0) as never;
        await kafka.send(topic, codec.encode(type, data));
        written.push({ name: fullName(current.schema), data: value });
      }
    }
    const lines = await Promise.all(topicNames.map((topic) => kafka.read(topic)));
    expect(lines.flat()).toHaveLength(written.length);
    const input = lines.flat().map((value) => `${JSON.stringify({ value: Buffer.from(value).toString("base64") })}\n`);
    const output = await run([python.path, join(import.meta.dir, "python_decode.py"), registryUrl], input.join(""));
    const decoded = output
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    expect(decoded).toHaveLength(written.length);
    for (const record of written) expect(decoded).toContainEqual(record);
  },
  120_000,
);

async function ownTopics() {
  const env = { KAFKA_BROKERS: stack().kafkaBrokers, KAFKA_PREFIX: `python-${crypto.randomUUID().slice(0, 8)}.` };
  const broker = await openBroker(readConfig(kafkaSettings, env), {
    clientId: "python-test",
    log: makeLog({}, "error"),
  });
  const configs = { "max.message.bytes": String(maxMessageBytes) };
  for (const name of topicNames) await broker.admin.createTopic({ name, partitions: 2, configs });
  const producer = await broker.producer();
  return {
    send: (topic: string, value: Uint8Array) =>
      producer.send([{ topic, key: crypto.randomUUID(), value, headers: [] }]),
    read: async (topic: string) =>
      (await readNewest(broker, topic, 1000)).flatMap(({ value }) => (value === null ? [] : [value])),
    [Symbol.asyncDispose]: async () => {
      await producer[Symbol.asyncDispose]();
      for (const name of topicNames) await broker.admin.deleteTopic(name);
      await broker[Symbol.asyncDispose]();
    },
  };
}

/** Python with fastavro, in an environment of this checkout that is made once. `why` says what is missing. */
async function findPython(): Promise<Readonly<{ path: string | null; why: string }>> {
  const folder = join(root, ".dev", "python");
  const path = join(folder, "bin", "python");
  const ready = () =>
    run([path, "-c", "import fastavro"], "")
      .then(() => true)
      .catch(() => false);
  if (await ready()) return { path, why: "" };
  const base = Bun.which("python3");
  if (base === null) return { path: null, why: " (skipped: there is no python3)" };
  try {
    await mkdir(join(root, ".dev"), { recursive: true });
    await run([base, "-m", "venv", "--clear", folder], "");
    await run([path, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "fastavro==1.13.1"], "");
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim().split("\n").at(-1) : String(error);
    return { path: null, why: ` (skipped: fastavro could not be installed: ${reason})` };
  }
  return { path, why: "" };
}

async function run(command: readonly string[], input: string): Promise<string> {
  const child = Bun.spawn([...command], { stdin: Buffer.from(input), stdout: "pipe", stderr: "pipe", timeout: 90_000 });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}: ${err}`);
  return out;
}
