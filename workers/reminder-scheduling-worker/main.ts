// Reads task-events and asks the reminder service, through reminder-commands, for the reminders a task wants; keeps
// preferences. Many may run: a task's row is locked while it is decided. Replay is safe: what was asked for is not
// asked for again.
import "../../shared/role/catch-signals.ts";
import { authSettings, openAuth } from "../../shared/http/auth.ts";
import { openCodec } from "../../shared/avro/codec.ts";
import { consume } from "../../shared/consume/consume.ts";
import { databaseSettings, openDb } from "../../shared/postgres/db.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { outboxChannel } from "../../shared/outbox/outbox.ts";
import { allowPrivateSetting } from "../../shared/http/public-address.ts";
import { openRegistry, registrySettings } from "../../shared/avro/registry.ts";
import { runRole } from "../../shared/role/role.ts";
import { makePace } from "../../shared/waiting/pace.ts";
import { every } from "../../shared/timers/every.ts";
import { keepRezoned } from "../../shared/zones/rezone.ts";
import { uuidV7 } from "../../shared/uuid.ts";
import { buildApp } from "./app.ts";
import { changePreferences, findPreferences } from "./keep-preferences.ts";
import { redecideTasks } from "./redecide-tasks.ts";
import { rezoneReminders } from "./rezone-reminders.ts";
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
  const { authenticate } = openAuth(config.auth, now);
  await using db = await openDb(config.database, { role: name, poolSize: 10, log, metrics, starting: role });
  await using outbox = db.notifier(outboxChannel);
  // Background work: batches of 200 ms, so that the roles whose results people wait for get the CPU.
  await using broker = await openBroker(config.kafka, { clientId: name, log, metrics, gatherMs: 200 });
  const codec = await openCodec({ registry: openRegistry(config.registry, metrics), db, log, signal });
  const foreign = metrics.counter(
    "wanted_foreign_user_total",
    "Task events of another user's task, merged into nothing.",
    ["type"],
  );
  const pace = makePace({ name: "redecide", oftenMs: redecideMs, seldomMs: 5_000, metrics });
  const app = buildApp({
    readPreferences: (userId) => findPreferences(db.sql, userId),
    changePreferences: async (change) => {
      const changed = await changePreferences(db, change);
      pace.told();
      return changed;
    },
    allowPrivate: config.allowPrivate,
    authenticate,
    newId: () => uuidV7(),
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
    every({ ...role, ms: redecideMs, name: "redecide", pace }, async () => {
      while (!signal.aborted && (await redecideTasks({ db, codec, now, notify: outbox.notify }))) pace.found();
    }),
    keepRezoned({ db, part: "reminders", step: rezoneReminders({ db, codec, now, notify: outbox.notify }) }, role),
    served,
  ]);
});
