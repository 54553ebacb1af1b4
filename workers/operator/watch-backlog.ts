import { sleep } from "../../shared/waiting/wait.ts";
import type { Role } from "../../shared/role/role.ts";
import type { TopicState } from "../../shared/messages/broker.ts";
import type { TopicLayout } from "../../shared/outbox/topic-layouts.ts";
import { deadLetterTopics, topicNames } from "../../shared/messages/topics.ts";
import type { Failures } from "./measure-failures.ts";
import type { PartitionLag } from "./measure-lag.ts";
import type { OutboxState } from "./read-outbox.ts";

export type Backlog = Readonly<{
  lag: () => Promise<readonly PartitionLag[]>;
  outbox: () => Promise<OutboxState>;
  failures: () => Promise<Failures>;
  tables: () => Promise<readonly Readonly<{ table: string; bytes: number }>[]>;
  topics: () => Promise<readonly TopicState[]>;
  layouts: () => Promise<readonly TopicLayout[]>;
  everyMs: number;
}>;

/**
 * Measures at once and then every `everyMs` until the role stops. A part that cannot be measured is counted and keeps
 * its last figures; `backlog_measured_timestamp_seconds` says how old they are. Ready after the first complete
 * measurement.
 */
export async function watchBacklog(
  { lag, outbox, failures, tables, topics, layouts, everyMs }: Backlog,
  { signal, log, metrics, now, readyWhen }: Pick<Role, "signal" | "log" | "metrics" | "now" | "readyWhen">,
): Promise<void> {
  const place = ["group", "topic", "partition"];
  const messages = metrics.gauge("consumer_lag_messages", "Messages a group has not handled yet", place);
  const seconds = metrics.gauge("consumer_lag_seconds", "Age of the oldest message not handled yet", place);
  const waiting = metrics.gauge("outbox_waiting_messages", "Messages committed and not yet published", ["shard"]);
  const oldest = metrics.gauge("outbox_waiting_seconds", "Age of the oldest message not yet published", ["shard"]);
  const measured = metrics.gauge(
    "backlog_measured_timestamp_seconds",
    "When a part was last measured, since the epoch",
    ["part"],
  );
  const failed = metrics.counter("backlog_failures_total", "Measurements that failed", ["part"]);
  const queue = ["group", "topic"];
  const parkedKeys = metrics.gauge("parked_keys", "Keys that wait behind a failed message", queue);
  const parkedMessages = metrics.gauge(
    "parked_messages",
    "Messages that wait behind a failed one, itself included",
    queue,
  );
  const parkedSeconds = metrics.gauge("parked_oldest_seconds", "How long the key that waits longest does", queue);
  const dead = metrics.gauge("dead_letters_waiting", "Dead letters no operator has settled", ["group"]);
  const deadSeconds = metrics.gauge("dead_letters_oldest_seconds", "Age of the oldest of them", ["group"]);
  const bytes = metrics.gauge("table_bytes", "Size on disk of a table that grows with traffic", ["table"]);
  const retention = metrics.gauge("topic_retention_seconds", "After which a topic forgets; absent: never", ["topic"]);
  const held = metrics.gauge("topic_held_seconds", "For how long a repartition keeps it from being published", [
    "topic",
  ]);

  const parts = {
    lag: async () => {
      for (const { group, topic, partition, ...behind } of await lag()) {
        messages.set({ group, topic, partition }, behind.messages);
        seconds.set({ group, topic, partition }, behind.seconds);
      }
    },
    outbox: async () => {
      const state = await outbox();
      for (const { shard, ...of } of state.shards) {
        waiting.set({ shard }, of.waiting);
        oldest.set({ shard }, of.oldestSeconds);
      }
    },
    failures: async () => {
      const found = await failures();
      for (const { group, topic, ...of } of found.parked) {
        parkedKeys.set({ group, topic }, of.keys);
        parkedMessages.set({ group, topic }, of.messages);
        parkedSeconds.set({ group, topic }, of.oldestSeconds);
      }
      for (const { group, ...of } of found.dead) {
        dead.set({ group }, of.letters);
        deadSeconds.set({ group }, of.oldestSeconds);
      }
    },
    tables: async () => {
      for (const { table, ...of } of await tables()) bytes.set({ table }, of.bytes);
    },
    topics: async () => {
      const found = new Map((await topics()).map(({ name, configs }) => [name, Number(configs["retention.ms"])]));
      for (const topic of topicNames) {
        const ms = found.get(topic) ?? Number.NaN;
        if (ms > 0) retention.set({ topic }, ms / 1000);
        else retention.remove({ topic });
      }
    },
    layouts: async () => {
      const found = new Map((await layouts()).map((layout) => [layout.topic, layout.held?.seconds ?? 0]));
      for (const topic of [...topicNames, ...deadLetterTopics]) held.set({ topic }, found.get(topic) ?? 0);
    },
  };
  const done = new Set<string>();
  readyWhen("backlog", () => done.size === Object.keys(parts).length);
  while (!signal.aborted) {
    for (const [part, measure] of Object.entries(parts))
      try {
        await measure();
        done.add(part);
        measured.set({ part }, now().getTime() / 1000);
      } catch (error) {
        // Telling how far others are behind must go on when one part is down: that is when it is asked for.
        failed.inc({ part });
        log.warn("backlog_not_measured", { part, error });
      }
    // The wait between two rounds; it ends early when the role stops.
    await sleep(everyMs, signal);
  }
}
