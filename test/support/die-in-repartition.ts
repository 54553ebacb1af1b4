// Begins to give a topic 12 partitions by the operator's own action, and is killed once the step it is told of is on
// record.
import { readConfig } from "../../shared/role/config.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { makeLog } from "../../shared/role/log.ts";
import { databaseSettings, openDb } from "../../shared/postgres/db.ts";
import { planRepartition } from "../../workers/operator/actions/repartition-plan.ts";
import { repartitionTopic } from "../../workers/operator/actions/repartition-topic.ts";

const [, , id = "", topic = "", dieAfter = ""] = process.argv;
const log = makeLog({}, "error");
const { database, kafka } = readConfig({ database: databaseSettings, kafka: kafkaSettings }, process.env);
const db = await openDb(database, { role: "ops", poolSize: 2, log });
const { admin } = await openBroker(kafka, { clientId: "dies", log });
const plan = await planRepartition({ sql: db.sql, admin }, { topic, to: 12 }, 0);
await repartitionTopic(
  {
    db,
    admin,
    signal: new AbortController().signal,
    onStep: (step) => {
      if (step === dieAfter) process.kill(process.pid, "SIGKILL");
    },
  },
  { id, plan, by: { who: "mortal", via: "cli", reason: null } },
);
