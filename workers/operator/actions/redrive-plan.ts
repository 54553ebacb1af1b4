import type { Sql, Tx } from "../../../shared/postgres/db.ts";
import { fits, type DeadLetterFilter } from "./dead-letter-filter.ts";

export type RedrivePlan = Readonly<{
  /** With `to` at the moment of the plan: what dies again meanwhile is not redriven twice. */
  filter: DeadLetterFilter;
  messages: number;
  keys: number;
  /** Of the messages, those redriven so often that they are left where they are. */
  overCap: number;
  cap: number;
  byKind: readonly Readonly<{
    group: string;
    fingerprint: string;
    class: string;
    error: string;
    messages: number;
    keys: number;
    oldest: Date;
    newest: Date;
  }>[];
}>;

/** What a redrive of these dead letters would do; only those in state `dead` count. */
export async function planRedrive(sql: Sql | Tx, filter: DeadLetterFilter, cap: number): Promise<RedrivePlan> {
  const [clock] = await sql<{ now: Date }[]>`
    select date_trunc('milliseconds', clock_timestamp()) + interval '1 millisecond' as now`;
  if (clock === undefined) throw new Error("the database did not tell the time");
  const { now } = clock;
  const to = filter.to === null || filter.to > now ? now : filter.to;
  const bounded: DeadLetterFilter = { ...filter, to, state: "dead" };
  const [byKind, [total]] = await Promise.all([
    sql<RedrivePlan["byKind"][number][]>`
      select group_name as group, fingerprint, min(class) as class, (array_agg(error order by dead_at desc))[1] as error,
        count(*)::int as messages, count(distinct (topic, key))::int as keys, min(dead_at) as oldest, max(dead_at) as newest
      from dead_letters where ${fits(sql, bounded)} group by group_name, fingerprint order by group_name, messages desc`,
    sql<{ messages: number; keys: number; overCap: number }[]>`
      select count(*)::int as messages, count(distinct (group_name, topic, key))::int as keys,
        (count(*) filter (where redrives >= ${cap}))::int as "overCap"
      from dead_letters where ${fits(sql, bounded)}`,
  ]);
  return { filter: bounded, ...(total ?? { messages: 0, keys: 0, overCap: 0 }), cap, byKind };
}
