import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";

const now = sql`clock_timestamp()`;
const instant = (name: string) => timestamp(name, { withTimezone: true });
const stamp = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

export const deliveryLanes = pgTable(
  "delivery_lanes",
  {
    id: uuid("id").primaryKey(),
    userId: uuid("user_id").notNull(),
    channel: text("channel").notNull(),
    target: text("target").notNull().default(""),
    nextAt: instant("next_at"),
    failures: integer("failures").notNull().default(0),
    failingSince: stamp("failing_since"),
    openUntil: stamp("open_until"),
    disabledAt: stamp("disabled_at"),
    disabledReason: text("disabled_reason"),
    hourBegan: stamp("hour_began"),
    hourCount: integer("hour_count").notNull().default(0),
    testedAt: stamp("tested_at"),
    createdAt: stamp("created_at").notNull().default(now),
  },
  (table) => [
    index("delivery_lanes_due")
      .on(table.channel, table.nextAt)
      .where(sql`next_at is not null`),
    index("delivery_lanes_failing")
      .on(table.channel)
      .where(sql`failures > 0 or disabled_at is not null`),
  ],
);

export const deliveries = pgTable(
  "deliveries",
  {
    id: uuid("id").primaryKey(),
    eventId: uuid("event_id").notNull(),
    kind: text("kind", { enum: ["reminder", "digest"] })
      .notNull()
      .default("reminder"),
    channel: text("channel").notNull(),
    target: text("target").notNull().default(""),
    lane: uuid("lane"),
    userId: uuid("user_id").notNull(),
    reminderId: uuid("reminder_id"),
    generation: bigint("generation", { mode: "number" }),
    taskId: uuid("task_id"),
    title: text("title"),
    priority: text("priority"),
    remindAt: instant("remind_at"),
    triggeredAt: instant("triggered_at").notNull(),
    lateBy: integer("late_by"),
    status: text("status", {
      enum: ["pending", "sending", "bundled", "delivered", "failed", "dropped", "cancelled"],
    })
      .notNull()
      .default("pending"),
    reason: text("reason"),
    dueAt: stamp("due_at").notNull().default(now),
    planVersion: bigint("plan_version", { mode: "number" }).notNull().default(-1),
    bundle: text("bundle", { enum: ["quiet", "late", "hourly"] }),
    digestId: uuid("digest_id"),
    fallbacks: jsonb("fallbacks").notNull().default([]),
    fallbackOf: uuid("fallback_of"),
    attempts: integer("attempts").notNull().default(0),
    nextAttemptAt: instant("next_attempt_at").notNull().default(now),
    claim: uuid("claim"),
    leaseUntil: instant("lease_until"),
    possiblyDuplicated: boolean("possibly_duplicated").notNull().default(false),
    lastError: text("last_error"),
    resentAt: stamp("resent_at"),
    resendKey: text("resend_key"),
    deliveredAt: stamp("delivered_at"),
    readAt: stamp("read_at"),
    createdAt: stamp("created_at").notNull().default(now),
  },
  (table) => [
    check(
      "deliveries_check",
      sql`(${table.status} = 'sending') = (${table.claim} is not null and ${table.leaseUntil} is not null)`,
    ),
    check(
      "deliveries_kind_check1",
      sql`(${table.kind} = 'reminder') = (${table.reminderId} is not null and ${table.taskId} is not null)`,
    ),
    check("deliveries_bundled_check", sql`${table.status} <> 'bundled' or ${table.digestId} is not null`),
    uniqueIndex("deliveries_once").on(table.reminderId, table.generation, table.lane),
    index("deliveries_waiting")
      .on(table.lane, table.dueAt, table.id)
      .where(sql`status = 'pending'`),
    index("deliveries_deferred")
      .on(table.userId, table.planVersion)
      .where(sql`status = 'pending' and bundle = 'quiet'`),
    index("deliveries_sending")
      .on(table.lane)
      .where(sql`status = 'sending'`),
    index("deliveries_of_digest")
      .on(table.digestId)
      .where(sql`digest_id is not null`),
    index("deliveries_unread")
      .on(table.userId, table.createdAt)
      .where(sql`channel = 'in-app' and status = 'delivered' and read_at is null and digest_id is null`),
    index("deliveries_old").on(table.createdAt),
    index("deliveries_of_user").on(table.userId, table.createdAt.desc(), table.id.desc()),
  ],
);

export const deliveryAttempts = pgTable(
  "delivery_attempts",
  {
    claim: uuid("claim").primaryKey(),
    deliveryId: uuid("delivery_id")
      .notNull()
      .references(() => deliveries.id, { onDelete: "cascade" }),
    attempt: integer("attempt").notNull(),
    channel: text("channel").notNull(),
    outcome: text("outcome", { enum: ["delivered", "retry", "failed", "cancelled", "unknown"] }).notNull(),
    reason: text("reason"),
    ms: integer("ms"),
    at: stamp("at").notNull().default(now),
  },
  (table) => [index("delivery_attempts_of").on(table.deliveryId, table.at)],
);

export const mailAttempts = pgTable(
  "mail_attempts",
  { mailbox: text("mailbox").notNull(), at: stamp("at").notNull().default(now) },
  (table) => [index("mail_attempts_of").on(table.mailbox, table.at), index("mail_attempts_old").on(table.at)],
);
