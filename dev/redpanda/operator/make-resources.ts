import { stringify } from "yaml";
import {
  consumerGroups,
  defaultPartitions,
  defaultRetentionMs,
  groupNames,
  roleNames,
  type RoleName,
} from "../../../shared/messages/topics.ts";
import type { Acl } from "../../../shared/kafka/acls.ts";
import { wantedAcls } from "../../../workers/operator/acls/wanted-acls.ts";
import { wantedTopics } from "../../../workers/operator/plan-topics.ts";

const head = (what: string) =>
  `# ${what}\n# Generated from shared/messages/topics.ts by \`npx bun run gen\`; do not edit.\n`;
const cluster = { clusterRef: { name: "redpanda" } };
const metadata = (name: string) => ({ name, labels: { "taskwire.dev/step": "first" } });

/** Every topic as a resource of the Redpanda operator, as `ops topics apply` would make it on three brokers. */
export function topicResources(): string {
  const topics = wantedTopics({ partitions: defaultPartitions, retentionMs: defaultRetentionMs, replication: "3" });
  const documents = topics.map(({ name, partitions, replication, configs }) => {
    // Redpanda has no such setting: with three copies it acknowledges what two have.
    const { "min.insync.replicas": _, ...additionalConfig } = configs;
    return {
      apiVersion: "cluster.redpanda.com/v1alpha2",
      kind: "Topic",
      metadata: metadata(name),
      spec: { cluster, partitions, replicationFactor: replication, additionalConfig },
    };
  });
  return head("Every topic, for the Redpanda operator.") + render(documents);
}

/** A user for each role with the ACLs of `ops acls`, and one for KEDA; the operator makes their passwords. */
export function userResources(): string {
  const wanted = wantedAcls({ principal: "User:{role}", prefix: "" });
  const ofRole = (role: RoleName) => wanted.filter((acl) => acl.role === role);
  const documents = [...roleNames.map((role) => user(role, ofRole(role))), user("keda", scalerAcls())];
  return (
    head("A user of Kafka and the registry for each role, with what it may do, and one for KEDA.") + render(documents)
  );
}

type Rule = Pick<Acl, "resource" | "name" | "operation">;

/** What a scaler asks: how far groups are, and how long their topics. */
function scalerAcls(): readonly Rule[] {
  const topics = new Set(groupNames.flatMap((group) => consumerGroups[group]));
  return [
    ...[...topics].map((name): Rule => ({ resource: "TOPIC", name, operation: "DESCRIBE" })),
    ...groupNames.map((name): Rule => ({ resource: "GROUP", name, operation: "DESCRIBE" })),
  ];
}

function user(name: string, rules: readonly Rule[]) {
  const byResource = Map.groupBy(rules, (rule) => `${rule.resource} ${rule.name}`);
  return {
    apiVersion: "cluster.redpanda.com/v1alpha2",
    kind: "User",
    metadata: metadata(name),
    spec: {
      cluster,
      authentication: {
        type: "scram-sha-512",
        password: { valueFrom: { secretKeyRef: { name: `kafka-${name}`, key: "password" } } },
      },
      authorization: {
        type: "simple",
        acls: [...byResource.values()].map((same) => ({
          type: "allow",
          resource: { type: same[0]?.resource.toLowerCase(), name: same[0]?.name, patternType: "literal" },
          operations: same.map(({ operation }) => inCamelCase(operation)),
        })),
      },
    },
  };
}

/** DESCRIBE_CONFIGS as the operator writes it: DescribeConfigs. */
function inCamelCase(operation: string): string {
  return operation
    .split("_")
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join("");
}

function render(documents: readonly object[]): string {
  return documents.map((document) => stringify(document, { lineWidth: 0 })).join("---\n");
}
