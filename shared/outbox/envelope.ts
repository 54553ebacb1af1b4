import { isUuid } from "../uuid.ts";
import { base64Bytes, base64Text, sameBytes, utf8Bytes, utf8Text } from "../bytes.ts";
import type { Envelope, Headers } from "../messages/message.ts";
import { Problem } from "../problem.ts";
import { traitsHeader } from "../tasks/task-traits.ts";
import { roleNames, type RoleName } from "../messages/topics.ts";

/** A record in Confluent framing: 0x00, the schema id in 4 bytes, Avro. */
export const messageContentType = "application/vnd.confluent.avro";

/** A header of an outbox row: its name and its text, or its bytes where they are no text. */
export type StoredHeader = readonly [name: string, value: string | Readonly<{ base64: string }>];

type OutgoingEnvelope = Omit<Envelope, "source"> &
  Readonly<{ source: string; type: string; subject: string; contentType: string; traits?: string | null }>;

/**
 * The headers of a message, CloudEvents 1.0 in Kafka's binary mode, without `ce_sequence`: it comes from the row's
 * version. What is null is left out.
 */
export function writeEnvelope(of: OutgoingEnvelope): readonly StoredHeader[] {
  const headers: (readonly [string, string | null])[] = [
    ["ce_specversion", "1.0"],
    ["ce_id", of.id],
    ["ce_source", of.source],
    ["ce_type", of.type],
    ["ce_time", of.time.toISOString()],
    ["ce_subject", of.subject],
    ["content-type", of.contentType],
    ["ce_correlationid", of.correlationId],
    ["ce_causationid", of.causationId],
    ["traceparent", of.traceparent],
    [traitsHeader, of.traits ?? null],
  ];
  return headers.filter((header): header is readonly [string, string] => header[1] !== null);
}

/** The Kafka headers of an outbox row: those stored, and `ce_sequence` where the row has one. */
export function kafkaHeaders(stored: readonly StoredHeader[], sequence: number | null): Headers {
  const all: readonly StoredHeader[] = sequence === null ? stored : [...stored, ["ce_sequence", String(sequence)]];
  return all.map(([name, value]) => [name, typeof value === "string" ? utf8Bytes(value) : base64Bytes(value.base64)]);
}

/**
 * Kafka headers as an outbox row keeps them; bytes that are no UTF-8, or hold a NUL, which jsonb refuses, stay bytes.
 */
export function storeHeaders(headers: Headers): readonly StoredHeader[] {
  return headers.map(([name, value]) => {
    const text = utf8Text(value);
    const keeps = !text.includes("\0") && sameBytes(utf8Bytes(text), value);
    return [name, keeps ? text : { base64: base64Text(value) }];
  });
}

/** An envelope as it arrives: everything but the fields of the record. */
export type ReadEnvelope = Envelope & Readonly<{ type: string; subject: string; sequence: number }>;

/**
 * Reads the headers of a record; of a name that repeats, the last counts. `type` may be one this build does not know.
 * Throws Problem UNDECODABLE naming the header that is missing or malformed.
 */
export function readEnvelope(headers: Headers): ReadEnvelope {
  const found = new Map(headers.map(([name, value]) => [name, utf8Text(value)]));
  const need = (name: string, fits: (value: string) => boolean): string => {
    const value = found.get(name);
    if (value === undefined) throw new Problem("UNDECODABLE", `the header ${name} is missing`);
    if (!fits(value)) throw new Problem("UNDECODABLE", `the header ${name} is malformed`);
    return value;
  };
  const text = (value: string) => value !== "";
  need("ce_specversion", (value) => value === "1.0");
  return {
    id: need("ce_id", isUuid).toLowerCase(),
    // The role is one of ours by the check before.
    source: need("ce_source", isRoleName) as RoleName,
    type: need("ce_type", text),
    time: new Date(need("ce_time", (value) => timestamp.test(value) && isKept(new Date(value)))),
    subject: need("ce_subject", text),
    sequence: Number(need("ce_sequence", (value) => /^\d{1,15}$/.test(value))),
    correlationId: need("ce_correlationid", text),
    causationId: found.get("ce_causationid") || null,
    traceparent: found.get("traceparent") || null,
  };
}

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Postgres has no year 0, and reads no year of five digits. */
function isKept(time: Date): boolean {
  return time.getUTCFullYear() >= 1 && time.getUTCFullYear() <= 9999;
}

function isRoleName(value: string): value is RoleName {
  return roleNames.some((name) => name === value);
}
