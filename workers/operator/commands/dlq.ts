import type { Broker } from "../../../shared/broker.ts";
import { openCodec } from "../../../shared/codec.ts";
import { readConfig } from "../../../shared/config.ts";
import { kafkaSettings, openBroker } from "../../../shared/kafka/kafka-broker.ts";
import { openRegistry, registrySettings } from "../../../shared/registry.ts";
import { deadLetterTopics } from "../../../shared/topics.ts";
import { commonOptions, readArgs, readNumber, usageError, type Command, type Terminal } from "../command.ts";
import { printTable } from "../print-table.ts";
import { countDeadLetters, headerText } from "../read-dead-letters.ts";
import { readNewest } from "../read-newest.ts";
import { showDeadLetter } from "../show-dead-letter.ts";

export const dlqCommand: Command = {
  summary: "what could not be handled or published",
  help: `ops dlq [ls|show] [--json]

  ls                                     every dead-letter topic with its number of records (the default)
  show TOPIC [--limit N]                 its newest records, 20 unless told: where they came from and what was wrong
  show TOPIC --partition P --offset O    one record with its headers and decoded value

TOPIC is a dead-letter topic, with or without the ending -dlq: a group's name, or a topic's for what was never published.`,
  run: async (args, terminal) => {
    const { values, positionals } = readArgs(args, {
      ...commonOptions,
      limit: { type: "string", default: "20" },
      partition: { type: "string" },
      offset: { type: "string" },
    });
    const [verb = "ls", name, stray] = positionals;
    if (stray !== undefined) throw usageError(`unexpected "${stray}"`);
    if (verb !== "ls" && verb !== "show") throw usageError(`"${verb}" is not one of ls, show`);
    const topic = deadLetterTopics.find((one) => one === name || one === `${name}-dlq`);
    if (verb === "show" && topic === undefined)
      throw usageError(`${name === undefined ? "say which" : `there is no "${name}"`}: ${deadLetterTopics.join(", ")}`);
    if ((values.partition === undefined) !== (values.offset === undefined))
      throw usageError("--partition and --offset go together");
    const limit = readNumber("limit", values.limit);
    const { kafka } = readConfig({ kafka: kafkaSettings }, terminal.env);
    await using broker = await openBroker(kafka, { clientId: "taskwire-ops", log: terminal.log });
    if (topic === undefined || verb === "ls") return await list(broker, values.json, terminal);
    if (values.partition === undefined || values.offset === undefined)
      return await showNewest(broker, topic, limit, values.json, terminal);
    const at = [readNumber("partition", values.partition), BigInt(readNumber("offset", values.offset))] as const;
    return await showOne(broker, topic, at, values.json, terminal);
  },
};

async function list(broker: Broker, json: boolean, { print }: Terminal): Promise<number> {
  const counts = await countDeadLetters(broker);
  if (json) print(JSON.stringify({ deadLetters: counts }));
  else {
    const rows = counts.map(({ topic, records, newest }) => [topic, records, newest?.toISOString() ?? null]);
    print(printTable(["TOPIC", "RECORDS", "NEWEST"], rows));
  }
  return 0;
}

async function showNewest(
  broker: Broker,
  topic: string,
  limit: number,
  json: boolean,
  { print }: Terminal,
): Promise<number> {
  const records = (await readNewest(broker, topic, limit)).map((record) => ({
    partition: record.partition,
    offset: Number(record.offset),
    time: new Date(record.timestamp).toISOString(),
    type: headerText(record, "ce_type"),
    key: record.key,
    class: headerText(record, "x-error-class"),
    fingerprint: headerText(record, "x-error-fingerprint"),
    message: headerText(record, "x-error-message"),
  }));
  if (json) print(JSON.stringify({ topic, records }));
  else if (records.length === 0) print(`${topic} is empty`);
  else
    print(
      printTable(
        ["PARTITION", "OFFSET", "TIME", "TYPE", "KEY", "CLASS", "FINGERPRINT", "MESSAGE"],
        records.map((record) => [
          ...Object.values(record).slice(0, -1),
          record.message?.split("\n")[0]?.slice(0, 120) ?? null,
        ]),
      ),
    );
  return 0;
}

async function showOne(
  broker: Broker,
  topic: string,
  [partition, offset]: readonly [number, bigint],
  json: boolean,
  { env, print, log }: Terminal,
): Promise<number> {
  const end = (await broker.admin.offsets(topic, "end")).get(partition);
  if (end === undefined || offset >= end) throw new Error(`${topic} has no offset ${offset} in partition ${partition}`);
  const [record] = await broker.admin.read(topic, new Map([[partition, offset]]));
  if (record === undefined)
    throw new Error(`${topic} has nothing to show at offset ${offset} of partition ${partition}`);
  const shown = await showDeadLetter(record, async () => {
    const { registry } = readConfig({ registry: registrySettings }, env);
    return openCodec({ registry: openRegistry(registry), log });
  });
  if (json) {
    print(JSON.stringify(shown));
    return 0;
  }
  const { headers, value, read, ...place } = shown;
  const facts = [...Object.entries(place), ...Object.entries(headers)].map(([name, text]) => [name, `${text}`]);
  print(printTable(["", ""], facts).trimStart());
  print(`\nvalue, ${read}:\n${typeof value === "string" ? value : JSON.stringify(value, null, 2)}`);
  return 0;
}
