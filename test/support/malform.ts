import type { OutgoingRecord } from "../../shared/messages/broker.ts";
import type { Codec } from "../../shared/avro/codec.ts";
import type { Headers, MessageType } from "../../shared/messages/message.ts";
import { kafkaHeaders, messageContentType, writeEnvelope } from "../../shared/outbox/envelope.ts";
import { readSchemas, schemasFolder } from "../../shared/avro/files.ts";
import { maxMessageBytes, topics, type TopicName } from "../../shared/messages/topics.ts";

/** A record to send: `dead` can never be read, `either` may have stayed a record after all, `good` is one. */
export type Made = Readonly<{
  kind: string;
  fate: "good" | "dead" | "either";
  record: OutgoingRecord;
  /** What the broker is to give as the time of the record, where it is not its own. */
  timestamp: number | null;
}>;

type Sample = Readonly<{ topic: TopicName; type: MessageType; value: Buffer }>;
type Random = () => number;

/** Values of every record in the framing of `codec`, from the golden bytes another implementation wrote. */
export async function readSamples(codec: Codec): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (const { topic, type, current } of await readSchemas()) {
    const golden = Bun.file(`${schemasFolder}/${current.path.replace(".avsc", ".golden.json")}`);
    for (const { bytes } of (await golden.json()) as readonly { bytes: string }[])
      samples.push({ topic, type, value: framed(codec.schemaId(type), Buffer.from(bytes, "hex")) });
  }
  return samples;
}

/**
 * Makes records for the topics given, good ones and malformed ones of each kind, all of them repeatable by `random`.
 */
export function makeMalformer(
  of: Readonly<{ samples: readonly Sample[]; topics: readonly TopicName[]; random: Random }>,
) {
  const { samples, random } = of;
  const pick = <T>(from: readonly T[]): T => {
    const one = from[Math.floor(random() * from.length)];
    if (one === undefined) throw new Error("there is nothing to choose from");
    return one;
  };
  const upTo = (most: number) => Math.floor(random() * (most + 1));
  const bytes = (length: number) => Buffer.from(Array.from({ length }, () => upTo(255)));
  const own = samples.filter(({ topic }) => of.topics.includes(topic));
  const foreign = (topic: TopicName) => pick(samples.filter((sample) => sample.topic !== topic));
  let sent = 0;

  const recordOf = ({ topic, type, value }: Sample) => {
    const key = `key-${upTo(11)}`;
    const envelope = writeEnvelope({
      id: `0190a3b4-0000-7000-8000-${(++sent).toString(16).padStart(12, "0")}`,
      time: new Date(Date.now() - upTo(86_400_000)),
      source: topics[topic].writer,
      type,
      subject: key,
      contentType: messageContentType,
      correlationId: "fuzz",
      causationId: null,
      traceparent: null,
    });
    return { topic, timestamp: Date.now(), key, value, headers: kafkaHeaders(envelope, sent) };
  };

  type Base = ReturnType<typeof recordOf>;
  type Change = Readonly<{ fate: "dead" | "either"; make: (base: Base) => Partial<OutgoingRecord> }>;
  const dead = (make: Change["make"]): Change => ({ fate: "dead", make });
  const either = (make: Change["make"]): Change => ({ fate: "either", make });
  const value = (make: (body: Buffer) => Buffer) => (base: Base) => ({
    value: Buffer.concat([base.value.subarray(0, 5), make(base.value.subarray(5))]),
  });
  const header = (name: string, content: () => string | Buffer) => (base: Base) => ({
    headers: setHeader(base.headers, name, content()),
  });

  const changes: Readonly<Record<string, Change>> = {
    "cut in the framing": dead((base) => ({ value: base.value.subarray(0, upTo(4)) })),
    // A prefix of a record is none: reading it asks for the bytes cut off.
    "cut in the record": dead(value((body) => body.subarray(0, upTo(body.length - 1)))),
    "a bit flipped": either(value((body) => overwrite(body, upTo(body.length - 1), (byte) => byte ^ (1 << upTo(7))))),
    "bytes replaced": either(
      value((body) => {
        const at = upTo(body.length - 1);
        return Buffer.concat([body.subarray(0, at), bytes(1 + upTo(12)), body.subarray(at + upTo(12))]);
      }),
    ),
    "nothing but noise": either(value(() => bytes(upTo(200)))),
    "bytes left over": dead(value((body) => Buffer.concat([body, bytes(1 + upTo(300))]))),
    // As large as a topic takes.
    "the largest there is": dead((base) => ({
      value: Buffer.concat([base.value], random() < 0.05 ? maxMessageBytes : maxMessageBytes >> 6),
    })),
    "another magic byte": dead((base) => ({ value: overwrite(base.value, 0, () => 1 + upTo(254)) })),
    "a schema nobody has": dead((base) => ({ value: framed(2_000_000_000 + upTo(9), base.value.subarray(5)) })),
    "the record of another topic": dead((base) => {
      const other = foreign(base.topic);
      return { value: other.value, headers: setHeader(base.headers, "ce_type", other.type) };
    }),
    "another type than it says": dead(header("ce_type", () => pick(["", "Nothing", "taskchanged", "TaskCreated\0"]))),
    "a header missing": dead((base) => {
      const name = pick(needed);
      return { headers: base.headers.filter(([one]) => one !== name) };
    }),
    "a header empty": dead((base) => ({ headers: setHeader(base.headers, pick(needed), "") })),
    "no headers": dead(() => ({ headers: [] })),
    "a header of noise": dead((base) => ({ headers: setHeader(base.headers, pick(checked), bytes(1 + upTo(40))) })),
    "a time that is none": dead(header("ce_time", () => pick(["yesterday", "2026-13-01T00:00:00Z", "2026-01-01"]))),
    "a time at the edge": either(header("ce_time", () => pick(edges))),
    "a sequence that is none": dead(header("ce_sequence", () => pick(["-1", "1e3", "9".repeat(16), " 1", "0x1"]))),
    "more headers, of any bytes": either((base) => ({
      headers: [...base.headers, ...Array.from({ length: upTo(5) }, () => [pick(strangers), bytes(upTo(60))] as const)],
    })),
    "a header twice": dead((base) => ({ headers: [...base.headers, ["ce_id", Buffer.from("again")]] })),
    "no value": dead(() => ({ value: null })),
    "an empty value": dead(() => ({ value: Buffer.alloc(0) })),
    "no key": dead(() => ({ key: null })),
    "a strange key": either(() => ({ key: pick(["", "a\0b", "\u{1f4a5}", "x".repeat(9_000), noise(bytes(9_000))]) })),
    "a strange key and no record": dead(() => ({
      key: pick(["", "a\0b", "\0", noise(bytes(9_000))]),
      value: bytes(upTo(4)),
    })),
    // Every record begins with a UUID as text: its length is the first number read.
    "text of hostile length": dead(value((body) => Buffer.concat([pick(hostile), body.subarray(1)]))),
    "a hostile count": either(
      value((body) => {
        const at = upTo(body.length - 1);
        return Buffer.concat([body.subarray(0, at), pick(hostile), body.subarray(at + 1)]);
      }),
    ),
  };
  // The block counts of arrays and maps, where a record has any, at the very place.
  const counted = own.flatMap((sample) => countAt(sample));
  const crafted: Change = dead(() => {
    const { sample, at } = pick(counted);
    const evil = Buffer.concat([sample.value.subarray(0, at), pick(hostile), sample.value.subarray(at + 1)]);
    return { value: evil, topic: sample.topic, headers: recordOf(sample).headers };
  });
  const all = Object.entries(counted.length === 0 ? changes : { ...changes, "a hostile block count": crafted });

  return {
    kinds: all.map(([kind]) => kind),
    good: (): Made => ({ kind: "good", fate: "good", record: recordOf(pick(own)), timestamp: null }),
    /** The kinds come by turns. */
    malformed: (turn: number): Made => {
      const [kind, { fate, make }] = all[turn % all.length] ?? pick(all);
      const base = recordOf(pick(own));
      return { kind, fate, record: { ...base, ...make(base) }, timestamp: random() < 0.1 ? pick(stamps) : null };
    },
  };
}

