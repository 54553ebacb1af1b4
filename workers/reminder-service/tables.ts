import {
  bigint,
  boolean,
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
import type { FoldedFields } from "../../shared/tasks/fold-fields.ts";
import type { DismissReason, ReminderStatus } from "./reminder.ts";

const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

export const reminderGuards = pgTable("reminder_guards", {
  taskId: uuid("task_id").primaryKey(),
  userId: uuid("user_id").notNull(),
  fields: jsonb("fields").$type<FoldedFields>().notNull().default({}),
  closed: boolean("closed").notNull().default(false),
  floor: bigint("floor", { mode: "number" }).notNull().default(0),
  updatedAt: timestamp("updated_at", { withTimezone: true }).notNull().defaultNow(),
});

export const reminders = pgTable(
  "reminders",
  {
    id: uuid("id").primaryKey(),
    taskId: uuid("task_id").notNull(),
    userId: uuid("user_id").notNull(),
    rule: text("rule"),
    remindAt: instant("remind_at").notNull(),
    generation: bigint("generation", { mode: "number" }).notNull(),
    status: text("status").$type<ReminderStatus>().notNull(),
    version: bigint("version", { mode: "number" }).notNull(),
    triggeredAt: instant("triggered_at"),
    dismissedAt: instant("dismissed_at"),
    reason: text("reason").$type<DismissReason>(),
    dismissedFor: instant("dismissed_for"),
    createdAt: timestamp("created_at", { withTimezone: true }).notNull().defaultNow(),
    armedIn: bigint("armed_in", { mode: "number" }).notNull().default(0),
    snoozedFrom: instant("snoozed_from"),
    snoozedFor: instant("snoozed_for"),
    dropAfter: text("drop_after"),
  },
  (table) => [
    index("reminders_of_task").on(table.taskId),
    index("reminders_of_user").on(table.userId, table.remindAt, table.id),
    index("reminders_due")
      .on(table.remindAt, table.id)
      .where(sql`status = 'pending'`),
    index("reminders_unarmed")
      .on(table.remindAt)
      .where(sql`status = 'pending' and armed_in = 0`),
  ],
);

export const reminderRequestKeys = pgTable(
  "reminder_request_keys",
  {
    userId: uuid("user_id").notNull(),
    key: text("key").notNull(),
    fingerprint: text("fingerprint").notNull(),
    body: text("body").notNull(),
    status: smallint("status"),
    createdAt: timestamp("created_at", { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.key] }),
    index("reminder_request_keys_age").on(table.createdAt),
  ],
);
