import { z } from "@hono/zod-openapi";
import { deadLetterTopics } from "../../../shared/messages/topics.ts";
import { defineAction } from "../action.ts";
import { limit, name } from "../fields.ts";
import { usageError } from "../usage-error.ts";
import { cut, printTable, tableOf } from "../print-table.ts";
import { countDeadLetters, headerText } from "../read-dead-letters.ts";
import { readNewest } from "../read-newest.ts";
import { showDeadLetter } from "../show-dead-letter.ts";

// The dead-letter topics themselves: what groups gave up on, and what was never published. The API has their tails.

export const topics = defineAction({
  route: null,
  input: z.strictObject({}),
  run: async ({ broker }) => ({ deadLetters: await countDeadLetters(await broker()) }),
  print: ({ deadLetters }) =>
    tableOf(
      [
        ["topic", (one) => one.topic],
        ["records", (one) => one.records],
        ["newest", (one) => one.newest],
      ],
      deadLetters,
    ),
});

const place = z.number().int().optional();

export const showTopic = defineAction({
  route: null,
  input: z.strictObject({ topic: name.optional(), limit, partition: place, offset: place }),
  cli: { words: { topic: "a topic" }, fallbacks: { limit: "50" } },
  run: async ({ broker, codec }, { topic: asked, limit: most, partition, offset }) => {
    const topic = deadLetterTopics.find((one) => one === asked || one === `${asked}-dlq`);
    if (topic === undefined)
      throw usageError(
        `${asked === undefined ? "say which" : `there is no "${asked}"`}: ${deadLetterTopics.join(", ")}`,
      );
    if ((partition === undefined) !== (offset === undefined)) throw usageError("--partition and --offset go together");
    const opened = await broker();
    const { admin } = opened;
    if (partition === undefined || offset === undefined) {
      const records = (await readNewest(opened, topic, most)).map((record) => ({
        partition: record.partition,
        offset: Number(record.offset),
        time: new Date(record.timestamp).toISOString(),
        type: headerText(record, "ce_type"),
        key: record.key,
        class: headerText(record, "x-error-class"),
        fingerprint: headerText(record, "x-error-fingerprint"),
        message: headerText(record, "x-error-message"),
      }));
      return { topic, records };
    }
    const [at, end] = [BigInt(offset), (await admin.offsets(topic, "end")).get(partition)];
    if (end === undefined || at >= end) throw new Error(`${topic} has no offset ${at} in partition ${partition}`);
    const [record] = await admin.read(topic, new Map([[partition, at]]));
    if (record === undefined) throw new Error(`${topic} has nothing to show at offset ${at} of partition ${partition}`);
    return showDeadLetter(record, codec);
  },
  print: (answer) => {
    if (!("records" in answer)) {
      const { headers, value, read, ...facts } = answer;
      const rows = [...Object.entries(facts), ...Object.entries(headers)].map(([of, text]) => [of, `${text}`]);
      const shown = typeof value === "string" ? value : JSON.stringify(value, null, 2);
      return `${printTable(["", ""], rows).trimStart()}\n\nvalue, ${read}:\n${shown}`;
    }
    if (answer.records.length === 0) return `${answer.topic} is empty`;
    return tableOf(
      [
        "partition",
        "offset",
        "time",
        "type",
        "key",
        "class",
        "fingerprint",
        ["message", (record) => (record.message === null ? null : cut(record.message, 120))],
      ],
      answer.records,
    );
  },
});
