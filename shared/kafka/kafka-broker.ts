import type { Broker } from "../broker.ts";
import type { Log } from "../log.ts";
import { openAdmin } from "./administer.ts";
import { joinGroup, type Ghosts } from "./membership.ts";
import { makeNaming } from "./naming.ts";
import { openProducer } from "./produce.ts";
import { clientOptions, kafkaSettings, type KafkaConfig } from "./settings.ts";
import { tail } from "./tail.ts";

export { kafkaSettings, type KafkaConfig };

export type OpenBroker = Readonly<{
  clientId: string;
  log: Log;
  /**
   * How long a member's fetch may wait for company, ms; by default a fetch answers with the first record. A fetch and its
   * transaction cost 3 ms of CPU whether they bring one record or fifty: for those nobody waits for on a screen.
   */
  gatherMs?: number;
}>;

/**
 * The broker port over `@platformatic/kafka`, which runs inside Bun. Nothing is connected before it is used, so a role starts
 * while Kafka is down; `clientId` is what Kafka's own logs and group descriptions call this process.
 */
export function openBroker(config: KafkaConfig, { clientId, log, gatherMs }: OpenBroker): Promise<Broker> {
  const base = clientOptions(config, clientId);
  const naming = makeNaming(config.prefix);
  const admin = openAdmin(base, naming, log);
  const ghosts: Ghosts = new Set();
  const pace =
    gatherMs === undefined ? { maxWaitTime: 500, minBytes: 1 } : { maxWaitTime: gatherMs, minBytes: 64 << 10 };
  return Promise.resolve({
    producer: () => openProducer(base, naming, log),
    join: (options) => joinGroup({ ...base, ...pace }, naming, admin, ghosts, log, options),
    tail: (options) => tail(base, naming, log, options),
    admin,
    [Symbol.asyncDispose]: () => admin[Symbol.asyncDispose](),
  });
}
