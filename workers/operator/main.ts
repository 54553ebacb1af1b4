// Reads every group's positions, the outbox and what groups gave up on, tells them as metrics, serves the operator's
// page and API. Writes the audit and what operators change, each change safe to repeat by its id; any number may run.
import "../../shared/role/catch-signals.ts";
import { readSoundSchemas } from "./sound-schemas.ts";
import { openCodec, type Codec } from "../../shared/avro/codec.ts";
import { optionalUrl, readConfig } from "../../shared/role/config.ts";
import { openPage } from "../../shared/http/open-page.ts";
import { trustedProxies } from "../../shared/limits/client-address.ts";
import { databaseSettings, openDb } from "../../shared/postgres/db.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { readTopicLayouts } from "../../shared/outbox/topic-layouts.ts";
import { openRegistry, registrySettings } from "../../shared/avro/registry.ts";
import { runRole } from "../../shared/role/role.ts";
import { uuidV7 } from "../../shared/uuid.ts";
import { buildApp } from "./app.ts";
import { guessesPerMinute, openGuesses } from "./http/brake-guesses.ts";
import { openJobs } from "./http/jobs.ts";
import { operatorToken } from "./http/operator-token.ts";
import { measureFailures, measureTables } from "./measure-failures.ts";
import { measureLag } from "./measure-lag.ts";
import { once } from "./once.ts";
import { topicSettings } from "./plan-topics.ts";
import { readOutbox } from "./read-outbox.ts";
import { watchBacklog } from "./watch-backlog.ts";

const settings = {
  database: databaseSettings,
  kafka: kafkaSettings,
  topics: topicSettings,
  token: operatorToken,
  guessesPerMinute,
  trustedProxies,
  // May be unset; a wrong one is told at the start like every other setting.
  registryUrl: optionalUrl("SCHEMA_REGISTRY_URL", ["http", "https"]),
};

await runRole("operator", settings, async (role, config) => {
  const { log, metrics, name, now } = role;
  const page = await openPage(`${import.meta.dirname}/page`);
  await using db = await openDb(config.database, { role: name, poolSize: 6, log, metrics, starting: role });
  await using broker = await openBroker(config.kafka, { clientId: `taskwire-${name}`, log });
  // Only decoding needs it: lag and holds are told while the registry is down, or not even set.
  const registry = () => openRegistry(readConfig(registrySettings, process.env), metrics);
  const codec = once<Codec>(() => openCodec({ registry: registry(), db, log }));
  await using jobs = openJobs(role.signal, log);
  const app = buildApp({
    http: { version: "1", newId: () => uuidV7(), log, metrics },
    token: config.token,
    guesses: openGuesses(config.guessesPerMinute),
    trustedProxies: config.trustedProxies,
    page,
    deps: {
      db,
      broker,
      codec,
      registry,
      topicSettings: config.topics,
      jobs,
      now,
      readSchemas: readSoundSchemas,
      env: process.env,
    },
  });
  const served = role.serve((request) => app.fetch(request));
  const watched = watchBacklog(
    {
      lag: () => measureLag(broker.admin, now()),
      outbox: () => readOutbox(db.sql),
      failures: () => measureFailures(db.sql),
      tables: () => measureTables(db.sql),
      topics: () => broker.admin.topics(),
      layouts: () => readTopicLayouts(db.sql),
      everyMs: 15_000,
    },
    role,
  );
  await Promise.all([watched, served]);
});
