import type { Broker } from "../messages/broker.ts";
import { openAdmin } from "./administer.ts";
import { joinGroup, type Ghosts } from "./membership.ts";
import { makeNaming } from "./naming.ts";
import { openProducer } from "./produce.ts";
import { makeExplain } from "./refused.ts";
import { sayRefusals } from "./say-refusals.ts";
import type { OpenBroker } from "./open-broker.ts";
import { clientOptions, kafkaSettings, type KafkaConfig } from "./settings.ts";
import { tail } from "./tail.ts";
import { loadRdKafka } from "../librdkafka/load.ts";
import { makeStatistics } from "../librdkafka/statistics.ts";

export { kafkaSettings, type KafkaConfig };

/**
 * The broker port by the driver that is configured. Where the second one cannot be had, this says why and the first one
 * serves: both write the same records and make one group.
 */
export async function openBroker(config: KafkaConfig, options: OpenBroker): Promise<Broker> {
  // Their names are told by every role, whichever driver serves it.
  const tellStatistics = options.metrics === undefined ? () => {} : makeStatistics(options.metrics);
  if (config.driver !== "librdkafka") return openFirst(config, options);
  const client = await loadRdKafka();
  if ("reason" in client) {
    options.log.warn("kafka_driver_missing", { wanted: "librdkafka", serves: "platformatic", why: client.reason });
    return openFirst(config, options);
  }
  options.log.info("kafka_driver", { driver: "librdkafka", version: client.librdkafkaVersion });
  const { openRdKafkaBroker } = await import("../librdkafka/librdkafka-broker.ts");
  return openRdKafkaBroker(client, config, { ...options, tellStatistics });
}

/**
 * The broker port over `@platformatic/kafka`, which runs in Bun and in Node. Nothing is connected before it is used, so
 * a role starts while Kafka is down; `clientId` is what Kafka's own logs and group descriptions call this process.
 */
function openFirst(config: KafkaConfig, { clientId, log, gatherMs }: OpenBroker): Broker {
  const base = clientOptions(config, clientId);
  const naming = makeNaming(config.prefix);
  const admin = openAdmin(base, naming, log);
  const ghosts: Ghosts = new Set();
  const explain = makeExplain(config.saslMechanism === null ? null : config.saslUsername, naming);
  const broker: Broker = {
    producer: () => openProducer(base, naming, log),
    join: (options) => joinGroup({ ...base, gatherMs }, naming, admin, ghosts, log, options),
    tail: (options) => tail(base, naming, log, options, explain),
    admin,
    [Symbol.asyncDispose]: () => admin[Symbol.asyncDispose](),
  };
  return sayRefusals(broker, explain);
}
