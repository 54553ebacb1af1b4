import type { Sql } from "../../../shared/postgres/db.ts";
import { fits, type DeadLetterFilter, type DeadLetterState } from "./dead-letter-filter.ts";

/** Failures of the same kind in one group. */
type DeadLetterGroup = Readonly<{
  group: string;
  fingerprint: string;
  count: number;
  first: Date;
  last: Date;
  classes: readonly string[];
  types: readonly string[];
  keys: number;
  users: number;
  /** The newest of them: its id and what was wrong. */
  sample: string;
  error: string;
}>;

/** Dead letters by group and fingerprint, the largest kind first. */
export async function groupDeadLetters(sql: Sql, filter: DeadLetterFilter): Promise<readonly DeadLetterGroup[]> {
  return sql<DeadLetterGroup[]>`
    select group_name as group, fingerprint, count(*)::int as count, min(dead_at) as first, max(dead_at) as last,
      array_agg(distinct class) as classes, array_remove(array_agg(distinct type), null) as types,
      count(distinct (topic, key))::int as keys, count(distinct user_id)::int as users,
      (array_agg(id order by dead_at desc, id))[1] as sample, (array_agg(error order by dead_at desc, id))[1] as error
    from dead_letters where ${fits(sql, filter)}
    group by group_name, fingerprint order by count desc, last desc limit 500`;
}

export type DeadLetterLine = Readonly<{
  id: string;
  group: string;
  topic: string;
  partition: number;
  offset: number;
  key: string | null;
  type: string | null;
  userId: string | null;
  class: string;
  error: string;
  fingerprint: string;
  redrives: number;
  state: DeadLetterState;
  deadAt: Date;
}>;

/** The newest first. */
export async function listDeadLetters(
  sql: Sql,
  filter: DeadLetterFilter,
  limit: number,
): Promise<readonly DeadLetterLine[]> {
  return sql<DeadLetterLine[]>`
    select id, group_name as group, topic, partition, "offset"::float8 as offset, key, type, user_id as "userId", class, error,
      fingerprint, redrives, state, dead_at as "deadAt"
    from dead_letters where ${fits(sql, filter)} order by dead_at desc, id limit ${limit}`;
}
