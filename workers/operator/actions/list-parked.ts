import type { Sql } from "../../../shared/postgres/db.ts";
import type { GroupName } from "../../../shared/messages/topics.ts";

/** Which parked keys: those that fit all that is not null. */
export type ParkedFilter = Readonly<{
  group: GroupName | null;
  topic: string | null;
  key: string | null;
  fingerprint: string | null;
}>;

export type ParkedKey = Readonly<{
  group: string;
  topic: string;
  partition: number;
  key: string;
  /** Messages in the queue, the failing one included, and how many of them a redrive brought. */
  messages: number;
  redriven: number;
  /** Tries of the head so far; when the next one is, at the earliest. */
  attempts: number;
  nextAt: Date;
  since: Date;
  class: string;
  error: string;
  fingerprint: string;
  headOffset: number | null;
  headMessageId: string | null;
}>;

/** The longest parked first. Keys of inbox epochs before the last reset are gone. */
export async function listParked(sql: Sql, filter: ParkedFilter, limit: number): Promise<readonly ParkedKey[]> {
  return sql<ParkedKey[]>`
    select g.name as group, k.topic, k.partition, k.key, q.messages, q.redriven, k.attempts, k.next_at as "nextAt", k.since,
      k.class, k.error, k.fingerprint, q.head_offset as "headOffset", q.head_id as "headMessageId"
    from parked_keys k join consumer_groups g using (epoch)
    cross join lateral (
      select count(*)::int as messages, count(redrive_id)::int as redriven,
        (array_agg("offset" order by id))[1]::float8 as head_offset, (array_agg(message_id order by id))[1] as head_id
      from parked_messages m where m.epoch = k.epoch and m.topic = k.topic and m.key = k.key) q
    where (${filter.group}::text is null or g.name = ${filter.group})
      and (${filter.topic}::text is null or k.topic = ${filter.topic})
      and (${filter.key}::text is null or k.key = ${filter.key})
      and (${filter.fingerprint}::text is null or k.fingerprint = ${filter.fingerprint})
    order by k.since, k.topic, k.key limit ${limit}`;
}
