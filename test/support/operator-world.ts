import { openCodec } from "../../shared/avro/codec.ts";
import { readConfig } from "../../shared/role/config.ts";
import { deriveId } from "../../shared/messages/derive-id.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { makeLog } from "../../shared/role/log.ts";
import { kafkaHeaders, messageContentType, storeHeaders, writeEnvelope } from "../../shared/outbox/envelope.ts";
import { openDb } from "../../shared/postgres/db.ts";
import type { TaskUpdated } from "../../shared/messages/records.ts";
import { openRegistry } from "../../shared/avro/registry.ts";
import type { GroupName } from "../../shared/messages/topics.ts";
import { runOps } from "../../workers/operator/ops.ts";
import { freshDatabase } from "./database.ts";
import { stack } from "./stack.ts";

type Died = Readonly<{
  group?: GroupName;
  key?: string;
  offset?: number;
  error?: string;
  class?: string;
  fingerprint?: string;
  value?: Uint8Array;
  updated?: TaskUpdated["updated_fields"];
}>;

/**
 * A migrated database, topics and schemas of its own, the command line, and a way to make groups give up on messages.
 */
export async function operatorWorld() {
  const database = await freshDatabase();
  const urls = stack();
  const env = {
    DATABASE_URL: database.url,
    KAFKA_BROKERS: urls.kafkaBrokers,
    SCHEMA_REGISTRY_URL: urls.schemaRegistryUrl,
    KAFKA_PREFIX: `opw-${crypto.randomUUID().slice(0, 8)}.`,
    USER: "ada",
  };
  const log = makeLog({}, "error", () => {});
  const db = await openDb(
    { url: database.url, directUrl: null, statementMs: 10_000 },
    { role: "test", poolSize: 4, log },
  );
  const broker = await openBroker(readConfig(kafkaSettings, env), { clientId: "operator-test", log });
  const ops = async (...args: readonly string[]) => {
    const out: string[] = [];
    const err: string[] = [];
    const terminal = { env, print: (text: string) => void out.push(text), log, now: () => new Date() };
    const code = await runOps(args, terminal, (text) => void err.push(text));
    return { code, out: out.join("\n"), err: err.join("\n") };
  };
  const json = async <T>(...args: readonly string[]): Promise<T> => {
    const { code, out, err } = await ops(...args, "--json");
    if (code !== 0) throw new Error(`ops ${args.join(" ")} ended with ${code}: ${err}`);
    // The test names the shape it looks at.
    return JSON.parse(out) as T;
  };
  for (const args of [
    ["topics", "apply"],
    ["schemas", "apply"],
  ]) {
    const { code, err } = await ops(...args);
    if (code !== 0) throw new Error(`ops ${args.join(" ")} ended with ${code}: ${err}`);
  }
  const registry = openRegistry({ url: urls.schemaRegistryUrl, user: null, password: null, timeoutMs: 5000 });
  const codec = await openCodec({ registry, db, log });
  const openGroup = async (group: GroupName): Promise<number> => {
    await db.sql`insert into consumer_groups (name) values (${group}) on conflict do nothing`;
    const [row] = await db.sql<{ epoch: number }[]>`select epoch from consumer_groups where name = ${group}`;
    return row?.epoch ?? 0;
  };
  let offsets = 0;
  const headersOf = (of: Readonly<{ id: string; time: Date; subject: string; sequence: number }>) => {
    const envelope = { source: "task-service", type: "TaskUpdated", contentType: messageContentType };
    const { id, time, subject } = of;
    const chain = { correlationId: "c", causationId: null, traceparent: null };
    return storeHeaders(kafkaHeaders(writeEnvelope({ id, time, subject, ...envelope, ...chain }), of.sequence));
  };

  /**
   * As the kernel leaves a TaskUpdated a group gave up on: in the index and in the inbox. Resolves with the dead
   * letter's id.
   */
  const die = async (died: Died = {}) => {
    const { group = "task-update-broadcaster", key = crypto.randomUUID(), offset = ++offsets } = died;
    const epoch = await openGroup(group);
    const messageId = crypto.randomUUID();
    const userId = crypto.randomUUID();
    const time = new Date(1_790_000_000_000 + offset);
    const data = {
      id: deriveId("task", key),
      user_id: userId,
      updated_fields: died.updated ?? { title: "Milk" },
      timestamp: time,
    };
    const value = died.value ?? codec.encode("TaskUpdated", data);
    const headers = headersOf({ id: messageId, time, subject: key, sequence: offset });
    const id = deriveId("dead letter", group, messageId);
    await db.sql`insert into inbox (epoch, message_id, time, fate) values (${epoch}, ${messageId}, ${time}, 'dead')`;
    await db.sql`
      insert into dead_letters (id, group_name, epoch, topic, key, partition, "offset", message_id, time, timestamp_ms, value,
        headers, type, user_id, class, error, stack, fingerprint, attempts, state)
      values (${id}, ${group}, ${epoch}, 'task-events', ${key}, 0, ${offset}, ${messageId}, ${time}, ${time.getTime()},
        ${Buffer.from(value)}, ${JSON.stringify(headers)}::jsonb, 'TaskUpdated', ${userId}, ${died.class ?? "permanent"},
        ${died.error ?? "the widget is broken"}, 'at widget', ${died.fingerprint ?? "f00d"},
        ${JSON.stringify([{ at: time, class: "permanent", error: "the widget is broken" }])}::jsonb, 'dead')`;
    return { id, messageId, key, userId, time, epoch, data };
  };

  /** As the kernel leaves a key that waits, with so many messages in its queue. */
  const park = async (group: GroupName, key: string, messages: number, fingerprint = "beef") => {
    const epoch = await openGroup(group);
    await db.sql`
      insert into parked_keys (epoch, topic, key, partition, attempts, next_at, class, error, fingerprint)
      values (${epoch}, 'task-events', ${key}, 0, 2, clock_timestamp() + interval '1 hour', 'unknown', 'no luck', ${fingerprint})`;
    for (let n = 0; n < messages; n++) {
      const [messageId, time] = [crypto.randomUUID(), new Date(1_790_000_000_000 + n)];
      await db.sql`insert into inbox (epoch, message_id, time, fate) values (${epoch}, ${messageId}, ${time}, 'parked')`;
      await db.sql`
        insert into parked_messages (epoch, topic, key, partition, "offset", message_id, time, timestamp_ms, value, headers)
        values (${epoch}, 'task-events', ${key}, 0, ${n}, ${messageId}, ${time}, ${time.getTime()}, ${Buffer.from([n])},
          ${JSON.stringify(headersOf({ id: messageId, time, subject: key, sequence: n }))}::jsonb)`;
    }
    return epoch;
  };

  return {
    env,
    db,
    broker,
    registry,
    codec,
    log,
    ops: Object.assign(ops, { json }),
    die,
    park,
    audited: () =>
      db.sql<
        { id: string; who: string; via: string; action: string; state: string; reason: string | null; plan: never }[]
      >`
        select id, who, via, action, state, reason, plan from audit order by at`,
    /** As at the beginning, but for topics. */
    clear: async () => {
      await db.sql`truncate dead_letters, parked_keys, parked_messages, consumer_controls, consumer_groups, inbox, audit, outbox`;
    },
    [Symbol.asyncDispose]: async () => {
      for (const { name } of await broker.admin.topics()) await broker.admin.deleteTopic(name);
      await broker[Symbol.asyncDispose]();
      await db[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}
export type OperatorWorld = Awaited<ReturnType<typeof operatorWorld>>;
