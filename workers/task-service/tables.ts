import {
  bigint,
  boolean,
  date,
  index,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { sql } from "drizzle-orm";

const instant = (name: string) => timestamp(name, { withTimezone: true });

export const tasks = pgTable(
  "tasks",
  {
    id: uuid("id").primaryKey(),
    userId: uuid("user_id").notNull(),
    title: text("title").notNull(),
    description: text("description"),
    createdAt: instant("created_at").notNull(),
    updatedAt: instant("updated_at").notNull(),
    dueDate: instant("due_date"),
    dueOn: date("due_on", { mode: "string" }),
    dueTz: text("due_tz"),
    priority: text("priority", { enum: ["Low", "Medium", "High"] }),
    tags: text("tags").array().notNull().default([]),
    remind: text("remind").array(),
    status: text("status", { enum: ["open", "completed"] })
      .notNull()
      .default("open"),
    completedAt: instant("completed_at"),
    deletedAt: instant("deleted_at"),
    isRecurringTemplate: boolean("is_recurring_template").notNull().default(false),
    recurrencePattern: text("recurrence_pattern"),
    templateId: uuid("template_id"),
    recurrenceId: text("recurrence_id"),
    version: bigint("version", { mode: "number" }).notNull().default(1),
    firstOccurrence: uuid("first_occurrence"),
  },
  (table) => [
    index("tasks_first_occurrence")
      .on(table.firstOccurrence)
      .where(sql`${table.firstOccurrence} is not null`),
    index("tasks_of_user")
      .on(table.userId, table.createdAt.desc(), table.id.desc())
      .where(sql`${table.deletedAt} is null`),
    uniqueIndex("tasks_occurrence")
      .on(table.templateId, table.recurrenceId)
      .where(sql`${table.templateId} is not null`),
  ],
);

export const idempotencyKeys = pgTable(
  "idempotency_keys",
  {
    userId: uuid("user_id").notNull(),
    key: text("key").notNull(),
    fingerprint: text("fingerprint").notNull(),
    taskId: uuid("task_id").notNull(),
    status: smallint("status").notNull(),
    version: bigint("version", { mode: "number" }),
    body: text("body"),
    createdAt: instant("created_at")
      .notNull()
      .default(sql`clock_timestamp()`),
  },
  (table) => [primaryKey({ columns: [table.userId, table.key] }), index("idempotency_keys_age").on(table.createdAt)],
);
