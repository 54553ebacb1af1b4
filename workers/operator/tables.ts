import { sql } from "drizzle-orm";
import { index, jsonb, pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";

const instant = (name: string) => timestamp(name, { withTimezone: true });

/** Every change an operator made. */
export const audit = pgTable(
  "audit",
  {
    id: uuid("id").primaryKey(),
    at: instant("at")
      .notNull()
      .default(sql`clock_timestamp()`),
    who: text("who").notNull(),
    via: text("via").notNull(),
    action: text("action").notNull(),
    reason: text("reason"),
    plan: jsonb("plan").notNull(),
    state: text("state").notNull(),
    progress: jsonb("progress")
      .notNull()
      .default(sql`'{}'`),
    endedAt: instant("ended_at"),
  },
  (table) => [index("audit_at").on(table.at)],
);
