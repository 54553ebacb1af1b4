import { Admin, Consumer, Producer } from "@platformatic/kafka";
import { openAclAdmin, type Acl } from "../../shared/kafka/acls.ts";
import { hasProtocolError } from "../../shared/kafka/kafka-error.ts";
import { makeLog } from "../../shared/role/log.ts";
import { clientOptions, type KafkaConfig } from "../../shared/kafka/settings.ts";

/** A topic of the broker with the id that a fetch names it by, which somebody who may see it has told. */
export type KnownTopic = Readonly<{ name: string; id: string }>;

/** What one principal tries on one resource, and the operation that a broker asks for it. */
export type Attempt = Readonly<{
  operation: Acl["operation"];
  resource: "TOPIC" | "GROUP" | "CLUSTER";
  name: string;
  what: string;
  run: () => Promise<unknown>;
}>;

type Attempts = AsyncDisposable & Readonly<{ all: readonly Attempt[] }>;

/**
 * Everything that can be tried by the credentials of `config`: on every topic, every group and the cluster, with one
 * client of each kind that asks once. What is tried does harm where it is allowed.
 */
export function openAttempts(
  config: KafkaConfig,
  { topics, groups, node }: Readonly<{ topics: readonly KnownTopic[]; groups: readonly string[]; node: number }>,
): Attempts {
  const base = { ...clientOptions(config, "intruder"), retries: 0 };
  const admin = new Admin(base);
  const consumer = new Consumer({ ...base, groupId: "intruder", autocommit: false });
  // Not idempotent: asking for a producer id would be refused before any topic is named.
  const producer = new Producer({ ...base, idempotent: false, acks: -1 });
  for (const client of [admin, consumer, producer]) client.on("error", () => {});
  const onTopic = ({ name, id }: KnownTopic): readonly Attempt[] => {
    const attempt = (operation: Acl["operation"], what: string, run: () => Promise<unknown>): Attempt => ({
      operation,
      resource: "TOPIC",
      name,
      what,
      run,
    });
    const resource = { resourceType: 2, resourceName: name } as const;
    const at = { partition: 0, fetchOffset: 0n, partitionMaxBytes: 1024, currentLeaderEpoch: -1, lastFetchedEpoch: -1 };
    const one = { partitionIndex: 0, timestamp: -1n };
    return [
      attempt("WRITE", "produce", () => producer.send({ messages: [{ topic: name, value: Buffer.from("forged") }] })),
      attempt("READ", "fetch", () =>
        consumer.fetch({
          node,
          maxWaitTime: 1,
          minBytes: 1,
          maxBytes: 1024,
          isolationLevel: 1,
          topics: [{ topicId: id, partitions: [at] }],
        }),
      ),
      attempt("DESCRIBE", "see its end", () =>
        admin.listOffsets({ topics: [{ name, partitions: [one] }], isolationLevel: 1 }),
      ),
      attempt("DESCRIBE_CONFIGS", "see its settings", () => admin.describeConfigs({ resources: [resource] })),
      attempt("ALTER_CONFIGS", "change its settings", () =>
        admin.incrementalAlterConfigs({
          resources: [{ ...resource, configs: [{ name: "retention.ms", configOperation: 0, value: "1" }] }],
        }),
      ),
      attempt("ALTER", "add partitions", () => admin.createPartitions({ topics: [{ name, count: 64 }] })),
      attempt("CREATE", "create it", () => admin.createTopics({ topics: [name], partitions: 1, replicas: 1 })),
      attempt("DELETE", "delete its records", () =>
        admin.deleteRecords({ topics: [{ name, partitions: [{ partition: 0, offset: 0n }] }] }),
      ),
      attempt("DELETE", "delete it", () => admin.deleteTopics({ topics: [name] })),
    ];
  };
  const [anyTopic] = topics;
  const onGroup = (name: string): readonly Attempt[] => {
    const attempt = (operation: Acl["operation"], what: string, run: () => Promise<unknown>): Attempt => ({
      operation,
      resource: "GROUP",
      name,
      what,
      run,
    });
    const moved = { name: anyTopic?.name ?? "", partitionOffsets: [{ partition: 0, offset: 0n }] };
    return [
      attempt("READ", "move its commits", () => admin.alterConsumerGroupOffsets({ groupId: name, topics: [moved] })),
      attempt("READ", "take out a member", () =>
        admin.removeMembersFromConsumerGroup({ groupId: name, members: [{ memberId: "nobody" }] }),
      ),
      attempt("DESCRIBE", "see its commits", () => admin.listConsumerGroupOffsets({ groups: [name] })),
      attempt("DELETE", "delete it", () => admin.deleteGroups({ groups: [name] })),
    ];
  };
  const all: Acl = {
    principal: `User:${config.saslUsername}`,
    host: "*",
    resource: "TOPIC",
    name: "*",
    pattern: "LITERAL",
    operation: "ALL",
    permission: "ALLOW",
  };
  const cluster = (operation: Acl["operation"], what: string, run: () => Promise<unknown>): Attempt => ({
    operation,
    resource: "CLUSTER",
    name: "kafka-cluster",
    what,
    run,
  });
  const acls = openAclAdmin(config, { clientId: "intruder", log: makeLog({}, "error") });
  return {
    all: [
      ...topics.flatMap(onTopic),
      ...groups.flatMap(onGroup),
      cluster("DESCRIBE", "see ACLs", () => acls.list()),
      cluster("ALTER", "allow itself everything", () => acls.create([all])),
    ],
    [Symbol.asyncDispose]: async () => {
      await Promise.allSettled([
        admin.close(),
        consumer.close(true),
        producer.close(true),
        acls[Symbol.asyncDispose](),
      ]);
    },
  };
}

/** How it ended: `refused` is the broker's word that this principal may not, anything else is not. */
export async function outcomeOf({ run }: Attempt): Promise<string> {
  try {
    await run();
    return "allowed";
  } catch (error) {
    const isRefused = ["TOPIC", "GROUP", "CLUSTER"].some((on) => hasProtocolError(error, `${on}_AUTHORIZATION_FAILED`));
    return isRefused ? "refused" : `failed otherwise: ${error instanceof Error ? error.message : String(error)}`;
  }
}
