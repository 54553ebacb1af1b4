import type { Admin } from "../messages/broker.ts";
import type { Acl } from "./acls.ts";

/** A call of the broker port, as far as a broker has to allow it. */
export type BrokerCall = keyof Admin | "send" | "join" | "tail";

type Operations = readonly Acl["operation"][];
type CallNeeds = Readonly<{ topic?: Operations; group?: Operations }>;

/**
 * What a broker asks of a principal for each call, on each topic and group that the call is about (Kafka's and
 * Redpanda's handlers agree). A call added to the port does not compile until it stands here.
 */
export const callNeeds: Readonly<Record<BrokerCall, CallNeeds>> = {
  // An idempotent producer needs nothing on the cluster: since Kafka 2.8, and on Redpanda, WRITE on any topic is
  // enough.
  send: { topic: ["WRITE"] },
  join: { topic: ["READ"], group: ["READ"] },
  tail: { topic: ["READ"] },
  topics: { topic: ["DESCRIBE", "DESCRIBE_CONFIGS"] },
  createTopic: { topic: ["CREATE"] },
  addPartitions: { topic: ["ALTER"] },
  alterConfigs: { topic: ["ALTER_CONFIGS"] },
  offsets: { topic: ["DESCRIBE"] },
  topicId: { topic: ["DESCRIBE"] },
  committed: { topic: ["DESCRIBE"], group: ["DESCRIBE"] },
  setOffsets: { topic: ["READ"], group: ["READ"] },
  groups: { group: ["DESCRIBE"] },
  nextRecord: { topic: ["READ"] },
  read: { topic: ["READ"] },
  deleteTopic: { topic: ["DELETE"] },
  deleteGroup: { group: ["DELETE"] },
};

/** What a broker takes for granted with an operation: Kafka and Redpanda alike. */
export const implied: Readonly<Partial<Record<Acl["operation"], Operations>>> = {
  READ: ["DESCRIBE"],
  WRITE: ["DESCRIBE"],
  DELETE: ["DESCRIBE"],
  ALTER: ["DESCRIBE"],
  ALTER_CONFIGS: ["DESCRIBE_CONFIGS"],
};
