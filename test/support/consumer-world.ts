import type { Broker, OutgoingRecord, TopicPartition } from "../../shared/messages/broker.ts";
import { consume } from "../../shared/consume/consume.ts";
import type { ConsumeOptions } from "../../shared/consume/consume-options.ts";
import type { Flood } from "../../shared/consume/failure/flood-guard.ts";
import type { Handler } from "../../shared/consume/handler.ts";
import type { Timing } from "../../shared/consume/member/session.ts";
import { partitionName } from "../../shared/consume/member/partition-name.ts";
import type { Db } from "../../shared/postgres/db.ts";
import type { TopicName } from "../../shared/messages/topics.ts";
import { kafkaHeaders, messageContentType, writeEnvelope } from "../../shared/outbox/envelope.ts";
import { makeLog, type Log } from "../../shared/role/log.ts";
import type { TellOutage } from "../../shared/role/outages.ts";
import type { Metrics } from "../../shared/role/metrics.ts";
import { openBroker } from "../../shared/kafka/kafka-broker.ts";
import { openTestDb } from "./database.ts";
import { makeFakeBroker, type FakeBroker, type Misbehaviour } from "./fake-broker.ts";
import { frame, makeJsonCodec } from "./json-codec.ts";
import { stack } from "./stack.ts";
import { roleOf } from "./role-of.ts";

export const topic = "task-events";
export const group = "task-update-broadcaster";

/** A consumer under test: `stopped` settles as `consume` does. */
export type Consumer = Readonly<{
  stop: () => Promise<void>;
  stopped: Promise<void>;
  metrics: Metrics;
  ready: () => boolean;
  notes: () => readonly string[];
  lines: Record<string, unknown>[];
}>;

type Start = Readonly<{
  handle?: Handler;
  handleBatch?: Extract<ConsumeOptions, { handleBatch: unknown }>["handleBatch"];
  broker?: ConsumeOptions["broker"];
  db?: ConsumeOptions["db"];
  timing?: Partial<Timing>;
  handlerMs?: number;
  lanes?: number;
  concerns?: ConsumeOptions["concerns"];
  /** Short by default, so that what fails for good is a dead letter soon. */
  tiersMs?: readonly number[];
  /** Off by default. */
  flood?: Flood;
  tellOutage?: TellOutage;
}>;

/** A database of a test's own with a table `effects(id, key, n, member)`. */
export async function openConsumerDb(): Promise<Db> {
  const db = await openTestDb(30);
  await db.sql`create table effects (place serial, id uuid, key text, n int, member text)`;
  return db;
}

/**
 * Postgres for real; Kafka faked or real. Disposing stops what was started. With a `db` of `openConsumerDb` that is
 * emptied first and stays open: thirty new connections cost more than what most tests do on them.
 */
