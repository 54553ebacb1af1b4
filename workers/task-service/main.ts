// Serves /v1/tasks, reads task-commands; writes tasks and, in the same statement, their events for task-events. Many
// may run: a change is stored only on the version it was decided from. Replay is safe: ids of occurrences are computed
// and unique, and a request with an Idempotency-Key keeps its answer with its effect.
import "../../shared/role/catch-signals.ts";
import { authSettings, openAuth } from "../../shared/http/auth.ts";
import { openCodec } from "../../shared/avro/codec.ts";
import { consume } from "../../shared/consume/consume.ts";
import { databaseSettings, openDb } from "../../shared/postgres/db.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { outboxChannel, outboxRow } from "../../shared/outbox/outbox.ts";
import { recordEncodeFailure } from "./record-encode-failure.ts";
import { openRegistry, registrySettings } from "../../shared/avro/registry.ts";
import { runRole } from "../../shared/role/role.ts";
import { keepRezoned } from "../../shared/zones/rezone.ts";
import { uuidV7 } from "../../shared/uuid.ts";
import { buildApp } from "./app.ts";
import { makeEncodeEvent } from "./encode-event.ts";
import { makeHandleTaskCommands } from "./handle-task-commands.ts";
import { makeBatches } from "./make-batches.ts";
import { makeOneAtATime } from "./one-at-a-time.ts";
import { keepPruning } from "./prune-answers.ts";
import { findForChange, readKept } from "./read-tasks.ts";
import { rezoneTasks } from "./rezone-tasks.ts";
import { keepAnswer, storeChange } from "./store-change.ts";
import { storeCreates } from "./store-creates.ts";
import { taskReaders } from "./task-readers.ts";
import { taskTransactions } from "./task-transactions.ts";
import { openTaskQuota, quotaSettings } from "./task-quota.ts";
import type { WriteDeps } from "./write-task.ts";

const settings = {
  database: databaseSettings,
  kafka: kafkaSettings,
  registry: registrySettings,
  auth: authSettings,
  quota: quotaSettings,
};

await runRole("task-service", settings, async (role, config) => {
  const { log, metrics, name, now } = role;
  const { authenticate } = openAuth(config.auth, now);
  // 8 lanes of the consumer and 2 for it, 10 for requests.
  await using db = await openDb(config.database, { role: name, poolSize: 20, log, metrics, starting: role });
  await using broker = await openBroker(config.kafka, { clientId: name, log, metrics });
  const codec = await openCodec({ registry: openRegistry(config.registry, metrics), db, log, signal: role.signal });
  await using outbox = db.notifier(outboxChannel);
  const ignored = metrics.counter("commands_ignored_total", "Commands that no longer applied", ["why"]);
  const write: WriteDeps = {
    now,
    notify: outbox.notify,
    encode: makeEncodeEvent({
      outboxRow: (message, by) => outboxRow(codec, message, by),
      recordFailure: (failed) => recordEncodeFailure(db.sql, failed),
      notify: outbox.notify,
      log,
    }),
    create: makeBatches(storeCreates(db), { maxItems: 256, inFlight: 2, maxWaiting: 10_000 }),
    readKept: readKept(db),
    findForChange: findForChange(db),
    storeChange: storeChange(db),
    keepAnswer: keepAnswer(db),
    quota: openTaskQuota(config.quota, db),
  };
  const app = buildApp({
    http: { version: "1", authenticate, newId: uuidV7, log, metrics },
    write,
    ...taskTransactions(db),
    newId: uuidV7,
    ...taskReaders(db),
    oneAtATime: makeOneAtATime(),
  });
  const served = role.serve((request) => app.fetch(request));
  const handle = makeHandleTaskCommands((why) => ignored.inc({ why }));
  await Promise.all([
    consume({ broker, db, codec, topics: ["task-commands"], group: "task-service", handle }, role),
    keepPruning(db, role),
    keepRezoned({ db, part: "tasks", step: rezoneTasks({ ...write, db, newId: uuidV7, log }) }, role),
    served,
  ]);
});
