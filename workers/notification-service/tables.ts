import { sql } from "drizzle-orm";
import { boolean, check, index, integer, pgTable, text, timestamp, unique, uuid } from "drizzle-orm/pg-core";

const now = sql`clock_timestamp()`;
const instant = (name: string) => timestamp(name, { withTimezone: true });

export const deliveries = pgTable(
  "deliveries",
  {
    id: uuid("id").primaryKey(),
    eventId: uuid("event_id").notNull(),
    channel: text("channel").notNull(),
    userId: uuid("user_id").notNull(),
    reminderId: uuid("reminder_id").notNull(),
    taskId: uuid("task_id").notNull(),
    title: text("title"),
    remindAt: instant("remind_at"),
    triggeredAt: instant("triggered_at").notNull(),
    status: text("status", { enum: ["pending", "sending", "delivered", "failed"] })
      .notNull()
      .default("pending"),
    attempts: integer("attempts").notNull().default(0),
    nextAttemptAt: instant("next_attempt_at").notNull().default(now),
    claim: uuid("claim"),
    leaseUntil: instant("lease_until"),
    possiblyDuplicated: boolean("possibly_duplicated").notNull().default(false),
    lastError: text("last_error"),
    deliveredAt: timestamp("delivered_at", { withTimezone: true, precision: 3 }),
    createdAt: timestamp("created_at", { withTimezone: true, precision: 3 }).notNull().default(now),
  },
  (table) => [
    unique().on(table.eventId, table.channel),
    check(
      "deliveries_check",
      sql`(${table.status} = 'sending') = (${table.claim} is not null and ${table.leaseUntil} is not null)`,
    ),
    index("deliveries_due")
      .on(table.channel, table.nextAttemptAt)
      .where(sql`status = 'pending'`),
    index("deliveries_leased")
      .on(table.channel, table.leaseUntil)
      .where(sql`status = 'sending'`),
    index("deliveries_of_user").on(table.userId, table.createdAt.desc(), table.id.desc()),
  ],
);
