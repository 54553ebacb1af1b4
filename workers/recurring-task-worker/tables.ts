import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import type { KeptDates } from "./keep-dates.ts";

const now = sql`clock_timestamp()`;

export const followedTasks = pgTable(
  "followed_tasks",
  {
    taskId: uuid("task_id").primaryKey(),
    userId: uuid("user_id").notNull(),
    folded: jsonb("folded").$type<FoldedTask>(),
    updatedAt: timestamp("updated_at", { withTimezone: true }).notNull().default(now),
    templateId: uuid("template_id"),
  },
  (table) => [
    index("followed_tasks_of_template")
      .on(table.templateId)
      .where(sql`template_id is not null`),
  ],
);

export const series = pgTable(
  "series",
  {
    id: uuid("id").primaryKey(),
    templateId: uuid("template_id").notNull(),
    userId: uuid("user_id").notNull(),
    status: text("status", { enum: ["pending", "waiting", "ended", "stopped"] }).notNull(),
    wakeAt: timestamp("wake_at", { withTimezone: true, precision: 3 }),
    generation: bigint("generation", { mode: "number" }).notNull().default(0),
    armedIn: bigint("armed_in", { mode: "number" }).notNull().default(0),
    createdAt: timestamp("created_at", { withTimezone: true, precision: 3 }).notNull().default(now),
    updatedAt: timestamp("updated_at", { withTimezone: true }).notNull().default(now),
    version: bigint("version", { mode: "number" }).notNull().default(1),
    revision: bigint("revision", { mode: "number" }).notNull().default(1),
    kept: jsonb("kept").$type<KeptDates>(),
    keptOf: bigint("kept_of", { mode: "number" }),
    keptUntil: timestamp("kept_until", { withTimezone: true }),
  },
  (table) => [
    check("series_check", sql`(${table.status} = 'pending') = (${table.wakeAt} is not null)`),
    index("series_due")
      .on(table.wakeAt, table.id)
      .where(sql`status = 'pending'`),
    index("series_unarmed")
      .on(table.wakeAt)
      .where(sql`status = 'pending' and armed_in = 0`),
    index("series_of_template").on(table.templateId),
    index("series_of_user").on(table.userId, table.createdAt.desc(), table.id.desc()),
  ],
);

export const occurrences = pgTable(
  "occurrences",
  {
    id: uuid("id").primaryKey(),
    seriesId: uuid("series_id")
      .notNull()
      .references(() => series.id),
    number: integer("number").notNull(),
    recurrenceId: text("recurrence_id").notNull(),
    scheduleKey: uuid("schedule_key").notNull(),
    startsAt: timestamp("starts_at", { withTimezone: true }).notNull(),
    duePassesAt: timestamp("due_passes_at", { withTimezone: true }).notNull(),
    state: text("state", { enum: ["open", "completed", "deleted"] }).notNull(),
    closedAt: timestamp("closed_at", { withTimezone: true }),
    askedAt: timestamp("asked_at", { withTimezone: true }).notNull().default(now),
    ahead: boolean("ahead").notNull().default(false),
    madeBy: integer("made_by"),
    takenBack: boolean("taken_back").notNull().default(false),
    dropped: boolean("dropped").notNull().default(false),
  },
  (table) => [
    unique().on(table.seriesId, table.recurrenceId),
    unique().on(table.seriesId, table.number),
    index("occurrences_open")
      .on(table.seriesId)
      .where(sql`state = 'open'`),
    index("occurrences_by_time").on(table.seriesId, table.startsAt),
  ],
);

export const seriesExceptions = pgTable(
  "series_exceptions",
  {
    seriesId: uuid("series_id")
      .notNull()
      .references(() => series.id),
    recurrenceId: text("recurrence_id").notNull(),
    kind: text("kind", { enum: ["skipped", "moved"] }).notNull(),
    dueDate: timestamp("due_date", { withTimezone: true, precision: 3 }),
    dueOn: date("due_on", { mode: "string" }),
    startsAt: timestamp("starts_at", { withTimezone: true }).notNull(),
    createdAt: timestamp("created_at", { withTimezone: true }).notNull().default(now),
  },
  (table) => [
    primaryKey({ columns: [table.seriesId, table.recurrenceId] }),
    check("series_exceptions_check", sql`num_nonnulls(due_date, due_on) = case kind when 'moved' then 1 else 0 end`),
    index("series_exceptions_by_time").on(table.seriesId, table.startsAt),
  ],
);
