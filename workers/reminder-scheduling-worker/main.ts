// Reads task-events and asks the reminder service, through reminder-commands, for the reminders a task's due date wants.
// Many may run: a task's row is locked while it is folded. Replay is safe: what was asked for is not asked for again.
import { openCodec } from "../../shared/codec.ts";
import { consume } from "../../shared/consume/consume.ts";
import { databaseSettings, openDb } from "../../shared/postgres/db.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { openRegistry, registrySettings } from "../../shared/registry.ts";
import { runRole } from "../../shared/role.ts";
import { reminderRulesSetting } from "./reminder-rules.ts";
import { makeWantReminders } from "./want-reminders.ts";

const settings = {
  database: databaseSettings,
  kafka: kafkaSettings,
  registry: registrySettings,
  rules: reminderRulesSetting,
};

await runRole("reminder-scheduling-worker", settings, async (role, config) => {
  const { log, metrics, name } = role;
  await using db = await openDb(config.database, { role: name, poolSize: 10, log, metrics });
  // Nobody watches this: what comes within a fifth of a second is handled together, and leaves the machine to those who are watched.
  await using broker = await openBroker(config.kafka, { clientId: name, log, gatherMs: 200 });
  const codec = await openCodec({ registry: openRegistry(config.registry, metrics), db, log });
  const handleBatch = makeWantReminders(config.rules);
  await consume(
    { broker, db, codec, lanes: 2, topics: ["task-events"], group: "reminder-scheduling-worker", handleBatch },
    role,
  );
});
