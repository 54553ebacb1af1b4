import type { Db } from "./db.ts";
import type { Log } from "./log.ts";
import type { MessageType } from "./message.ts";
import { Problem } from "./problem.ts";
import type { Records } from "./records.ts";
import type { RegistryClient } from "./registry.ts";
import { cacheSchemas, readCachedSchema } from "./schema-cache.ts";
import { compileDecoder, type Decode } from "./schema-decode.ts";
import { compileEncoder } from "./schema-encode.ts";
import { readSchemas } from "./schema-files.ts";
import { fingerprintOf, resolveSchemaIds } from "./schema-ids.ts";
import { fullName, type AvroRecord } from "./schema-json.ts";
import { parseSchema } from "./schema-parse.ts";
import { slabBytes, type Misfit, type Sink } from "./schema-sink.ts";
import { openSource } from "./schema-source.ts";
import { maxMessageBytes, type TopicName } from "./topics.ts";

/** A record of any type, told apart by `type`. */
export type Decoded = { [T in MessageType]: Readonly<{ type: T; data: Records[T] }> }[MessageType];

/** The one place where bytes become records and records become bytes. */
export type Codec = Readonly<{
  /**
   * A record in Confluent framing: 0x00, the schema id in 4 bytes, Avro. Throws Problem UNENCODABLE naming the field (a JSON
   * pointer) that does not fit: missing, undeclared, of another type, ill-formed text, or larger than a topic takes.
   */
  encode: <T extends MessageType>(type: T, data: Records[T]) => Uint8Array;
  /** The id `encode` writes. */
  schemaId: (type: MessageType) => number;
  /**
   * Reads a value of `topic` as this build's newest version of its record. `unknown` names a record this build does not know.
   * Throws Problem UNDECODABLE for bytes that will never be readable, Problem UNAVAILABLE when the schema must be asked for
   * and the registry is unreachable, and an Error with code SCHEMA_INCOMPATIBLE when this build cannot read that
   * writer at all: a mistake of deployment, not of the record.
   */
  decode: (topic: TopicName, value: Uint8Array | null) => Promise<Decoded | Readonly<{ unknown: string }>>;
}>;

export const incompatibleCode = "SCHEMA_INCOMPATIBLE";

type Reader = Readonly<{ unknown: string } | { topic: TopicName; type: MessageType; id: number; decode: Decode }>;

