// Publishes the outbox to every topic; writes which shard belongs to which relay, and which rows the broker has. Many
// may run: they share 16 shards by leases. Replay is safe: what is published twice has the same id, and readers tell by
// it.
import "../../shared/role/catch-signals.ts";
import { databaseSettings, openDb } from "../../shared/postgres/db.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { outboxChannel } from "../../shared/outbox/outbox.ts";
import { runRole } from "../../shared/role/role.ts";
import { untilUp } from "../../shared/role/until-up.ts";
import { keepUp } from "../../shared/role/upkeep.ts";
import { claimSettings } from "./claim.ts";
import { makeLayouts } from "./layouts.ts";
import { openLeases } from "./leases.ts";
import { makeMeters } from "./meters.ts";
import { outboxUpkeep } from "./partitions.ts";
import { relayOutbox } from "./relay-outbox.ts";
import { openRenewableProducer } from "./renewable-producer.ts";
import { makeWake } from "../../shared/waiting/wake.ts";
import { watchOutbox } from "./watch-outbox.ts";

const settings = { database: databaseSettings, kafka: kafkaSettings };
const tendMs = 600_000;
const quietMs = 15_000;
/**
 * Twice as long as the longest a turn may take: a send that nobody answers is given up after 45 s, a statement after
 * less.
 */
const deadMs = 120_000;

await runRole("outbox-relay", settings, async (role, config) => {
  const { name, signal, log, metrics, readyWhen, healthyWhile, tellOutage } = role;
  await using db = await openDb(config.database, {
    role: name,
    poolSize: 6,
    log,
    metrics,
    starting: role,
    settings: claimSettings,
  });
  await using broker = await openBroker(config.kafka, { clientId: name, log, metrics });
  await using producer = await openRenewableProducer(broker.producer);
  const wake = makeWake();
  signal.addEventListener("abort", wake.now);
  const layouts = makeLayouts({ db, admin: broker.admin, renewProducer: producer.renew, wake: wake.now, log });
  // A replica lets nobody listen.
  const starting = { part: "listening", signal, log, tell: tellOutage };
  const listener = await untilUp(starting, () => db.listen(outboxChannel, layouts.heard));
  const instance = crypto.randomUUID();
  await using leases = await openLeases({ db, instance, log, onAcquired: wake.now, tellOutage });
  const meters = makeMeters(metrics, () => leases.held().length);

  let lastRound = performance.now();
  let lastTurn = performance.now();
  readyWhen("listening", listener.isListening);
  readyWhen("outbox", () => performance.now() - lastRound < quietMs);
  // Not the round: no restart brings back a database or a broker.
  healthyWhile("outbox", () => performance.now() - lastTurn < deadMs);
  await Promise.all([
    relayOutbox({
      db,
      producer,
      instance,
      leases,
      layouts,
      wake,
      signal,
      log,
      meters,
      isHeard: listener.isListening,
      tellOutage,
      onRound: () => (lastRound = performance.now()),
      onTurn: () => (lastTurn = performance.now()),
    }),
    layouts.watch(signal),
    watchOutbox({ db, meters, log, signal }),
    keepUp({ everyMs: tendMs, steps: outboxUpkeep(db, log) }, role),
  ]);
});
