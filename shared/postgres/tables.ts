import {
  bigint,
  customType,
  date,
  index,
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
