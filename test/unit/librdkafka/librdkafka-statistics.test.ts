import { expect, test } from "bun:test";
import { makeStatistics } from "../../../shared/librdkafka/statistics.ts";
import { makeMetrics } from "../../../shared/role/metrics.ts";

const broker = (txretries: number, p99: number) => ({
  nodeid: 1,
  txretries,
  req_timeouts: 0,
  disconnects: 1,
  rtt: { p99 },
});
const event = (
  name: string,
  type: string,
  of: Readonly<{ queued: number; retries: number; p99: number; fetched: number }>,
) => ({
  message: JSON.stringify({
    name,
    type,
    msg_cnt: of.queued,
    brokers: { "127.0.0.1:9092/1": broker(of.retries, of.p99), GroupCoordinator: broker(0, 10) },
    topics: { t: { partitions: { "0": { fetchq_cnt: of.fetched }, "-1": { fetchq_cnt: 0 } } } },
  }),
});
const valuesOf = async (text: Promise<string>) =>
  Object.fromEntries(
    (await text)
      .split("\n")
      .filter((line) => line.startsWith("kafka_client_"))
      .map((line) => [
        line.slice(0, line.lastIndexOf(" ")).replace(',role="outbox-relay"', ""),
        Number(line.split(" ").at(-1)),
      ]),
  );

test("clients of a kind are added up, and their counts go on when one is replaced", async () => {
  const metrics = makeMetrics("outbox-relay", { process: false });
  const tell = makeStatistics(metrics);
  tell(event("c-1", "consumer", { queued: 0, retries: 2, p99: 4_000, fetched: 7 }));
  tell(event("c-2", "consumer", { queued: 0, retries: 1, p99: 9_000, fetched: 5 }));
  tell(event("c-1", "consumer", { queued: 0, retries: 5, p99: 3_000, fetched: 1 }));
  tell(event("p-1", "producer", { queued: 40, retries: 0, p99: 2_000, fetched: 0 }));
  expect(await valuesOf(metrics.text())).toEqual({
    'kafka_client_queue_records{client="consumer"}': 6,
    'kafka_client_queue_records{client="producer"}': 40,
    'kafka_client_round_trip_seconds{client="consumer"}': 0.009,
    'kafka_client_round_trip_seconds{client="producer"}': 0.002,
    'kafka_client_retries_total{client="consumer"}': 6,
    'kafka_client_retries_total{client="producer"}': 0,
    'kafka_client_timeouts_total{client="consumer"}': 0,
    'kafka_client_timeouts_total{client="producer"}': 0,
    'kafka_client_disconnects_total{client="consumer"}': 4,
    'kafka_client_disconnects_total{client="producer"}': 2,
  });
});
