import type { Broker } from "../messages/broker.ts";
import { openAdmin } from "../kafka/administer.ts";
import type { OpenBroker } from "../kafka/open-broker.ts";
import { makeNaming } from "../kafka/naming.ts";
import { makeExplain } from "../kafka/refused.ts";
import { sayRefusals } from "../kafka/say-refusals.ts";
import { clientOptions, type KafkaConfig } from "../kafka/settings.ts";
import { tail } from "../kafka/tail.ts";
import type { RdKafka } from "./load.ts";
import { joinGroup } from "./membership.ts";
import { openProducer } from "./produce.ts";
import { rdKafkaOptions } from "./settings.ts";
import type { TellStatistics } from "./statistics.ts";

/**
 * The broker port over librdkafka: what a role does all day, sending and reading as a member, is done by it. Its client
 * has no call that alters a topic's settings or moves a group's commits, and none that fetches at an offset and says
 * what of the log is a hole: administration and tails are the first driver's, which runs under Node too.
 */
export function openRdKafkaBroker(
  client: RdKafka,
  config: KafkaConfig,
  { clientId, log, gatherMs, tellStatistics = () => {} }: OpenBroker & Readonly<{ tellStatistics?: TellStatistics }>,
): Broker {
  const base = rdKafkaOptions(config, clientId);
  const first = clientOptions(config, clientId);
  const naming = makeNaming(config.prefix);
  const admin = openAdmin(first, naming, log);
  const pace =
    gatherMs === undefined
      ? { "fetch.wait.max.ms": 500, "fetch.min.bytes": 1 }
      : { "fetch.wait.max.ms": gatherMs, "fetch.min.bytes": 64 << 10 };
  const explain = makeExplain(config.saslMechanism === null ? null : config.saslUsername, naming);
  const broker: Broker = {
    producer: () => openProducer(client, base, naming, log, tellStatistics),
    join: (options) => joinGroup({ client, base, pace, naming, admin, log, tellStatistics }, options),
    tail: (options) => tail(first, naming, log, options, explain),
    admin,
    [Symbol.asyncDispose]: () => admin[Symbol.asyncDispose](),
  };
  return sayRefusals(broker, explain);
}
