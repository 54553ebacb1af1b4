import { bigint, pgTable, text, timestamp } from "drizzle-orm/pg-core";
import { sql } from "drizzle-orm";

/** What Redis must contain to be the Redis that was filled. Written by every role with timers. */
export const timerMarkers = pgTable("timer_markers", {
  name: text("name").primaryKey(),
  epoch: bigint("epoch", { mode: "number" }).notNull().default(1),
  marker: text("marker").notNull(),
  nextMarker: text("next_marker"),
  server: text("server"),
  rotatedAt: timestamp("rotated_at", { withTimezone: true })
    .notNull()
    .default(sql`clock_timestamp()`),
});
