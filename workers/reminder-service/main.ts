// Reads reminder-commands and task-events, keeps every reminder, fires them when due, writes reminders through the
// outbox. Many may run: a task's guard row is locked while its reminders change, and firing is a compare-and-set in
// Postgres. Replay is safe: what is folded already changes nothing, and ids are computed. Redis only wakes it in time.
import "../../shared/role/catch-signals.ts";
import { authSettings, openAuth } from "../../shared/http/auth.ts";
import { openCodec } from "../../shared/avro/codec.ts";
import { consume } from "../../shared/consume/consume.ts";
import { databaseSettings, openDb } from "../../shared/postgres/db.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { outboxChannel } from "../../shared/outbox/outbox.ts";
import { openRegistry, registrySettings } from "../../shared/avro/registry.ts";
import { runRole } from "../../shared/role/role.ts";
import { makePace, telling } from "../../shared/waiting/pace.ts";
import { dueRows } from "../../shared/timers/due-rows.ts";
import { runTimers } from "../../shared/timers/run-timers.ts";
import { openWakeups, redisSettings } from "../../shared/timers/wakeups.ts";
import { keepRezoned } from "../../shared/zones/rezone.ts";
import { uuidV7 } from "../../shared/uuid.ts";
import { buildApp } from "./app.ts";
import { makeFireReminders } from "./fire-reminders.ts";
import { makeKeepReminders } from "./keep-reminders.ts";
import { openReminderQuota, ownReminders } from "./reminder-quota.ts";
import { rezoneSnoozes } from "./rezone-snoozes.ts";

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
  const { authenticate } = openAuth(config.auth, now);
  // The consumer's lanes, firing, sweeping and filling, and the HTTP requests.
  await using db = await openDb(config.database, { role: name, poolSize: 20, log, metrics, starting: role });
  await using outbox = db.notifier(outboxChannel);
  // Background work: batches of 200 ms, so that the roles whose results people wait for get the CPU.
  await using broker = await openBroker(config.kafka, { clientId: name, log, metrics, gatherMs: 200 });
  const codec = await openCodec({ registry: openRegistry(config.registry, metrics), db, log, signal: role.signal });
  await using wakeups = await openWakeups(config.redis, { queue: "reminders", log });

  // Every instance has timers of its own, so that who writes a reminder tells its own.
  const pace = makePace({ name: "fill_reminders", oftenMs: 500, seldomMs: 5_000, metrics });
  const writing = { db, codec, notify: telling(pace, outbox.notify) };
  const foreign = metrics.counter(
    "reminder_foreign_user_total",
    "Messages of another user's task, merged into nothing.",
    ["type"],
  );
  const handleBatch = telling(pace, makeKeepReminders({ countForeign: (type) => foreign.inc({ type }) }));
  const fire = makeFireReminders(writing);
  const rows = dueRows(db, { table: "reminders", due: "remind_at", owner: "user_id", fire });
  const quota = openReminderQuota(config.quota, db);
  const served = role.serve(
    buildApp({ ...writing, quota, authenticate, newId: () => uuidV7(), now, log, metrics }).fetch,
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
    runTimers({ db, name: "reminders", wakeups, rows, pace }, role),
    keepRezoned({ db, part: "snoozes", step: rezoneSnoozes({ ...writing, now }) }, role),
    served,
  ]);
});
