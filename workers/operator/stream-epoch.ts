import type { Sql } from "../../shared/postgres/db.ts";

/** The topics whose positions clients keep: each life of such a topic has a name of its own. */
export const topicsWithEpoch: ReadonlySet<string> = new Set(["task-updates"]);

/**
 * Gives a topic a new epoch. Done before the topic is created: should the creation fail, clients fetch everything once
 * more; the other way round they would take old positions for new ones.
 */
export async function beginStreamEpoch(sql: Sql, topic: string): Promise<string> {
  const epoch = Buffer.from(crypto.getRandomValues(new Uint8Array(5))).toString("hex");
  await sql`
    insert into stream_epoch (topic, epoch) values (${topic}, ${epoch})
    on conflict (topic) do update set epoch = excluded.epoch, created_at = clock_timestamp()`;
  return epoch;
}

/** Gives a topic that already exists an epoch where it has none: a database that is newer than the topic. */
export async function ensureStreamEpoch(sql: Sql, topic: string): Promise<void> {
  const epoch = Buffer.from(crypto.getRandomValues(new Uint8Array(5))).toString("hex");
  await sql`insert into stream_epoch (topic, epoch) values (${topic}, ${epoch}) on conflict (topic) do nothing`;
}
