import { bigint, index, jsonb, pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";
import { sql } from "drizzle-orm";
import type { Preferences } from "../../shared/preferences/preferences.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";

export const wantedReminders = pgTable(
  "wanted_reminders",
  {
    taskId: uuid("task_id").primaryKey(),
    userId: uuid("user_id").notNull(),
    folded: jsonb("folded").$type<FoldedTask>(),
    wanted: text("wanted"),
    commands: bigint("commands", { mode: "number" }).notNull().default(0),
    updatedAt: timestamp("updated_at", { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    index("wanted_reminders_of_user")
      .on(table.userId, table.taskId)
      .where(sql`wanted is not null`),
  ],
);

export const preferences = pgTable(
  "preferences",
  {
    userId: uuid("user_id").primaryKey(),
    settings: jsonb("settings").$type<Preferences>().notNull(),
    version: bigint("version", { mode: "number" }).notNull().default(1),
    updatedAt: timestamp("updated_at", { withTimezone: true })
      .notNull()
      .default(sql`clock_timestamp()`),
    redecideAfter: uuid("redecide_after"),
  },
  (table) => [
    index("preferences_redecide")
      .on(table.userId)
      .where(sql`redecide_after is not null`),
  ],
);
