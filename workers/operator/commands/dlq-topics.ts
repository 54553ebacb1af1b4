import type { Broker } from "../../../shared/broker.ts";
import { deadLetterTopics } from "../../../shared/topics.ts";
import { readNumber, usageError, type Terminal } from "../command.ts";
import { openOpsBroker, openOpsCodec } from "../open-tools.ts";
import { printTable } from "../print-table.ts";
import { countDeadLetters, headerText } from "../read-dead-letters.ts";
import { readNewest } from "../read-newest.ts";
import { showDeadLetter } from "../show-dead-letter.ts";
import type { DlqValues } from "./dlq-options.ts";

/** The dead-letter topics themselves: what groups gave up on, and what was never published. */
export async function topics(_: readonly string[], { json }: DlqValues, terminal: Terminal): Promise<number> {
  await using broker = await openOpsBroker(terminal);
  return await list(broker, json, terminal);
}

export async function showTopic([name]: readonly string[], values: DlqValues, terminal: Terminal): Promise<number> {
  const topic = deadLetterTopics.find((one) => one === name || one === `${name}-dlq`);
  if (topic === undefined)
    throw usageError(`${name === undefined ? "say which" : `there is no "${name}"`}: ${deadLetterTopics.join(", ")}`);
  if ((values.partition === undefined) !== (values.offset === undefined))
    throw usageError("--partition and --offset go together");
  const limit = readNumber("limit", values.limit);
  const at =
    values.partition === undefined || values.offset === undefined
      ? null
      : ([readNumber("partition", values.partition), BigInt(readNumber("offset", values.offset))] as const);
  await using broker = await openOpsBroker(terminal);
  if (at === null) return await showNewest(broker, topic, limit, values.json, terminal);
  return await showOne(broker, topic, at, values.json, terminal);
}

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
  terminal: Terminal,
): Promise<number> {
  const end = (await broker.admin.offsets(topic, "end")).get(partition);
  if (end === undefined || offset >= end) throw new Error(`${topic} has no offset ${offset} in partition ${partition}`);
  const [record] = await broker.admin.read(topic, new Map([[partition, offset]]));
  if (record === undefined)
    throw new Error(`${topic} has nothing to show at offset ${offset} of partition ${partition}`);
  const shown = await showDeadLetter(record, () => openOpsCodec(terminal));
  const { print } = terminal;
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
