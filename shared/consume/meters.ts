import type { TopicPartition } from "../messages/broker.ts";
import type { Metrics } from "../role/metrics.ts";
import { consumerGroups, type GroupName } from "../messages/topics.ts";
import { failureClasses } from "./failure/classify.ts";
import type { GuardVerdict } from "./member/guard.ts";
import type { MessageOutcome } from "./member/item.ts";

/** The figures of one consumer. Labels are the group, topics, and the closed sets of outcomes, classes and verdicts. */
export function makeMeters(metrics: Metrics, group: GroupName) {
  const of = { group };
  const messages = metrics.counter("consumer_messages_total", "Messages whose fate is settled", [
    "group",
    "topic",
    "outcome",
  ]);
  const seconds = metrics.histogram("consumer_batch_seconds", "From taking a lane's batch to its commit", ["group"]);
  const delay = metrics.histogram("consumer_delay_seconds", "From the record's timestamp to its effect", [
    "group",
    "topic",
  ]);
  const derived = metrics.counter("consumer_derived_messages_total", "Messages written because of messages", ["group"]);
  const retries = metrics.counter("consumer_retries_total", "Tries after a failed one", ["group", "class"]);
  const dead = metrics.counter("consumer_dead_letters_total", "Messages given up on", ["group", "class"]);
  const dropped = metrics.counter("consumer_dropped_records_total", "Deliveries that did not count", [
    "group",
    "verdict",
  ]);
  const rebalances = metrics.counter("consumer_rebalances_total", "Rebalances the member saw", ["group"]);
  const clients = metrics.counter("consumer_clients_total", "Clients made, by why the one before ended", [
    "group",
    "reason",
  ]);
  const owned = metrics.gauge("consumer_owned_partitions", "Partitions this member owns", ["group"]);
  const waiting = metrics.gauge("consumer_waiting_records", "Records taken and waiting in the lanes", ["group"]);
  const behind = metrics.gauge("consumer_uncommitted_records", "Records settled and not committed yet", ["group"]);
  const age = metrics.gauge("consumer_commit_age_seconds", "Since everything settled was committed", ["group"]);
  const paused = metrics.gauge("consumer_paused", "1 while something it needs is down", ["group"]);
  const standing = metrics.gauge("consumer_partition_standing", "1 while the partition waits for an operator", [
    "group",
    "topic",
    "partition",
  ]);
  const passed = metrics.counter("consumer_passed_offsets_total", "Offsets passed over as the log has nothing there", [
    "group",
    "topic",
  ]);
  const head = metrics.gauge(
    "consumer_head_of_line_seconds",
    "For how long the oldest unfinished record of any partition has been waiting",
    ["group", "topic"],
  );
  const parkedKeys = metrics.gauge("consumer_parked_keys", "Keys that wait behind a failure, of owned partitions", [
    "group",
    "topic",
  ]);
  const parkedMessages = metrics.gauge("consumer_parked_messages", "Messages that wait behind a failure", [
    "group",
    "topic",
  ]);
  const parkedAge = metrics.gauge("consumer_parked_oldest_seconds", "For how long the oldest parked key has waited", [
    "group",
    "topic",
  ]);
  const flood = metrics.gauge("consumer_flood", "1 while most messages fail alike and are held", ["group"]);
  const stopped = metrics.gauge("consumer_paused_by_operator", "1 while an operator has paused the group", ["group"]);
  const lost = metrics.counter(
    "consumer_lost_effects_total",
    "Committed messages whose effects the database had lost, made again",
    ["group", "topic"],
  );
  let toldStanding: readonly TopicPartition[] = [];
  flood.set(of, 0);
  stopped.set(of, 0);
  // A series that begins at 1 shows no increase: the first dead letter would raise no alert.
  rebalances.inc(of, 0);
  for (const topic of consumerGroups[group]) {
    lost.inc({ ...of, topic }, 0);
    messages.inc({ ...of, topic, outcome: "lost" }, 0);
  }
  for (const failure of failureClasses)
    for (const counter of [retries, dead]) counter.inc({ ...of, class: failure }, 0);
  for (const reason of ["failed", "gap", "grown", "remade", "fatal", "database_changed", "rewound"])
    clients.inc({ ...of, reason }, 0);
  return {
    settled: (topic: string, outcome: MessageOutcome) => messages.inc({ ...of, topic, outcome }),
    batch: (tookMs: number) => seconds.observe(of, tookMs / 1_000),
    delay: (topic: string, ms: number) => delay.observe({ ...of, topic }, Math.max(0, ms / 1_000)),
    derived: (count: number) => derived.inc(of, count),
    retried: (failure: string) => retries.inc({ ...of, class: failure }),
    dead: (failure: string) => dead.inc({ ...of, class: failure }),
    dropped: (verdict: GuardVerdict) => dropped.inc({ ...of, verdict }),
    rebalanced: () => rebalances.inc(of),
    client: (reason: string) => clients.inc({ ...of, reason }),
    owns: (partitions: number) => owned.set(of, partitions),
    state: (now: Readonly<{ waiting: number; behind: number; commitAgeMs: number; paused: boolean }>) => {
      waiting.set(of, now.waiting);
      behind.set(of, now.behind);
      age.set(of, now.commitAgeMs / 1_000);
      paused.set(of, now.paused ? 1 : 0);
    },
    lost: (topic: string) => lost.inc({ ...of, topic }),
    passed: (topic: string, offsets: bigint) => passed.inc({ ...of, topic }, Number(offsets)),
    /** Which partitions stand still now. */
    standing: (partitions: readonly TopicPartition[]) => {
      for (const { topic, partition } of toldStanding) standing.set({ ...of, topic, partition: `${partition}` }, 0);
      toldStanding = partitions;
      for (const { topic, partition } of partitions) standing.set({ ...of, topic, partition: `${partition}` }, 1);
    },
    head: (topic: string, ms: number) => head.set({ ...of, topic }, ms / 1_000),
    parked: (topic: string, now: Readonly<{ keys: number; messages: number; oldestSeconds: number }>) => {
      parkedKeys.set({ ...of, topic }, now.keys);
      parkedMessages.set({ ...of, topic }, now.messages);
      parkedAge.set({ ...of, topic }, now.oldestSeconds);
    },
    flooded: (now: boolean) => flood.set(of, now ? 1 : 0),
    pausedByOperator: (now: boolean) => stopped.set(of, now ? 1 : 0),
  };
}
export type ConsumerMeters = ReturnType<typeof makeMeters>;
