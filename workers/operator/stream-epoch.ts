import type { Sql } from "../../shared/postgres/db.ts";
import { hexText, randomBytes } from "../../shared/bytes.ts";

/** The topics whose positions clients keep: each life of such a topic has a name of its own. */
export const topicsWithEpoch: ReadonlySet<string> = new Set(["task-updates"]);

/**
 * Gives a topic a new stream epoch. Done before the topic is created: should the creation fail, clients fetch
 * everything once more; the other way round they would take old positions for new ones.
 */
export async function beginStreamEpoch(sql: Sql, topic: string): Promise<string> {
  const epoch = hexText(randomBytes(5));
  await sql`
    insert into stream_epoch (topic, epoch) values (${topic}, ${epoch})
    on conflict (topic) do update set epoch = excluded.epoch, created_at = clock_timestamp()`;
  return epoch;
}

/** Gives an existing topic a stream epoch if it has none, because the database is newer than the topic. */
export async function ensureStreamEpoch(sql: Sql, topic: string): Promise<void> {
  const epoch = hexText(randomBytes(5));
  await sql`insert into stream_epoch (topic, epoch) values (${topic}, ${epoch}) on conflict (topic) do nothing`;
}
