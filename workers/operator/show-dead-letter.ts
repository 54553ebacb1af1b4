import type { FetchedRecord } from "../../shared/messages/broker.ts";
import type { Codec } from "../../shared/avro/codec.ts";
import { utf8Text } from "../../shared/bytes.ts";
import { headerText } from "./read-dead-letters.ts";
import { readValue, type ReadValue } from "./read-value.ts";

/** Everything about one record of a dead-letter topic, for a person or as JSON. */
type ShownDeadLetter = ReadValue &
  Readonly<{
    topic: string;
    partition: number;
    offset: number;
    time: string;
    key: string | null;
    headers: Readonly<Record<string, string>>;
  }>;

export async function showDeadLetter(record: FetchedRecord, openCodec: () => Promise<Codec>): Promise<ShownDeadLetter> {
  const { value } = record;
  const [topic, contentType] = [headerText(record, "x-original-topic"), headerText(record, "content-type")];
  return {
    topic: record.topic,
    partition: record.partition,
    offset: Number(record.offset),
    time: new Date(record.timestamp).toISOString(),
    key: record.key,
    headers: Object.fromEntries(record.headers.map(([name, text]) => [name, utf8Text(text)])),
    ...(await readValue({ topic, contentType, value }, openCodec)),
  };
}
