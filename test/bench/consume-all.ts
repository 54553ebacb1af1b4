import type { Broker } from "../../shared/messages/broker.ts";
import type { Codec } from "../../shared/avro/codec.ts";
import { consume } from "../../shared/consume/consume.ts";
import type { BatchHandler } from "../../shared/consume/handler.ts";
import type { Db } from "../../shared/postgres/db.ts";
import type { GroupName, TopicName } from "../../shared/messages/topics.ts";
import { until } from "../support/until.ts";
import { roleOf } from "../support/role-of.ts";

/**
 * Runs a real consumer over what waits in a topic and stops it again. Returns records per second, from the first call
 * of the handler until the commit that brought `records` of them; joining the group is left out.
 */
export async function consumeAll(
  of: Readonly<{
    broker: Broker;
    db: Db;
    codec: Codec;
    topic: TopicName;
    group: GroupName;
    records: number;
    lanes?: number;
    handleBatch: BatchHandler;
  }>,
): Promise<number> {
  const stop = new AbortController();
  let from: number | null = null;
  let to = 0;
  let handled = 0;
  let open = 0;
  const db: Pick<Db, "sql" | "transaction" | "notifier"> = {
    sql: of.db.sql,
    notifier: of.db.notifier,
    transaction: async (work, options) => {
      open += 1;
      try {
        return await of.db.transaction(work, options);
      } finally {
        open -= 1;
        to = performance.now();
      }
    },
  };
  const running = consume(
    {
      broker: of.broker,
      db,
      codec: of.codec,
      topics: [of.topic],
      group: of.group,
      ...(of.lanes === undefined ? {} : { lanes: of.lanes }),
      handleBatch: async (messages, context) => {
        from ??= performance.now();
        const answers = await of.handleBatch(messages, context);
        handled += messages.length;
        return answers;
      },
    },
    roleOf({ name: of.group, signal: stop.signal }),
  );
  const failed = running.then(() => false);
  const done = until(`${of.records} records`, () => handled >= of.records && open === 0, {
    timeoutMs: 120_000,
    everyMs: 5,
  });
  await Promise.race([failed, done]);
  const seconds = (to - (from ?? Number.NaN)) / 1000;
  stop.abort();
  await running;
  // A batch that was run twice would count twice.
  if (handled !== of.records) throw new Error(`${handled} messages were handled, ${of.records} were sent`);
  return of.records / seconds;
}
