// Reads reminder-commands and task-events, keeps every reminder, fires them when due, writes reminders through the outbox.
// Many may run: a task's guard row is locked while its reminders change, and firing is a compare-and-set in Postgres.
// Replay is safe: what is folded already changes nothing, and ids are computed. Redis only wakes it in time.
import { authSettings, openAuth } from "../../shared/http/auth.ts";
import { openCodec } from "../../shared/codec.ts";
import { consume } from "../../shared/consume/consume.ts";
import { databaseSettings, openDb } from "../../shared/postgres/db.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { outboxChannel } from "../../shared/outbox/outbox.ts";
import { openRegistry, registrySettings } from "../../shared/registry.ts";
import { runRole } from "../../shared/role.ts";
import { dueRows } from "../../shared/timers/due-rows.ts";
import { runTimers } from "../../shared/timers/run-timers.ts";
import { openWakeups, redisSettings } from "../../shared/timers/wakeups.ts";
import { buildApp } from "./app.ts";
import { makeFireReminders } from "./fire-reminders.ts";
import { makeKeepReminders } from "./keep-reminders.ts";
import { openReminderQuota, ownReminders } from "./reminder-quota.ts";

const settings = {
  database: databaseSettings,
  kafka: kafkaSettings,
  registry: registrySettings,
  redis: redisSettings,
  auth: authSettings,
  quota: ownReminders,
};

await runRole("reminder-service", settings, async (role, config) => {
  const { log, metrics, name, now } = role;
  const { authenticate } = openAuth(config.auth);
  // The consumer's lanes, firing, sweeping and filling, and the HTTP requests.
  await using db = await openDb(config.database, { role: name, poolSize: 20, log, metrics });
  await using outbox = db.notifier(outboxChannel);
  // Nobody watches this: what comes within a fifth of a second is handled together, and leaves the machine to those who are watched.
  await using broker = await openBroker(config.kafka, { clientId: name, log, gatherMs: 200 });
  const codec = await openCodec({ registry: openRegistry(config.registry, metrics), db, log, signal: role.signal });
  await using wakeups = await openWakeups(config.redis, { queue: "reminders", log });

  const writing = { db, codec, notify: outbox.notify };
  const foreign = metrics.counter(
    "reminder_foreign_user_total",
    "Messages of another user's task, merged into nothing.",
    ["type"],
  );
  const handleBatch = makeKeepReminders({ countForeign: (type) => foreign.inc({ type }) });
  const rows = dueRows(db, {
    table: "reminders",
    due: "remind_at",
    owner: "user_id",
    fire: makeFireReminders(writing),
  });
  const quota = openReminderQuota(config.quota, db);
  const served = role.serve(
    buildApp({ ...writing, quota, authenticate, newId: () => Bun.randomUUIDv7(), now, log, metrics }).fetch,
  );

  await Promise.all([
    consume(
      {
        broker,
        db,
        codec,
        lanes: 2,
        topics: ["reminder-commands", "task-events"],
        group: "reminder-service",
        handleBatch,
      },
      role,
    ),
    runTimers({ db, name: "reminders", wakeups, rows }, role),
    served,
  ]);
});