export async function consumerWorld(options: {
  kafka: "fake" | "real";
  partitions?: number;
  /** Of the group; `topic` alone by default. */
  topics?: readonly TopicName[];
  misbehaviour?: Partial<Misbehaviour>;
  db?: Db;
  /** Of the real one; those of all tests by default. */
  brokers?: string;
}) {
  const topics = options.topics ?? [topic];
  const db = options.db ?? (await openConsumerDb());
  if (options.db) await emptyConsumerTables(db);
  const fake = options.kafka === "fake" ? makeFakeBroker(options.misbehaviour) : null;
  /** Before every topic and group on the real broker. */
  const prefix = `consume-${crypto.randomUUID().slice(0, 8)}.`;
  const broker: Broker = fake ?? (await realBroker(prefix, options.brokers ?? stack().kafkaBrokers));
  for (const name of [...topics, `${group}-dlq`])
    await broker.admin.createTopic({
      name,
      partitions: options.partitions ?? 3,
      configs: { "retention.ms": "604800000" },
    });
  const producer = await broker.producer();
  let registryDown = false;
  let unreadable: (key: string, n: number, topic: string) => Error | undefined = () => undefined;
  const readable = makeJsonCodec({ registryDown: () => registryDown });
  const codec: ConsumeOptions["codec"] = {
    ...readable,
    decode: async (name, value) => {
      const read = await readable.decode(name, value);
      const failure = "unknown" in read ? undefined : unreadable(...nameOf(read.data), name);
      if (failure !== undefined) throw failure;
      return read;
    },
  };
  const started: Consumer[] = [];

  const start = (of: Start): Consumer => {
    const stop = new AbortController();
    const lines: Record<string, unknown>[] = [];
    const log: Log = makeLog({}, "debug", (line) => void lines.push(JSON.parse(line)));
    const checks = new Map<string, () => boolean>();
    const notes: (() => string | null)[] = [];
    const role = roleOf({
      name: "task-update-broadcaster",
      signal: stop.signal,
      log,
      readyWhen: (name, check) => void checks.set(name, check),
      ...(of.tellOutage ? { tellOutage: of.tellOutage } : {}),
      note: (_, text) => void notes.push(text),
    });
    const common = { broker: of.broker ?? broker, db: of.db ?? db, codec, topics, group } as const;
    const more = {
      tiersMs: of.tiersMs ?? [20, 40],
      flood: of.flood ?? { window: 0 },
      ...(of.timing ? { timing: of.timing } : {}),
      ...(of.lanes ? { lanes: of.lanes } : {}),
      ...(of.concerns ? { concerns: of.concerns } : {}),
      ...(of.handlerMs ? { handlerMs: of.handlerMs } : {}),
    };
    const stopped = consume(
      of.handleBatch
        ? { ...common, ...more, handleBatch: of.handleBatch }
        : { ...common, ...more, handle: of.handle ?? record() },
      role,
    );
    stopped.catch(() => {});
    const consumer: Consumer = {
      stop: async () => {
        stop.abort();
        await stopped;
      },
      stopped,
      metrics: role.metrics,
      ready: () => [...checks.values()].every((check) => check()),
      notes: () => notes.flatMap((text) => text() ?? []),
      lines,
    };
    started.push(consumer);
    return consumer;
  };

  return {
    db,
    broker,
    fake,
    prefix,
    start,
    /** Makes records unreadable, by the key, number and topic they were sent with: what reading them throws. */
    setUnreadable: (failureOf: typeof unreadable) => {
      unreadable = failureOf;
    },
    setRegistryDown: (down: boolean) => {
      registryDown = down;
    },
    /** Sends TaskDeleted events: `n` counts per key from 1. Returns the ids. */
    send: async (keys: readonly string[], from: number = 1, more: Sent = {}): Promise<readonly string[]> => {
      const counts = new Map<string, number>();
      const records = keys.map((key) => {
        const n = (counts.get(key) ?? from - 1) + 1;
        counts.set(key, n);
        return event(key, n, more);
      });
      await producer.send(records);
      return records.map(({ headers }) =>
        Buffer.from(headers.find(([name]) => name === "ce_id")?.[1] ?? []).toString(),
      );
    },
    sendRaw: (records: readonly OutgoingRecord[]) => producer.send(records),
    effects: () => db.sql<Effect[]>`select id, key, n, member from effects order by place`,
    deadLetters: () => db.sql<DeadRow[]>`
      select key, value, headers, message_id, type, subject from outbox where topic = ${`${group}-dlq`} order by id`,
    fates: () => db.sql<{ message_id: string; fate: string }[]>`select message_id, fate from inbox`,
    /** The messages of all queues, in order. */
    parked: () => db.sql<{ key: string; message_id: string; attempts: number; next_at: Date; class: string }[]>`
      select message.key, message_id, attempts, next_at, class
      from parked_messages as message join parked_keys using (epoch, topic, key) order by id`,
    /** Whether every record of the topics is committed by the group, but for those of partitions that are `excused`. */
    caughtUp: async (excused: (at: TopicPartition) => boolean = () => false) => {
      const commits = await broker.admin.committed(group);
      const committed = new Map(commits.map((at) => [partitionName(at), at.offset]));
      for (const name of topics)
        for (const [partition, end] of await broker.admin.offsets(name, "end")) {
          const at = { topic: name, partition };
          if (end !== 0n && committed.get(partitionName(at)) !== end && !excused(at)) return false;
        }
      return true;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.allSettled(started.map((consumer) => consumer.stop()));
      await producer[Symbol.asyncDispose]();
      if (fake === null) {
        await broker.admin.deleteGroup(group).catch(() => {});
        for (const { name } of await broker.admin.topics()) await broker.admin.deleteTopic(name);
      }
      await broker[Symbol.asyncDispose]();
      if (!options.db) await db[Symbol.asyncDispose]();
    },
  };
}
export type ConsumerWorld = Awaited<ReturnType<typeof consumerWorld>>;
type Effect = Readonly<{ id: string; key: string; n: number; member: string }>;
type DeadRow = Readonly<{
  key: string;
  value: Buffer;
  headers: [string, string | { base64: string }][];
  message_id: string;
  type: string;
  subject: string;
}>;

