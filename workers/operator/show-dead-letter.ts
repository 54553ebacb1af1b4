import type { Fetched } from "../../shared/broker.ts";
import type { Codec } from "../../shared/codec.ts";
import { messageContentType } from "../../shared/outbox/envelope.ts";
import { topicNames } from "../../shared/topics.ts";
import { headerText } from "./read-dead-letters.ts";

/** Everything about one dead letter, for a person or as JSON. `value` is the record where it can be decoded, else text or base64. */
export type ShownDeadLetter = Readonly<{
  topic: string;
  partition: number;
  offset: number;
  time: string;
  key: string | null;
  headers: Readonly<Record<string, string>>;
  value: unknown;
  /** How `value` was read, or why it could not be. */
  read: string;
}>;

/** `openCodec` is asked only for values that are Avro; what it rejects with becomes the reason in `read`. */
export async function showDeadLetter(record: Fetched, openCodec: () => Promise<Codec>): Promise<ShownDeadLetter> {
  return {
    topic: record.topic,
    partition: record.partition,
    offset: Number(record.offset),
    time: new Date(record.timestamp).toISOString(),
    key: record.key,
    headers: Object.fromEntries(record.headers.map(([name, value]) => [name, Buffer.from(value).toString("utf8")])),
    ...(await readValue(record, openCodec)),
  };
}

async function readValue(record: Fetched, openCodec: () => Promise<Codec>): Promise<{ value: unknown; read: string }> {
  const { value } = record;
  if (value === null) return { value: null, read: "there is none" };
  const bytes = Buffer.from(value);
  const topic = topicNames.find((name) => name === headerText(record, "x-original-topic"));
  if (headerText(record, "content-type") !== messageContentType || topic === undefined) {
    const text = bytes.toString("utf8");
    return Buffer.from(text).equals(bytes)
      ? { value: text, read: "as text" }
      : { value: bytes.toString("base64"), read: "as base64: it is no text" };
  }
  try {
    const decoded = await (await openCodec()).decode(topic, value);
    if ("data" in decoded) return { value: decoded.data, read: `as ${decoded.type}` };
    return { value: bytes.toString("base64"), read: `as base64: this build does not know ${decoded.unknown}` };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { value: bytes.toString("base64"), read: `as base64: ${why}` };
  }
}
