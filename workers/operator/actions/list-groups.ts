import type { Broker } from "../../../shared/messages/broker.ts";
import type { Sql } from "../../../shared/postgres/db.ts";
import { measureLag } from "../measure-lag.ts";
import { describeGroups, type GroupControl, type GroupFailures, type GroupState } from "./describe-groups.ts";

/** Every consumer group as the broker and the database see it now. Joins none. */
export async function listGroups({
  sql,
  broker,
  now,
}: Readonly<{ sql: Sql; broker: Pick<Broker, "admin">; now: () => Date }>): Promise<readonly GroupState[]> {
  const [lags, members, controls, failures] = await Promise.all([
    measureLag(broker.admin, now()),
    broker.admin.groups(),
    sql<GroupControl[]>`
      select group_name as group, paused, set_by as "setBy", reason, set_at as "setAt"
      from consumer_controls`,
    readGroupFailures(sql),
  ]);
  return describeGroups({ now: now(), lags, members, controls, failures });
}

async function readGroupFailures(sql: Sql): Promise<readonly GroupFailures[]> {
  return sql<GroupFailures[]>`
    select g.name as group, g.epoch, coalesce(k.keys, 0)::int as "parkedKeys", coalesce(m.messages, 0)::int as "parkedMessages",
      k.since as "parkedSince", k.next_at as "nextTry", coalesce(d.dead, 0)::int as dead
    from consumer_groups g
    left join (select epoch, count(*) as keys, min(since) as since, min(next_at) as next_at from parked_keys group by epoch) k using (epoch)
    left join (select epoch, count(*) as messages from parked_messages group by epoch) m using (epoch)
    left join (select group_name, count(*) as dead from dead_letters where state = 'dead' group by group_name) d on d.group_name = g.name
    order by g.name`;
}
