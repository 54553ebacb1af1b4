// Reads task-events and reminders, keeps one view per task, writes TaskChanged to task-updates through the outbox.
// Many may run: a view's row is locked while it is folded. Replay is safe: what is folded already changes nothing.
import "../../shared/role/catch-signals.ts";
import { openCodec } from "../../shared/avro/codec.ts";
import { consume } from "../../shared/consume/consume.ts";
import { databaseSettings, openDb } from "../../shared/postgres/db.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { openRegistry, registrySettings } from "../../shared/avro/registry.ts";
import { runRole } from "../../shared/role/role.ts";
import { makeBroadcastChanges } from "./broadcast-changes.ts";

const settings = { database: databaseSettings, kafka: kafkaSettings, registry: registrySettings };

await runRole("task-update-broadcaster", settings, async (role, config) => {
  const { log, metrics, name } = role;
  await using db = await openDb(config.database, { role: name, poolSize: 10, log, metrics, starting: role });
  await using broker = await openBroker(config.kafka, { clientId: name, log, metrics });
  const codec = await openCodec({ registry: openRegistry(config.registry, metrics), db, log, signal: role.signal });
  const foreign = metrics.counter(
    "broadcaster_foreign_user_total",
    "Messages whose user is not the task's, merged into nothing",
    ["type"],
  );
  const handleBatch = makeBroadcastChanges({ countForeign: (type) => foreign.inc({ type }) });
  await consume(
    { broker, db, codec, topics: ["task-events", "reminders"], group: "task-update-broadcaster", handleBatch },
    role,
  );
});