/** The key and number that `event` has put into a record. */
function nameOf(data: unknown): [key: string, n: number] {
  const { id, deleted_at: n } = Object(data);
  return [String(id), new Date(n).getTime()];
}

async function emptyConsumerTables({ transaction }: Db): Promise<void> {
  const tables = [
    "effects",
    "inbox",
    "parked_messages",
    "parked_keys",
    "dead_letters",
    "outbox",
    "consumer_controls",
    "consumer_positions",
    "consumer_groups",
  ];
  await transaction(async (tx) => {
    for (const table of tables) await tx`delete from ${tx(table)}`;
  });
}

/** A handler that writes one effect per message and publishes nothing. */
export function record(member = "one"): Handler {
  return async (message, { tx }) => {
    await write(tx, message, member);
    return [];
  };
}

export async function write(
  tx: Parameters<Handler>[1]["tx"],
  message: Parameters<Handler>[0],
  member = "one",
): Promise<void> {
  await tx`insert into effects (id, key, n, member) values (${message.id}, ${message.key}, ${message.sequence}, ${member})`;
}

/** What may be said of a message besides its key and number. `time`: now by default. */
type Sent = Readonly<{ topic?: TopicName; time?: Date; value?: Uint8Array }>;

export function event(key: string, n: number, of: Sent = {}): OutgoingRecord {
  const data = { id: key, user_id: key, deleted_at: new Date(n) };
  const envelope = writeEnvelope({
    id: Bun.randomUUIDv7(),
    time: of.time ?? new Date(),
    source: "task-service",
    type: "TaskDeleted",
    subject: key,
    contentType: messageContentType,
    correlationId: "test",
    causationId: null,
    traceparent: null,
  });
  return {
    topic: of.topic ?? topic,
    timestamp: Date.now(),
    key,
    value: of.value ?? frame(1, JSON.stringify({ type: "TaskDeleted", data })),
    headers: kafkaHeaders(envelope, n),
  };
}

/** The databases and pools stay as they are; only the path to them breaks, as when Postgres restarts. */
export function breakable(db: Db) {
  let broken = false;
  const refuse = () => Promise.reject(Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }));
  const sql = new Proxy(db.sql, {
    apply: (target, self, args) => (broken ? refuse() : Reflect.apply(target, self, args)),
  });
  const transaction: Db["transaction"] = (work, options) => (broken ? refuse() : db.transaction(work, options));
  return {
    db: { sql, transaction, notifier: db.notifier },
    setBroken: (now: boolean) => {
      broken = now;
    },
  };
}

function realBroker(prefix: string, brokers: string): Promise<Broker> {
  return openBroker(
    {
      brokers: brokers.split(","),
      prefix,
      tls: false,
      tlsCaFile: null,
      tlsCertFile: null,
      tlsKeyFile: null,
      saslMechanism: null,
      saslUsername: null,
      saslPassword: null,
    },
    { clientId: "consume-contract", log: makeLog({}, "error") },
  );
}
export type { FakeBroker };