const needed = "ce_specversion ce_id ce_source ce_type ce_time ce_subject ce_sequence ce_correlationid".split(" ");
/** Those that noise cannot satisfy. */
const checked = ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time"] as const;
const strangers = [
  "",
  "x",
  "x-group",
  "traceparent",
  "ce_causationid",
  "\u{fffd}",
  "x-original-offset",
  "content-type",
];
const edges = [
  "0000-01-01T00:00:00Z",
  "0000-12-31T23:59:59+23:59",
  "0001-01-01T00:00:00Z",
  "0001-01-01T00:00:00+23:59",
  "9999-12-31T23:59:59.999Z",
  "9999-12-31T23:59:59-23:59",
  "2026-02-30T00:00:00Z",
  "2026-01-01T24:00:00Z",
  "1969-12-31T23:59:59Z",
  "2026-01-01T00:00:00.123456789Z",
];
/** What a producer may have said the time is, in ms. */
const stamps = [-1, 0, -62_135_596_800_001, 253_402_300_800_000, 8.64e15 + 1, Number(2n ** 63n - 1n), -(2 ** 63)];
/** Zigzag numbers: 2^26, -2^27, the longest there is, -1, 2^62 and one that never ends. */
const hostile = ["8080808001", "ffffffff0f", "feffffffffffffffff01", "01", "80808080808080808001", "ff".repeat(12)].map(
  (hex) => Buffer.from(hex, "hex"),
);

/** Where the first block count of an array or map stands; golden samples have it where their text says so. */
function countAt(sample: Sample): readonly Readonly<{ sample: Sample; at: number }>[] {
  if (sample.type !== "TaskUpdated") return [];
  // Two UUIDs as text, each after its length, then the map.
  return [{ sample, at: 5 + 2 * 37 }];
}

function framed(id: number, body: Uint8Array): Buffer {
  const framing = Buffer.alloc(5);
  framing.writeUInt32BE(id, 1);
  return Buffer.concat([framing, body]);
}

function overwrite(bytes: Buffer, at: number, change: (byte: number) => number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = change(bytes[at] ?? 0);
  return changed;
}

function setHeader(headers: Headers, name: string, content: string | Buffer): Headers {
  return [...headers.filter(([one]) => one !== name), [name, Buffer.from(content)]];
}

function noise(bytes: Buffer): string {
  return bytes.toString("latin1").replaceAll("\0", "0");
}
