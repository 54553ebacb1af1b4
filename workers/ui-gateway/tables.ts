import { sql } from "drizzle-orm";
import { customType, index, pgTable, primaryKey, text, timestamp, uuid } from "drizzle-orm/pg-core";

const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "bytea" });
const instant = (name: string) => timestamp(name, { withTimezone: true });

export const sessions = pgTable(
  "sessions",
  {
    id: text("id").notNull(),
    userId: uuid("user_id").notNull(),
    createdAt: instant("created_at")
      .notNull()
      .default(sql`clock_timestamp()`),
    expiresAt: instant("expires_at").notNull(),
    endedAt: instant("ended_at"),
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.id] }),
    index("sessions_ended")
      .on(table.expiresAt)
      .where(sql`ended_at is not null`),
  ],
);

export const streamTickets = pgTable(
  "stream_tickets",
  {
    hash: bytea("hash").primaryKey(),
    userId: uuid("user_id").notNull(),
    sessionId: text("session_id").notNull(),
    sessionExpiresAt: instant("session_expires_at").notNull(),
    expiresAt: instant("expires_at").notNull(),
  },
  (table) => [index("stream_tickets_expires").on(table.expiresAt)],
);
