import type { FetchedRecord } from "../../messages/broker.ts";
import { base64Text, utf8Bytes, utf8Text } from "../../bytes.ts";
import { deriveId } from "../../messages/derive-id.ts";
import { readEnvelope, storeHeaders } from "../../outbox/envelope.ts";
import type { Headers } from "../../messages/message.ts";
import { shardOf, type OutboxRow } from "../../outbox/outbox.ts";
import { serviceVersion } from "../../role/service-version.ts";
import { deadLetterTopic, type GroupName } from "../../messages/topics.ts";
import type { FailureClass } from "../failure/classify.ts";
import { fingerprint } from "../failure/fingerprint.ts";
import type { InboxEntry } from "../inbox.ts";

/** One try at a message that did not work out. */
export type Attempt = Readonly<{ at: Date; class: FailureClass; error: string }>;

export type DeadLetter = Readonly<{
  record: FetchedRecord;
  group: GroupName;
  class: FailureClass;
  error: unknown;
  attempts: readonly Attempt[];
  /** Where the error itself is not at hand any more; otherwise made of it. */
  fingerprint?: string;
  now: Date;
}>;

/** What is told of a failure: message of 1 KB and stack of 4 KB at most, in text Postgres can keep. */
export function describeFailure({
  class: failure,
  error,
  fingerprint: known,
}: Pick<DeadLetter, "class" | "error" | "fingerprint">) {
  return {
    class: failure,
    message: cut(storable(error instanceof Error ? error.message : String(error)), maxMessageBytes),
    stack: cut(storable(stackOf(error)), maxStackBytes),
    fingerprint: known ?? fingerprint(failure, error),
  };
}

const maxStackBytes = 4096;
const maxMessageBytes = 1024;
const maxAttempts = 20;

/**
 * The outbox row that puts a record into `<group>-dlq`: key, value and headers as they came, followed by headers about
 * the failure. `x-original-key` (base64) is there if Postgres or UTF-8 cannot keep the key, `x-original-null` if key or
 * value was missing and is empty here. If the record already had headers of these names (it was dead before), they
 * stay; the last of a name counts.
 */
export function deadLetterRow(dead: DeadLetter): OutboxRow {
  const { record, group, now } = dead;
  const failure = describeFailure(dead);
  const { id, time } = inboxEntryOf(record);
  const key = storable(record.key ?? "");
  const headers: Headers = [...record.headers, ...story(dead)].map(([name, value]) => [storable(name), value]);
  return {
    shard: shardOf(key),
    line: 0,
    topic: deadLetterTopic(group),
    key,
    messageId: deriveId("dead letter", group, id),
    type: headerOf(record, "ce_type") ?? "unknown",
    subject: headerOf(record, "ce_subject") ?? "unknown",
    // The record's own ce_sequence stands among its headers.
    sequence: null,
    time: Number.isNaN(time.getTime()) ? now : time,
    value: record.value ?? new Uint8Array(),
    headers: JSON.stringify(storeHeaders(headers)),
  };
  function story(of: DeadLetter): Headers {
    const missing = (["key", "value"] as const).filter((part) => record[part] === null);
    const text: readonly (readonly [string, string])[] = [
      ["x-original-topic", record.topic],
      ["x-original-partition", String(record.partition)],
      ["x-original-offset", String(record.offset)],
      ["x-original-timestamp", new Date(record.timestamp).toISOString()],
      ["x-group", group],
      ["x-error-class", failure.class],
      ["x-error-message", failure.message],
      ["x-error-stack", failure.stack],
      ["x-error-fingerprint", failure.fingerprint],
      ["x-attempts", JSON.stringify(of.attempts.slice(-maxAttempts))],
      ["x-failed-at", now.toISOString()],
      ["x-service-version", serviceVersion()],
      ["x-schema-id", String(schemaIdOf(record.value) ?? "none")],
      ...(record.key === null || (record.key === key && record.keyBytes === undefined)
        ? []
        : [["x-original-key", base64Text(record.keyBytes ?? utf8Bytes(record.key))] as const]),
      ...(missing.length === 0 ? [] : [["x-original-null", missing.join()] as const]),
    ];
    return text.map(([name, value]) => [name, utf8Bytes(value)]);
  }
}

/**
 * Under which id and time the inbox knows a record. One whose envelope cannot be read is known by its place in the log,
 * so that delivering it again does not dead-letter it again.
 */
export function inboxEntryOf(record: Omit<FetchedRecord, "key" | "generation">): InboxEntry {
  try {
    const { id, time } = readEnvelope(record.headers);
    return { id, time };
  } catch {
    return {
      id: deriveId("record", record.topic, String(record.partition), String(record.offset)),
      time: new Date(record.timestamp),
    };
  }
}

/** The id in the Confluent framing, or `null` when there is no such framing. */
export function schemaIdOf(value: Uint8Array | null): number | null {
  if (value === null || value.length < 5 || value[0] !== 0) return null;
  return new DataView(value.buffer, value.byteOffset).getUint32(1);
}

/** The last header of that name as text, `null` where there is none. */
export function headerOf(record: FetchedRecord, name: string): string | null {
  const found = record.headers.findLast(([header]) => header === name)?.[1];
  return found === undefined ? null : storable(utf8Text(found)) || null;
}

/** Postgres keeps no NUL in text. */
export function storable(text: string): string {
  return text.replaceAll("\0", "\u{fffd}").toWellFormed();
}

/** The stack with those of its causes below. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const below = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : "";
  return `${error.stack ?? `${error.name}: ${error.message}`}${below}`;
}

function cut(text: string, maxBytes: number): string {
  const bytes = utf8Bytes(text);
  if (bytes.length <= maxBytes) return text.toWellFormed();
  // A character cut in half at the end is left out.
  return new TextDecoder().decode(bytes.subarray(0, maxBytes), { stream: true });
}
