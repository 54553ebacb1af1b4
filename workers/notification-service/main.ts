// Reads reminders, writes what each fired one is to send as its user's preferences want it, and sends it: handler and
// senders meet in the tables only. Many may run: a lane is claimed under a lease. Replay is safe: deliveries are unique
// by event and way, and are sent at least once with the same id.
import "../../shared/role/catch-signals.ts";
import { authSettings, openAuth } from "../../shared/http/auth.ts";
import { openCodec } from "../../shared/avro/codec.ts";
import { consume } from "../../shared/consume/consume.ts";
import { databaseSettings, openDb } from "../../shared/postgres/db.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { openRegistry, registrySettings } from "../../shared/avro/registry.ts";
import { runRole } from "../../shared/role/role.ts";
import { every } from "../../shared/timers/every.ts";
import { keepUp } from "../../shared/role/upkeep.ts";
import { keepRezoned } from "../../shared/zones/rezone.ts";
import { uuidV7 } from "../../shared/uuid.ts";
import { buildApp } from "./app.ts";
import { channelSettings } from "./channels/channel-settings.ts";
import { makeChannels } from "./channels/open-channels.ts";
import { breakerPolicy } from "./send/endpoint-health.ts";
import { makeMeasureDeliveries } from "./send/measure-deliveries.ts";
import { openMail } from "./channels/open-mail.ts";
import { deliveriesUpkeep } from "./send/prune-deliveries.ts";
import { replanDeferred } from "./plan/replan-deferred.ts";
import { rezoneDeliveries } from "./plan/rezone-deliveries.ts";
import { sendDeliveries } from "./send/send-deliveries.ts";
import { sendingSettings } from "./send/sending-settings.ts";
import { makeWakes } from "./send/wakes.ts";
import { makeWriteDeliveries } from "./plan/write-deliveries.ts";

const settings = {
  database: databaseSettings,
  kafka: kafkaSettings,
  registry: registrySettings,
  auth: authSettings,
  channels: channelSettings,
  sending: sendingSettings,
};
/** Late reminders of one outage arrive within it; a person who heard nothing for hours can wait as long. */
const collapseMs = 10_000;
const hourMs = 3_600_000;

await runRole("notification-service", settings, async (role, config) => {
  const { log, metrics, name, now, signal } = role;
  const { timeoutMs, smtpUrl, smtpCleartext: allowCleartext } = config.channels;
  const { latePerSecond, disableAfterHours, keepDays } = config.sending;
  const { authenticate } = openAuth(config.auth, now);
  await using mail = smtpUrl === null ? null : openMail({ url: smtpUrl, timeoutMs, allowCleartext });
  const { channels, operatorWays, sendTest } = makeChannels(config.channels, { log, now, mail });
  const channelNames = channels.map((channel) => channel.name);
  const wakes = makeWakes(channelNames);
  // The consumer's lanes, the senders, and the HTTP requests.
  await using db = await openDb(config.database, { role: name, poolSize: 16, log, metrics, starting: role });
  await using broker = await openBroker(config.kafka, { clientId: name, log, metrics });
  const codec = await openCodec({ registry: openRegistry(config.registry, metrics), db, log, signal });
  const newId = () => uuidV7();
  const served = role.serve(buildApp({ db, authenticate, newId, log, metrics, sendTest, onResent: wakes.all }).fetch);

  const handleBatch = makeWriteDeliveries({ operatorWays, collapseMs, onWritten: wakes.soon, metrics });
  const sending = {
    db,
    wakeOf: wakes.of,
    // Resolving a name, then posting.
    leaseMs: 2 * timeoutMs + 5_000,
    collapseMs,
    paceMs: 1_000 / latePerSecond,
    breaker: { ...breakerPolicy, disableAfterMs: disableAfterHours * hourMs },
  };
  const measure = makeMeasureDeliveries(db.sql, metrics, channelNames);
  await Promise.all([
    consume({ broker, db, codec, topics: ["reminders"], group: "notification-service", handleBatch }, role),
    ...channels.map((channel) => sendDeliveries({ ...sending, channel, wake: wakes.to(channel.name) }, role)),
    every({ ...role, ms: 15_000, name: "measure_deliveries" }, measure),
    every({ ...role, ms: 5_000, name: "replan_deferred" }, async () => {
      if ((await replanDeferred(db, { signal })) > 0) wakes.all();
    }),
    keepRezoned({ db, part: "deliveries", step: rezoneDeliveries({ db }) }, role),
    keepUp({ everyMs: hourMs, steps: deliveriesUpkeep(db.sql, { keepDays, signal }, log) }, role),
    served,
  ]);
});
