import type { TopicPartition } from "../../messages/broker.ts";
import type { Log } from "../../role/log.ts";
import type { Sql } from "../../postgres/db.ts";
import type { TopicName } from "../../messages/topics.ts";
import type { ConsumerMeters } from "../meters.ts";
import { sleep } from "../../waiting/wait.ts";

const everyMs = 5_000;

/** Keeps the figures of parked keys up to date, of the partitions this member owns, until `stop`. */
export async function tellParked(
  of: Readonly<{
    sql: Sql;
    epoch: number;
    topics: readonly TopicName[];
    owned: () => readonly TopicPartition[];
    meters: Pick<ConsumerMeters, "parked">;
    log: Log;
    stop: AbortSignal;
  }>,
): Promise<void> {
  while (!of.stop.aborted) {
    try {
      const found = await count(of.sql, of.epoch, of.owned());
      for (const topic of of.topics)
        of.meters.parked(topic, found.find((one) => one.topic === topic) ?? { keys: 0, messages: 0, oldestSeconds: 0 });
    } catch (error) {
      of.log.debug("parked_not_counted", { error });
    }
    await sleep(everyMs, of.stop);
  }
}

async function count(sql: Sql, epoch: number, owned: readonly TopicPartition[]) {
  return sql<{ topic: string; keys: number; messages: number; oldestSeconds: number }[]>`
    select topic, count(*)::int as keys, sum(waiting)::int as messages,
      extract(epoch from clock_timestamp() - min(since))::float8 as "oldestSeconds"
    from parked_keys,
      lateral (select count(*) as waiting from parked_messages as message
        where message.epoch = parked_keys.epoch and message.topic = parked_keys.topic and message.key = parked_keys.key)
    where epoch = ${epoch} and (topic, partition) in (select * from unnest(
      ${owned.map(({ topic }) => topic)}::text[], ${owned.map(({ partition }) => partition)}::int[]))
    group by topic`;
}
