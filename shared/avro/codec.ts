import { cacheSchemas, readCachedSchema } from "./cache.ts";
import { readMistakes } from "./compatibility.ts";
import { readSchemas } from "./files.ts";
import { textFingerprint } from "./fingerprint.ts";
import { resolveSchemaIds } from "./ids.ts";
import { fullName, type AvroRecord } from "./json.ts";
import { openSlab, recordEncoder } from "./record-encoder.ts";
import { recordDecoder, recordType, type RecordType } from "./record-type.ts";
import { classify } from "../consume/failure/classify.ts";
import type { Db } from "../postgres/db.ts";
import type { Log } from "../role/log.ts";
import type { MessageType } from "../messages/message.ts";
import { Problem } from "../problem.ts";
import type { Records } from "../messages/records.ts";
import type { RegistryClient } from "./registry.ts";
import { maxMessageBytes, type TopicName } from "../messages/topics.ts";
import { backoff, sleep } from "../waiting/wait.ts";

/** A record of any type, told apart by `type`. */
type DecodedRecord = { [T in MessageType]: Readonly<{ type: T; data: Records[T] }> }[MessageType];

/** The one place where bytes become records and records become bytes. */
export type Codec = Readonly<{
  /**
   * A record in Confluent framing: 0x00, the schema id in 4 bytes, Avro. Throws Problem UNENCODABLE naming the field (a
   * JSON pointer) that does not fit: missing, undeclared, of another type, ill-formed text, or larger than a topic
   * takes.
   */
  encode: <T extends MessageType>(type: T, data: Records[T]) => Uint8Array;
  /** The id `encode` writes. */
  schemaId: (type: MessageType) => number;
  /**
   * Reads a value of `topic` as this build's newest version of its record. `unknown` names a record this build does not
   * know. Throws Problem UNDECODABLE for bytes that will never be readable, Problem UNAVAILABLE when the schema must be
   * asked for and the registry is unreachable or has lost its schemas, and an Error with code SCHEMA_INCOMPATIBLE when
   * this build cannot read that writer at all: a mistake of deployment, not of the record.
   */
  decode: (topic: TopicName, value: Uint8Array | null) => Promise<DecodedRecord | Readonly<{ unknown: string }>>;
}>;

const incompatibleCode = "SCHEMA_INCOMPATIBLE";

type Decode = ReturnType<typeof recordDecoder>;
type SchemaReader = Readonly<{ unknown: string } | { topic: TopicName; type: MessageType; id: number; decode: Decode }>;

type OpenCodec = Readonly<{
  registry: RegistryClient;
  db?: Pick<Db, "sql">;
  log: Log;
  schemasFolder?: string;
  /**
   * A registry that cannot be reached is waited for until it is aborted, which rejects with its reason; without one
   * that is an error at once.
   */
  signal?: AbortSignal;
}>;

/**
 * Resolves the ids of all records at once; see `resolveSchemaIds` for when it refuses. Without `db` nothing is cached.
 */
