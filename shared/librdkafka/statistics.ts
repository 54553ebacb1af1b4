import type { Metrics } from "../role/metrics.ts";

/** Takes what a client says of itself, as `event.stats` gives it. */
export type TellStatistics = (event: Readonly<{ message: string }>) => void;

/** The parts that are read of librdkafka's statistics (its STATISTICS.md); times are microseconds. */
type LibrdkafkaStatistics = Readonly<{
  name: string;
  type: "producer" | "consumer";
  msg_cnt: number;
  brokers: Readonly<Record<string, BrokerStatistics>>;
  topics: Readonly<Record<string, { partitions: Readonly<Record<string, { fetchq_cnt: number }>> }>>;
}>;
type BrokerStatistics = Readonly<{
  nodeid: number;
  txretries: number;
  req_timeouts: number;
  disconnects: number;
  rtt: Readonly<{ p99: number }>;
}>;

type ClientStatistics = Readonly<{
  kind: LibrdkafkaStatistics["type"];
  at: number;
  totals: Readonly<Record<string, number>>;
  queued: number;
  roundTrip: number;
}>;

/** A client that has said nothing for so long is closed. */
const silentMs = 15_000;
const counted = ["txretries", "req_timeouts", "disconnects"] as const;

/**
 * The statistics of all clients of a process as metrics, by what kind of client it is and nothing else: brokers, topics
 * and partitions would make a series each. Counts go on when a client is replaced by another.
 */
export function makeStatistics(metrics: Metrics): TellStatistics {
  const gauges = {
    queued: metrics.gauge(
      "kafka_client_queue_records",
      "records in the client: to be sent, or fetched and not yet taken",
      ["client"],
    ),
    roundTrip: metrics.gauge(
      "kafka_client_round_trip_seconds",
      "99th percentile of the slowest broker's answers, 5 s",
      ["client"],
    ),
  };
  const counters = {
    txretries: metrics.counter("kafka_client_retries_total", "requests that were sent again", ["client"]),
    req_timeouts: metrics.counter("kafka_client_timeouts_total", "requests that had no answer in time", ["client"]),
    disconnects: metrics.counter("kafka_client_disconnects_total", "connections to brokers that ended", ["client"]),
  };
  const clients = new Map<string, ClientStatistics>();
  return ({ message }) => {
    const said: LibrdkafkaStatistics = JSON.parse(message);
    const kind = said.type;
    const brokers = Object.values(said.brokers);
    const before = clients.get(said.name);
    const totals = Object.fromEntries(counted.map((name) => [name, sum(brokers.map((broker) => broker[name]))]));
    for (const name of counted)
      counters[name].inc({ client: kind }, Math.max(0, (totals[name] ?? 0) - (before?.totals[name] ?? 0)));
    const fetched = Object.values(said.topics).flatMap(({ partitions }) => Object.values(partitions));
    clients.set(said.name, {
      kind,
      at: performance.now(),
      totals,
      queued: said.msg_cnt + sum(fetched.map(({ fetchq_cnt }) => fetchq_cnt)),
      roundTrip: Math.max(0, ...brokers.map(({ rtt }) => rtt.p99)) / 1e6,
    });
    for (const [name, { at }] of clients) if (performance.now() - at > silentMs) clients.delete(name);
    const same = [...clients.values()].filter((one) => one.kind === kind);
    gauges.queued.set({ client: kind }, sum(same.map(({ queued }) => queued)));
    gauges.roundTrip.set({ client: kind }, Math.max(...same.map(({ roundTrip }) => roundTrip)));
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