/** Resolves the ids of all records at once; see `resolveSchemaIds` for when it refuses. Without `db` nothing is cached. */
export async function openCodec(
  options: Readonly<{ registry: RegistryClient; db?: Pick<Db, "sql">; log: Log; schemasFolder?: string }>,
): Promise<Codec> {
  const { registry, log } = options;
  const sql = options.db?.sql ?? null;
  const histories = await readSchemas(options.schemasFolder);
  const { ids, known } = await resolveSchemaIds(histories, { registry, sql, log });
  const ours = new Map(
    histories.map(({ topic, type, current }) => [
      fullName(current.schema),
      { topic, type, node: parseSchema(current.schema) },
    ]),
  );

  const makeReader = (id: number, text: string): Reader => {
    const schema = JSON.parse(text) as AvroRecord;
    const name = fullName(schema);
    const own = ours.get(name);
    if (own === undefined) return { unknown: name };
    const mistakes: string[] = [];
    const decode = compileDecoder(parseSchema(schema), own.node, mistakes);
    if (mistakes.length === 0) return { topic: own.topic, type: own.type, id, decode };
    const message = `this build cannot read ${name} as schema ${id} writes it: ${mistakes.join("; ")}`;
    throw Object.assign(new Error(message), { code: incompatibleCode });
  };

  const fetchReader = async (id: number): Promise<Reader> => {
    const cached = sql === null ? null : await readCachedSchema(sql, id);
    const schema = cached?.schema ?? (await registry.schemaById(id));
    if (schema === null) throw new Problem("UNDECODABLE", `there is no schema ${id}`);
    const reader = makeReader(id, schema);
    if (sql !== null && cached === null)
      await cacheSchemas(sql, [{ id, subject: null, fingerprint: fingerprintOf(schema), schema }]);
    return reader;
  };

  const readers = new Map<number, Reader>();
  const asked = new Map<number, Promise<Reader>>();
  const texts = new Map(known.map(({ id, schema }) => [id, schema]));
  const readerOf = async (id: number): Promise<Reader> => {
    const text = texts.get(id);
    const asking = text === undefined ? (asked.get(id) ?? fetchReader(id)) : makeReader(id, text);
    if (asking instanceof Promise) asked.set(id, asking);
    try {
      const reader = await asking;
      readers.set(id, reader);
      return reader;
    } finally {
      asked.delete(id);
    }
  };

  const writers = new Map(
    [...ours.values()].map(({ type, node }) => {
      const id = ids.get(type) ?? 0;
      const framing = Buffer.from([0, 0, 0, 0, 0]);
      framing.writeUInt32BE(id, 1);
      return [type, { id, framing, encode: compileEncoder(node) }];
    }),
  );
  const writerOf = (type: MessageType) => {
    const writer = writers.get(type);
    if (writer === undefined) throw new Problem("UNENCODABLE", `there is no record ${String(type)}`);
    return writer;
  };
  const sink: Sink = { bytes: Buffer.allocUnsafeSlow(slabBytes), start: 0, at: 0 };

  return {
    schemaId: (type) => writerOf(type).id,
    encode: (type, data) => {
      const { framing, encode } = writerOf(type);
      sink.start = sink.at;
      try {
        appendBytes(framing, sink);
        encode(data, sink);
        const size = sink.at - sink.start;
        if (size > maxMessageBytes)
          throw Object.assign(new Error(`is ${size} bytes, more than ${maxMessageBytes}`), { path: "" });
      } catch (error) {
        sink.at = sink.start;
        throw unencodable(type, error);
      }
      return sink.bytes.subarray(sink.start, sink.at);
    },
    decode: async (topic, value) => {
      if (value === null) throw new Problem("UNDECODABLE", "the record has no value");
      if (value.length > maxMessageBytes) throw new Problem("UNDECODABLE", `the value is ${value.length} bytes`);
      if (value.length < 5 || value[0] !== 0) throw new Problem("UNDECODABLE", "the value has no schema id");
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      const id = bytes.readUInt32BE(1);
      const reader = readers.get(id) ?? (await readerOf(id));
      if ("unknown" in reader) return reader;
      if (reader.topic !== topic) throw new Problem("UNDECODABLE", `a ${reader.type} has no place in ${topic}`);
      return { type: reader.type, data: decodeWith(reader, bytes) } as Decoded;
    },
  };
}

/** `data` is of the reader's type because the decoder was compiled for it. */
function decodeWith(reader: Extract<Reader, { decode: Decode }>, bytes: Buffer): unknown {
  const source = openSource(bytes, 5);
  try {
    const data = reader.decode(source);
    if (source.at !== source.end) throw new Error(`${source.end - source.at} bytes are left over`);
    return data;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Problem("UNDECODABLE", `${reader.type}, schema ${reader.id}, byte ${source.at}: ${why}`, {
      cause: error,
    });
  }
}

function appendBytes(bytes: Buffer, sink: Sink): void {
  if (sink.at + bytes.length > sink.bytes.length) {
    sink.bytes = Buffer.allocUnsafeSlow(slabBytes);
    sink.start = sink.at = 0;
  }
  sink.bytes.set(bytes, sink.at);
  sink.at += bytes.length;
}

function unencodable(type: MessageType, error: unknown): unknown {
  if (!isMisfit(error)) return error;
  return new Problem("UNENCODABLE", `${type}${error.path} ${error.message}`, {
    mistakes: [{ path: error.path, message: error.message }],
    cause: error,
  });
}

function isMisfit(error: unknown): error is Misfit {
  return error instanceof Error && "path" in error && typeof error.path === "string";
}
