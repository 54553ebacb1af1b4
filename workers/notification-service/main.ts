// Reads reminders, writes a delivery per fired reminder and channel, and sends them: handler and sender meet in the table only.
// Many may run: a delivery is claimed under a lease. Replay is safe: deliveries are unique by event and channel, and are
// sent at least once with the same id.
import { authSettings, openAuth } from "../../shared/http/auth.ts";
import { openCodec } from "../../shared/codec.ts";
import { consume } from "../../shared/consume/consume.ts";
import { databaseSettings, openDb } from "../../shared/postgres/db.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { openRegistry, registrySettings } from "../../shared/registry.ts";
import { runRole } from "../../shared/role.ts";
import { buildApp } from "./app.ts";
import { channelSettings, makeChannels } from "./channels.ts";
import { sendDeliveries } from "./send-deliveries.ts";
import { makeWake } from "./wake.ts";
import { makeWriteDeliveries } from "./write-deliveries.ts";

const settings = {
  database: databaseSettings,
  kafka: kafkaSettings,
  registry: registrySettings,
  auth: authSettings,
  channels: channelSettings,
};

await runRole("notification-service", settings, async (role, config) => {
  const { log, metrics, name, now } = role;
  const { authenticate } = openAuth(config.auth);
  const senders = makeChannels(config.channels, { log, now }).map((channel) => ({ channel, wake: makeWake() }));
  // The consumer's lanes, the senders, and the HTTP requests.
  await using db = await openDb(config.database, { role: name, poolSize: 16, log, metrics });
  await using broker = await openBroker(config.kafka, { clientId: name, log });
  const codec = await openCodec({ registry: openRegistry(config.registry, metrics), db, log });
  role.serve(buildApp({ db, authenticate, newId: () => Bun.randomUUIDv7(), log, metrics }).fetch);

  const handleBatch = makeWriteDeliveries(
    senders.map(({ channel }) => channel.name),
    () => senders.forEach(({ wake }) => wake.soon()),
  );
  const leaseMs = config.channels.timeoutMs + 5_000;
  await Promise.all([
    consume({ broker, db, codec, topics: ["reminders"], group: "notification-service", handleBatch }, role),
    ...senders.map((sender) => sendDeliveries({ db, ...sender, leaseMs }, role)),
  ]);
});
