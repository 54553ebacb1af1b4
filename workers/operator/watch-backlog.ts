import { setTimeout as sleep } from "node:timers/promises";
import type { Role } from "../../shared/role.ts";
import type { PartitionLag } from "./measure-lag.ts";
import type { OutboxState } from "./read-outbox.ts";

export type Backlog = Readonly<{
  lag: () => Promise<readonly PartitionLag[]>;
  outbox: () => Promise<OutboxState>;
  everyMs: number;
}>;

/**
 * Measures at once and then every `everyMs` until the role stops. A part that cannot be measured is counted and keeps its last
 * figures; `backlog_measured_timestamp_seconds` says how old they are. Ready after the first complete measurement.
 */
export async function watchBacklog(
  { lag, outbox, everyMs }: Backlog,
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
  const failures = metrics.counter("backlog_failures_total", "Measurements that failed", ["part"]);

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
        failures.inc({ part });
        log.warn("backlog_not_measured", { part, error });
      }
    // The wait between two rounds; it ends early when the role stops.
    await sleep(everyMs, undefined, { signal }).catch(() => {});
  }
}
