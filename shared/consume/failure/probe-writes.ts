import type { Sql } from "../../postgres/db.ts";

/**
 * Writes one row of its own and commits it, so it rejects when Postgres takes no writes. A replica, a demoted primary
 * and a primary that waits for its standby all answer reads meanwhile.
 */
export async function probeWrites(sql: Sql, part: string): Promise<void> {
  await sql`
    insert into write_probes (part, at) values (${part}, clock_timestamp())
    on conflict (part) do update set at = excluded.at`;
}
