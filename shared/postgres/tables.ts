import {
  bigint,
  boolean,
  customType,
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";
import { sql } from "drizzle-orm";

const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "bytea" });
const instant = (name: string) => timestamp(name, { withTimezone: true });

/** Written by every role together with its change; read and marked by the relay. Partitioned by `day`. */
export const outbox = pgTable(
  "outbox",
  {
    id: bigint("id", { mode: "bigint" })
      .notNull()
      .default(sql`nextval('outbox_id_seq')`),
    day: date("day")
      .notNull()
      .default(sql`(clock_timestamp() at time zone 'UTC')::date`),
    shard: smallint("shard").notNull(),
    /** Hash of topic and user, 0 for none: see the relay's turns. */
    line: integer("line").notNull().default(0),
    topic: text("topic").notNull(),
    key: text("key").notNull(),
    messageId: uuid("message_id").notNull(),
    type: text("type").notNull(),
    subject: text("subject").notNull(),
    sequence: bigint("sequence", { mode: "number" }),
    time: instant("time").notNull(),
    value: bytea("value").notNull(),
    headers: jsonb("headers").notNull(),
    createdAt: instant("created_at")
      .notNull()
      .default(sql`clock_timestamp()`),
    publishedAt: instant("published_at"),
  },
  (row) => [
    primaryKey({ columns: [row.day, row.id] }),
    index("outbox_unpublished")
      .on(row.shard, row.id)
      .where(sql`published_at is null`),
    index("outbox_lines")
      .on(row.shard, row.line, row.id)
      .where(sql`published_at is null`),
  ],
);

/** Which relay publishes which shard. */
export const outboxShards = pgTable("outbox_shards", {
  shard: smallint("shard").primaryKey(),
  owner: text("owner"),
  epoch: bigint("epoch", { mode: "number" }).notNull().default(0),
  expiresAt: instant("expires_at")
    .notNull()
    .default(sql`'-infinity'`),
});

/** Relays that are alive. */
export const outboxRelays = pgTable("outbox_relays", {
  instance: text("instance").primaryKey(),
  seenAt: instant("seen_at").notNull(),
});

/** Keys whose messages wait for an operator, because the broker refused one of them. */
export const outboxHolds = pgTable(
  "outbox_holds",
  {
    topic: text("topic").notNull(),
    key: text("key").notNull(),
    reason: text("reason").notNull(),
    since: instant("since")
      .notNull()
      .default(sql`clock_timestamp()`),
  },
  (row) => [primaryKey({ columns: [row.topic, row.key] })],
);

/** Which migrations have been applied. */
export const migrations = pgTable(
  "migrations",
  {
    role: text("role").notNull(),
    name: text("name").notNull(),
    checksum: text("checksum").notNull(),
    appliedAt: instant("applied_at")
      .notNull()
      .default(sql`clock_timestamp()`),
  },
  (row) => [primaryKey({ columns: [row.role, row.name] })],
);

/** Keys whose messages wait behind a failure, by the epoch of their group. */
export const parkedKeys = pgTable(
  "parked_keys",
  {
    epoch: integer("epoch").notNull(),
    topic: text("topic").notNull(),
    key: text("key").notNull(),
    partition: integer("partition").notNull(),
    attempts: integer("attempts").notNull().default(0),
    nextAt: instant("next_at").notNull(),
    since: instant("since")
      .notNull()
      .default(sql`clock_timestamp()`),
    class: text("class").notNull(),
    error: text("error").notNull(),
    fingerprint: text("fingerprint").notNull(),
  },
  (row) => [
    primaryKey({ columns: [row.epoch, row.topic, row.key] }),
    index("parked_keys_due").on(row.epoch, row.nextAt),
  ],
);

/** The record a queue or the index of dead letters keeps, as received. */
const receivedColumns = () => ({
  epoch: integer("epoch").notNull(),
  topic: text("topic").notNull(),
  partition: integer("partition").notNull(),
  offset: bigint("offset", { mode: "bigint" }).notNull(),
  messageId: uuid("message_id").notNull(),
  time: instant("time").notNull(),
  timestampMs: bigint("timestamp_ms", { mode: "number" }).notNull(),
  value: bytea("value"),
  headers: jsonb("headers").notNull(),
});

/** The queues of the parked keys, in the order of `id`. */
export const parkedMessages = pgTable(
  "parked_messages",
  {
    id: bigint("id", { mode: "bigint" }).primaryKey().generatedAlwaysAsIdentity(),
    ...receivedColumns(),
    key: text("key").notNull(),
    history: jsonb("history").notNull().default([]),
    redriveId: uuid("redrive_id"),
    parkedAt: instant("parked_at")
      .notNull()
      .default(sql`clock_timestamp()`),
  },
  (row) => [index("parked_messages_queue").on(row.epoch, row.topic, row.key, row.id)],
);

/** What groups gave up on, so that looking and redriving need no scan of Kafka. */
export const deadLetters = pgTable(
  "dead_letters",
  {
    id: uuid("id").primaryKey(),
    groupName: text("group_name").notNull(),
    ...receivedColumns(),
    key: text("key"),
    type: text("type"),
    userId: uuid("user_id"),
    class: text("class").notNull(),
    error: text("error").notNull(),
    stack: text("stack"),
    fingerprint: text("fingerprint").notNull(),
    attempts: jsonb("attempts").notNull(),
    redrives: integer("redrives").notNull().default(0),
    state: text("state").notNull(),
    editedFrom: uuid("edited_from"),
    lastRedrive: uuid("last_redrive"),
    deadAt: instant("dead_at")
      .notNull()
      .default(sql`clock_timestamp()`),
    settledAt: instant("settled_at"),
  },
  (row) => [
    index("dead_letters_group").on(row.groupName, row.state, row.deadAt),
    index("dead_letters_kind").on(row.groupName, row.fingerprint),
    index("dead_letters_message").on(row.messageId),
  ],
);

/** What operators told consumer groups. */
export const consumerControls = pgTable("consumer_controls", {
  groupName: text("group_name").primaryKey(),
  paused: boolean("paused").notNull().default(false),
  releaseFlood: boolean("release_flood").notNull().default(false),
  setBy: text("set_by").notNull(),
  reason: text("reason"),
  setAt: instant("set_at")
    .notNull()
    .default(sql`clock_timestamp()`),
});
