// Reads task-events, follows recurring templates and asks, through task-commands, for their occurrences: when one is
// completed, and by timer when its due passes. Many may run: a series' row is locked while it advances. Replay is safe:
// what is folded already changes nothing, and an occurrence's id is computed from series and recurrence id. Redis only
// wakes it in time.
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
import { makeChangeOccurrence } from "./change-occurrence.ts";
import { makeFireSeries } from "./fire-series.ts";
import { followTasks } from "./follow-tasks.ts";
import { rezoneSeries } from "./rezone-series.ts";

const settings = {
  database: databaseSettings,
  kafka: kafkaSettings,
  registry: registrySettings,
  redis: redisSettings,
  auth: authSettings,
};

await runRole("recurring-task-worker", settings, async (role, config) => {
  const { log, metrics, name, now } = role;
  const { authenticate } = openAuth(config.auth, now);
  // The consumer's lanes, firing, sweeping and filling, and the HTTP requests.
  await using db = await openDb(config.database, { role: name, poolSize: 20, log, metrics, starting: role });
  await using outbox = db.notifier(outboxChannel);
  // Background work: batches of 200 ms, so that the roles whose results people wait for get the CPU.
  await using broker = await openBroker(config.kafka, { clientId: name, log, metrics, gatherMs: 200 });
  const codec = await openCodec({ registry: openRegistry(config.registry, metrics), db, log, signal: role.signal });
  await using wakeups = await openWakeups(config.redis, { queue: "occurrences", log });

  // Every instance has timers of its own, so that who writes a series tells its own.
  const pace = makePace({ name: "fill_occurrences", oftenMs: 500, seldomMs: 5_000, metrics });
  const onWritten = telling(pace, outbox.notify);
  const fire = makeFireSeries({ db, codec, onWritten });
  const rows = dueRows(db, { table: "series", due: "wake_at", owner: "user_id", fire });
  const changeOccurrence = makeChangeOccurrence({ db, codec, onWritten });
  const newId = () => uuidV7();
  const cpuMs = () => process.cpuUsage().user / 1000;
  const served = role.serve(buildApp({ db, changeOccurrence, authenticate, newId, now, log, metrics, cpuMs }).fetch);

  await Promise.all([
    consume(
      {
        broker,
        db,
        codec,
        lanes: 2,
        topics: ["task-events"],
        group: "recurring-task-worker",
        handleBatch: telling(pace, followTasks),
      },
      role,
    ),
    runTimers({ db, name: "occurrences", wakeups, rows, pace }, role),
    keepRezoned({ db, part: "series", step: rezoneSeries({ db, codec, onWritten }) }, role),
    served,
  ]);
});
