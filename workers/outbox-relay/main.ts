// Publishes the outbox to every topic; writes which shard belongs to which relay, and which rows the broker has.
// Many may run: they share 16 shards by leases. Replay is safe: what is published twice has the same id, and readers tell by it.
import { sleep } from "../../shared/wait.ts";
import { databaseSettings, openDb } from "../../shared/postgres/db.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { outboxChannel } from "../../shared/outbox/outbox.ts";
import { runRole } from "../../shared/role.ts";
import { claimSettings } from "./claim.ts";
import { openLeases } from "./leases.ts";
import { makeMeters } from "./meters.ts";
import { tendPartitions } from "./partitions.ts";
import { relayOutbox } from "./relay-outbox.ts";
import { makeWake } from "./wake.ts";

const settings = { database: databaseSettings, kafka: kafkaSettings };
const watchMs = 5000;
const tendMs = 600_000;
const quietMs = 15_000;
/** Twice as long as the longest a turn may take: a send that nobody answers is given up after 45 s, a statement after less. */
const deadMs = 120_000;

await runRole("outbox-relay", settings, async ({ name, signal, log, metrics, readyWhen, healthyWhile }, config) => {
  await using db = await openDb(config.database, { role: name, poolSize: 6, log, metrics, settings: claimSettings });
  await using broker = await openBroker(config.kafka, { clientId: name, log });
  await using producer = await broker.producer();
  const wake = makeWake();
  signal.addEventListener("abort", wake.wake);
  const listener = await db.listen(outboxChannel, wake.wake);
  const instance = crypto.randomUUID();
  await using leases = await openLeases({ db, instance, log, onAcquired: wake.wake });
  const meters = makeMeters(metrics, () => leases.held().length);

  let lastRound = performance.now();
  let lastTurn = performance.now();
  readyWhen("listening", listener.isListening);
  readyWhen("outbox", () => performance.now() - lastRound < quietMs);
  // Not the round: no restart brings back a database or a broker.
  healthyWhile("outbox", () => performance.now() - lastTurn < deadMs);
  const every = async (ms: number, step: "watch" | "partitions", work: () => Promise<void>): Promise<void> => {
    while (!signal.aborted) {
      await work().catch((error: unknown) => {
        meters.failed(step);
        log.warn(`${step}_failed`, { error });
      });
      await sleep(ms, signal);
    }
  };
  await Promise.all([
    relayOutbox({
      db,
      producer,
      instance,
      leases,
      wake,
      signal,
      log,
      meters,
      onRound: () => (lastRound = performance.now()),
      onTurn: () => (lastTurn = performance.now()),
    }),
    every(watchMs, "watch", () => meters.watch(db)),
    every(tendMs, "partitions", () => tendPartitions(db, log)),
  ]);
});
