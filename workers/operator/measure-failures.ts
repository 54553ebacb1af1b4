import type { Sql } from "../../shared/postgres/db.ts";
import { consumerGroups, groupNames, type GroupName, type TopicName } from "../../shared/messages/topics.ts";

export type Failures = Readonly<{
  /** One entry per group and topic it reads, zeros included. */
  parked: readonly Readonly<{
    group: GroupName;
    topic: TopicName;
    keys: number;
    messages: number;
    /** Since when the key that waits longest does; 0 when none does. */
    oldestSeconds: number;
  }>[];
  /** What no operator has settled yet: one entry per group, zeros included. */
  dead: readonly Readonly<{ group: GroupName; letters: number; oldestSeconds: number }>[];
}>;

/**
 * What waits behind failures and what was given up on, by the database's clock. Groups and topics of other builds are
 * left out.
 */
export async function measureFailures(sql: Sql): Promise<Failures> {
  const keys = await sql<{ group: string; topic: string; keys: number; seconds: number }[]>`
    select g.name as group, k.topic, count(*)::int as keys,
      extract(epoch from clock_timestamp() - min(k.since))::float8 as seconds
    from parked_keys k join consumer_groups g using (epoch) group by g.name, k.topic`;
  const queues = await sql<{ group: string; topic: string; messages: number }[]>`
    select g.name as group, m.topic, count(*)::int as messages
    from parked_messages m join consumer_groups g using (epoch) group by g.name, m.topic`;
  const letters = await sql<{ group: string; letters: number; seconds: number }[]>`
    select group_name as group, count(*)::int as letters,
      extract(epoch from clock_timestamp() - min(dead_at))::float8 as seconds
    from dead_letters where state = 'dead' group by group_name`;
  return {
    parked: groupNames.flatMap((group) =>
      consumerGroups[group].map((topic) => {
        const isHere = (row: Readonly<{ group: string; topic: string }>) => row.group === group && row.topic === topic;
        const waiting = keys.find(isHere);
        return {
          group,
          topic,
          keys: waiting?.keys ?? 0,
          messages: queues.find(isHere)?.messages ?? 0,
          oldestSeconds: Math.max(0, waiting?.seconds ?? 0),
        };
      }),
    ),
    dead: groupNames.map((group) => {
      const found = letters.find((row) => row.group === group);
      return { group, letters: found?.letters ?? 0, oldestSeconds: Math.max(0, found?.seconds ?? 0) };
    }),
  };
}

const watchedTables = ["outbox", "inbox", "parked_messages", "dead_letters"] as const;

/** Bytes on disk of the tables that grow with traffic, indexes and partitions included. */
export async function measureTables(sql: Sql): Promise<readonly Readonly<{ table: string; bytes: number }>[]> {
  return await sql<{ table: string; bytes: number }[]>`
    select name as table, sum(pg_total_relation_size(coalesce(part.relid, name::regclass)))::float8 as bytes
    from unnest(${[...watchedTables]}::text[]) as name left join lateral pg_partition_tree(name::regclass) part on true
    group by name order by name`;
}
