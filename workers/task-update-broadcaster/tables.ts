import { bigint, jsonb, pgTable, timestamp, uuid } from "drizzle-orm/pg-core";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import type { FoldedReminders } from "./fold-reminder.ts";

export const taskViews = pgTable("task_views", {
  taskId: uuid("task_id").primaryKey(),
  userId: uuid("user_id").notNull(),
  folded: jsonb("folded").$type<FoldedTask>(),
  reminders: jsonb("reminders").$type<FoldedReminders>().notNull().default({}),
  viewVersion: bigint("view_version", { mode: "number" }).notNull().default(0),
  updatedAt: timestamp("updated_at", { withTimezone: true }).notNull().defaultNow(),
});
