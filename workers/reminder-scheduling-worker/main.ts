// Reads task-events and asks the reminder service, through reminder-commands, for the reminders a task wants; keeps preferences.
// Many may run: a task's row is locked while it is decided. Replay is safe: what was asked for is not asked for again.
import { authSettings, openAuth } from "../../shared/http/auth.ts";
import { openCodec } from "../../shared/codec.ts";
import { consume } from "../../shared/consume/consume.ts";
import { databaseSettings, openDb } from "../../shared/postgres/db.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { outboxChannel } from "../../shared/outbox/outbox.ts";
import { allowPrivateSetting } from "../../shared/public-address.ts";
import { openRegistry, registrySettings } from "../../shared/registry.ts";
import { runRole } from "../../shared/role.ts";
import { every } from "../../shared/timers/every.ts";
import { buildApp } from "./app.ts";
import { changePreferences, findPreferences } from "./keep-preferences.ts";
import { redecideTasks } from "./redecide-tasks.ts";
import { makeWantReminders } from "./want-reminders.ts";

const settings = {
  database: databaseSettings,
  kafka: kafkaSettings,
  registry: registrySettings,
  auth: authSettings,
  allowPrivate: allowPrivateSetting,
};
const redecideMs = 500;

await runRole("reminder-scheduling-worker", settings, async (role, config) => {
  const { log, metrics, name, now, signal } = role;
  const { authenticate } = openAuth(config.auth);
  await using db = await openDb(config.database, { role: name, poolSize: 10, log, metrics });
  await using outbox = db.notifier(outboxChannel);
  // Nobody watches this: what comes within a fifth of a second is handled together, and leaves the machine to those who are watched.
  await using broker = await openBroker(config.kafka, { clientId: name, log, gatherMs: 200 });
  const codec = await openCodec({ registry: openRegistry(config.registry, metrics), db, log, signal });
  const foreign = metrics.counter(
    "wanted_foreign_user_total",
    "Task events of another user's task, merged into nothing.",
    ["type"],
  );
  const app = buildApp({
    readPreferences: (userId) => findPreferences(db.sql, userId),
    changePreferences: (change) => changePreferences(db, change),
    allowPrivate: config.allowPrivate,
    authenticate,
    newId: () => Bun.randomUUIDv7(),
    log,
    metrics,
  });
  const served = role.serve(app.fetch);
  await Promise.all([
    consume(
      {
        broker,
        db,
        codec,
        lanes: 2,
        topics: ["task-events"],
        group: "reminder-scheduling-worker",
        handleBatch: makeWantReminders({ countForeign: (type) => foreign.inc({ type }) }),
      },
      role,
    ),
    every({ ms: redecideMs, signal, log, name: "redecide" }, async () => {
      while (!signal.aborted && (await redecideTasks({ db, codec, now, notify: outbox.notify })));
    }),
    served,
  ]);
});