export async function openCodec(options: OpenCodec): Promise<Codec> {
  const { registry, log } = options;
  const sql = options.db?.sql ?? null;
  const histories = await readSchemas(options.schemasFolder);
  const { ids, known } = await patiently(options, () =>
    resolveSchemaIds(histories, { registry, sql, log, signal: options.signal }),
  );
  const ours = new Map(
    histories.map(({ topic, type, current }) => [
      fullName(current.schema),
      { topic, type, schema: current.schema, reads: recordType(current.schema) },
    ]),
  );

  const makeReader = (id: number, text: string): SchemaReader => {
    const schema = readRecordSchema(text);
    if (schema === null) throw new Problem("UNDECODABLE", `schema ${id} is not that of a record`);
    const name = fullName(schema);
    const own = ours.get(name);
    if (own === undefined) return { unknown: name };
    try {
      return { topic: own.topic, type: own.type, id, decode: recordDecoder(recordType(schema), own.reads) };
    } catch (cause) {
      const why = whyUnreadable(schema, own.reads) ?? String(cause);
      throw Object.assign(new Error(`this build cannot read ${name} as schema ${id} writes it: ${why}`, { cause }), {
        code: incompatibleCode,
      });
    }
  };

  const fetchReader = async (id: number): Promise<SchemaReader> => {
    const { schema, isCached } = await findSchema(id);
    if (schema === null) throw new Problem("UNDECODABLE", `there is no schema ${id}`);
    const reader = makeReader(id, schema);
    if (sql !== null && !isCached)
      await cacheSchemas(sql, [{ id, subject: null, fingerprint: textFingerprint(schema), schema }]).catch(
        // What was read needs no cache: a Postgres that takes no writes must not keep the record from its handler.
        (error: unknown) => log.warn("schema_not_cached", { id, error }),
      );
    return reader;
  };
  /**
   * One that was emptied, or is another's, knows nothing of what it told us at the start: what it denies then may well
   * have been written.
   */
  const isEmptied = async (): Promise<boolean> => {
    const [own] = ids.values();
    return own !== undefined && (await registry.schemaById(own)) === null;
  };
  /** A failure here says nothing about the record: whatever it is, the schema cannot be had now. */
  const findSchema = async (id: number): Promise<Readonly<{ schema: string | null; isCached: boolean }>> => {
    try {
      const cached = sql === null ? null : await readCachedSchema(sql, id);
      if (cached !== null) return { schema: cached.schema, isCached: true };
      const schema = await registry.schemaById(id);
      if (schema === null && (await isEmptied())) throw new Error("the registry does not know the ids it has given");
      return { schema, isCached: false };
    } catch (cause) {
      throw new Problem("UNAVAILABLE", `schema ${id} cannot be had now`, { cause });
    }
  };

  const readers = new Map<number, SchemaReader>();
  const asked = new Map<number, Promise<SchemaReader>>();
  const texts = new Map(known.map(({ id, schema }) => [id, schema]));
  const readerOf = async (id: number): Promise<SchemaReader> => {
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

  const slab = openSlab();
  const writers = new Map(
    [...ours.values()].map(({ type, schema }) => {
      const id = ids.get(type) ?? 0;
      const framing = Buffer.from([0, 0, 0, 0, 0]);
      framing.writeUInt32BE(id, 1);
      return [type, { id, encode: recordEncoder(schema, { framing, maxBytes: maxMessageBytes, slab }) }];
    }),
  );
  const writerOf = (type: MessageType) => {
    const writer = writers.get(type);
    if (writer === undefined) throw new Problem("UNENCODABLE", `there is no record ${String(type)}`);
    return writer;
  };

  return {
    schemaId: (type) => writerOf(type).id,
    encode: (type, data) => {
      const written = writerOf(type).encode(data);
      if ("bytes" in written) return written.bytes;
      const { path, message } = written.misfit;
      throw new Problem("UNENCODABLE", `${type}${path} ${message}`, { mistakes: [{ path, message }] });
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
      return { type: reader.type, data: decodeWith(reader, bytes) } as DecodedRecord;
    },
  };
}

/** What it returns is of the reader's type because the decoder was made for it. */
function decodeWith(reader: Extract<SchemaReader, { decode: Decode }>, bytes: Buffer): unknown {
  try {
    return reader.decode(bytes, 5);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Problem("UNDECODABLE", `${reader.type}, schema ${reader.id}: ${why}`, { cause });
  }
}

/** Null where the text is no schema of something with a name. */
function readRecordSchema(text: string): AvroRecord | null {
  try {
    const schema = JSON.parse(text) as AvroRecord | null;
    return typeof schema?.name === "string" ? schema : null;
  } catch {
    return null;
  }
}

/** Null where the schema is no type at all. */
function whyUnreadable(schema: AvroRecord, reader: RecordType): string | null {
  try {
    return readMistakes(recordType(schema), reader, "").join("; ") || null;
  } catch {
    return null;
  }
}

/**
 * A role that starts before its registry, or the database with the cache, is there waits, not ready, as it does for it
 * later.
 */
async function patiently<T>({ signal, log }: OpenCodec, resolve: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++)
    try {
      return await resolve();
    } catch (error) {
      if (classify(error) !== "dependency_down" || signal === undefined) throw error;
      if (tries % 30 === 0) log.warn("waiting_for_registry", { error });
      await sleep(500 + backoff(tries, { baseMs: 500, maxMs: 4_000 }), signal);
      signal.throwIfAborted();
    }
}
