import type { Sql, Tx } from "./db.ts";

/**
 * Versions at or below it may have been told before the database went back in time: the next one of whatever a client
 * is told a version of is above it. 0 if the database never went back.
 */
export async function readToldFloor(sql: Sql | Tx): Promise<number> {
  const [row] = await sql<{ floor: string }[]>`select told_floor()::text as floor`;
  return Number(row?.floor ?? 0);
}
