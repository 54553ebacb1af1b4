// Reads every group's positions and the outbox, and tells both as metrics. Writes nothing; any number may run.
import { readConfig } from "../../shared/config.ts";
import { databaseSettings, openDb } from "../../shared/postgres/db.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { runRole } from "../../shared/role.ts";
import { measureFailures, measureTables } from "./measure-failures.ts";
import { measureLag } from "./measure-lag.ts";
import { readOutbox } from "./read-outbox.ts";
import { watchBacklog } from "./watch-backlog.ts";

await runRole("operator", async (role) => {
  const config = readConfig({ database: databaseSettings, kafka: kafkaSettings }, process.env);
  await using db = await openDb(config.database, {
    role: role.name,
    poolSize: 2,
    log: role.log,
    metrics: role.metrics,
  });
  await using broker = await openBroker(config.kafka, { clientId: `taskwire-${role.name}`, log: role.log });
  await watchBacklog(
    {
      lag: () => measureLag(broker.admin, role.now()),
      outbox: () => readOutbox(db.sql),
      failures: () => measureFailures(db.sql),
      tables: () => measureTables(db.sql),
      topics: () => broker.admin.topics(),
      everyMs: 15_000,
    },
    role,
  );
});
