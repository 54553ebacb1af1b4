// Reads task-events, follows recurring templates and asks, through task-commands, for their occurrences: when one is completed,
// and by timer when its due passes. Many may run: a series' row is locked while it advances. Replay is safe: what is folded
// already changes nothing, and an occurrence's id is computed from series and recurrence id. Redis only wakes it in time.
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
import { makeChangeOccurrence } from "./change-occurrence.ts";
import { makeFireSeries } from "./fire-series.ts";
import { followTasks } from "./follow-tasks.ts";

const settings = {
  database: databaseSettings,
  kafka: kafkaSettings,
  registry: registrySettings,
  redis: redisSettings,
  auth: authSettings,
};

await runRole("recurring-task-worker", settings, async (role, config) => {
  const { log, metrics, name } = role;
  const { authenticate } = openAuth(config.auth);
  // The consumer's lanes, firing, sweeping and filling, and the HTTP requests.
  await using db = await openDb(config.database, { role: name, poolSize: 20, log, metrics });
  await using outbox = db.notifier(outboxChannel);
  // Nobody watches this: what comes within a fifth of a second is handled together, and leaves the machine to those who are watched.
  await using broker = await openBroker(config.kafka, { clientId: name, log, gatherMs: 200 });
  const codec = await openCodec({ registry: openRegistry(config.registry, metrics), db, log, signal: role.signal });
  await using wakeups = await openWakeups(config.redis, { queue: "occurrences", log });

  const fire = makeFireSeries({ db, codec, onWritten: outbox.notify });
  const rows = dueRows(db, { table: "series", due: "wake_at", owner: "user_id", fire });
  const changeOccurrence = makeChangeOccurrence({ db, codec, onWritten: outbox.notify });
  const newId = () => Bun.randomUUIDv7();
  const served = role.serve(buildApp({ db, changeOccurrence, authenticate, newId, now: role.now, log, metrics }).fetch);

  await Promise.all([
    consume(
      {
        broker,
        db,
        codec,
        lanes: 2,
        topics: ["task-events"],
        group: "recurring-task-worker",
        handleBatch: followTasks,
      },
      role,
    ),
    runTimers({ db, name: "occurrences", wakeups, rows }, role),
    served,
  ]);
});
