import { expect, test } from "bun:test";
import { join } from "node:path";
import { readRedpandaFiles, readYaml } from "../../../dev/redpanda/files.ts";
import { examineKubernetes } from "../../../dev/redpanda/kubernetes/examine-kubernetes.ts";
import { listAt, textAt } from "../../../dev/redpanda/kubernetes/object.ts";
import { parsePromql } from "../../support/promql/parse.ts";

const files = readRedpandaFiles(join(import.meta.dir, "../../.."));

/** What is said once a text in one file is another. */
async function planted(path: string, from: string | RegExp, to: string): Promise<string> {
  const text = files.get(`kubernetes/${path}`) ?? "";
  const changed = text.replace(from, to);
  expect([path, changed === text]).toEqual([path, false]);
  const overlay = /ingress|small/.test(path) ? "small" : "production";
  const world = new Map(files).set(`kubernetes/${path}`, changed);
  return (await examineKubernetes(world, [`kubernetes/overlays/${overlay}`])).join("\n");
}

// Its first call loads every module of every role.
test("the files as they are have nothing wrong", async () => {
  expect(await examineKubernetes(files)).toEqual([]);
}, 60_000);

const mistakes: Readonly<
  Record<string, readonly (readonly [path: string, from: string | RegExp, to: string, says: RegExp])[]>
> = {
  "a key that Kubernetes does not have": [
    ["base/every-role.yaml", "livenessProbe:", "livenesProbe:", /livenesProbe: apps\/v1 Deployment has no such field/],
    ["base/every-role.yaml", "revisionHistoryLimit", "revisionHistory", /did you mean revisionHistoryLimit/],
    ["base/every-role.yaml", "matchLabelKeys", "matchLabelsKeys", /matchLabelsKeys/],
    ["base/every-pod.yaml", "readOnlyRootFilesystem", "readonlyRootFilesystem", /did you mean readOnlyRootFilesystem/],
    ["base/network-policies.yaml", "podSelector", "podSelectors", /podSelectors/],
    ["base/prepare.yaml", "backoffLimit", "backOffLimit", /did you mean backoffLimit/],
    ["components/ingress/ingress.yaml", "ingressClassName", "ingressClass", /did you mean ingressClassName/],
    ["components/gateway-api/routes.yaml", "hostnames", "hosts", /hosts: gateway/],
    ["components/gateway-api/routes.yaml", "timeouts", "timeout", /did you mean timeouts/],
    ["components/monitoring/pod-monitor.yaml", "podMetricsEndpoints", "podMetricEndpoints", /podMetricEndpoints/],
    ["overlays/small/kustomization.yaml", "literals", "literal", /has no field literal/],
  ],
  "a value that Kubernetes does not take": [
    ["base/every-role.yaml", "failureThreshold: 60", 'failureThreshold: "60"', /failureThreshold must be integer/],
    ["base/outbox-relay.yaml", "kind: Deployment", "kind: Deployments", /no kind Deployments/],
    ["base/outbox-relay.yaml", "apps/v1", "apps/v3", /apps\/v3/],
    ["base/outbox-relay.yaml", "name: outbox-relay\n", "name: outbox-relay\n  name: outbox-relay\n", /unique/],
  ],
  "a key or value that the Redpanda operator, or Redpanda, does not take": [
    [
      "components/redpanda/cluster.yaml",
      "authenticationMethod",
      "authMethod",
      /listeners\.kafka\.authMethod is not a key here/,
    ],
    [
      "components/redpanda/cluster.yaml",
      "persistentVolume",
      "persistenceVolume",
      /storage\.persistenceVolume is not a key/,
    ],
    ["components/redpanda/cluster.yaml", "replicas: 3", 'replicas: "3"', /statefulset\.replicas must be integer/],
    [
      "components/redpanda/cluster.yaml",
      "write_caching_default",
      "write_cache_default",
      /write_cache_default is not a key/,
    ],
    ["components/redpanda/cluster.yaml", "mode: node_add", "mode: continuous", /needs an Enterprise licence/],
    ["components/redpanda/topics.yaml", "replicationFactor", "replicasFactor", /replicasFactor is not a key here/],
    ["components/redpanda/topics.yaml", "retention.ms", "retention.msec", /retention\.msec is no setting of a topic/],
    ["components/redpanda/users.yaml", "operations:", "operation:", /operation is not a key here/],
    ["components/redpanda/users.yaml", "- Read", "- Reads", /must be equal to one of/],
    ["components/redpanda/users.yaml", "kind: User", "kind: Users", /no kind Users/],
  ],
  "a broker, a registry or a user that is not there": [
    [
      "components/redpanda/cluster.yaml",
      "port: 9093",
      "port: 9094",
      /KAFKA_BROKERS is not redpanda\.taskwire\.svc\.cluster\.local:9094/,
    ],
    ["components/redpanda/cluster.yaml", "port: 9093", "port: 9094", /no NetworkPolicy lets roles reach the port 9094/],
    [
      "components/redpanda/cluster.yaml",
      "secretRef: redpanda-users",
      "secretRef: users",
      /Secret users, which nobody makes/,
    ],
    ["components/redpanda/topics.yaml", "name: redpanda", "name: redpandas", /is of the cluster redpandas/],
    [
      "components/redpanda/users.yaml",
      "name: kafka-task-service",
      "name: kafka-tasks",
      /Secret kafka-task-service, which nobody makes/,
    ],
    [
      "base/outbox-relay.yaml",
      "value: outbox-relay",
      "value: relay",
      /is the user relay, which the cluster does not have/,
    ],
  ],
  "a key or value that KEDA does not take, or one that would scale by nothing": [
    [
      "components/autoscaling/every-scaler.yaml",
      "minReplicaCount",
      "minReplicasCount",
      /minReplicasCount: keda\.sh\/v1alpha1 ScaledObject has no such field/,
    ],
    [
      "components/autoscaling/every-scaler.yaml",
      "stabilizationWindowSeconds: 600",
      "stabilizationSeconds: 600",
      /stabilizationSeconds/,
    ],
    [
      "components/autoscaling/every-scaler.yaml",
      "failureThreshold: 3",
      'failureThreshold: "3"',
      /failureThreshold must be integer/,
    ],
    ["components/autoscaling/consumers.yaml", "lagThreshold", "lagTreshold", /the trigger kafka has no lagTreshold/],
    ["components/autoscaling/consumers.yaml", "tls: enable", "tls: enabled", /does not take enabled as tls/],
    ["components/autoscaling/consumers.yaml", "- type: kafka", "- type: kafkas", /trigger kafkas, which is not known/],
    [
      "components/autoscaling/consumers.yaml",
      "consumerGroup: task-service",
      "consumerGroup: tasks",
      /scales task-service by the group tasks/,
    ],
    [
      "components/autoscaling/consumers.yaml",
      "topic: task-commands",
      "topic: task-command",
      /does not read the topic task-command/,
    ],
    ["components/autoscaling/consumers.yaml", "local:9093", "local:9092", /asks .*:9092, the roles .*:9093/],
    [
      "components/autoscaling/consumers.yaml",
      "maxReplicaCount: 6",
      "maxReplicaCount: 7",
      /goes up to 7, of which 6 have something to do/,
    ],
    [
      "components/autoscaling/consumers.yaml",
      "    name: task-service",
      "    name: tasks-service",
      /is for the Deployment tasks-service, which is not there/,
    ],
    [
      "components/autoscaling/consumers.yaml",
      "containerName: taskwire",
      "containerName: role",
      /measures the container role/,
    ],
    [
      "components/autoscaling/consumers.yaml",
      "name: redpanda",
      "name: redpandas",
      /TriggerAuthentication redpandas, which is not there/,
    ],
    [
      "components/autoscaling/authentication.yaml",
      "parameter: password",
      "parameter: passwort",
      /has no parameter passwort/,
    ],
    [
      "components/autoscaling/authentication.yaml",
      "name: kafka-keda",
      "name: keda",
      /takes password of keda, which nobody makes/,
    ],
    ["components/autoscaling/authentication.yaml", "secretTargetRef", "secretTargetRefs", /secretTargetRefs/],
    ["components/autoscaling/others.yaml", "maxReplicaCount: 8", "maxReplicaCount: 17", /goes up to 17, of which 16/],
    [
      "components/autoscaling/others.yaml",
      "gateway_streams",
      "gateway_stream",
      /the metric gateway_stream, which nobody tells/,
    ],
    ["components/autoscaling/others.yaml", "ignoreNullValues", "ignoreNulValues", /has no ignoreNulValues/],
    [
      "overlays/production/kustomization.yaml",
      "replicas:",
      "replicas:\n  - name: outbox-relay\n    count: 3",
      /every apply would undo/,
    ],
  ],
  "what Prometheus would not find": [
    [
      "components/monitoring/pod-monitor.yaml",
      "replacement: taskwire",
      "replacement: roles",
      /scrapes as the job roles, alerts ask for taskwire/,
    ],
    ["components/monitoring/pod-monitor.yaml", "targetLabel: role", "targetLabel: roles", /does not say the role/],
    ["components/monitoring/rules.yaml", "expr:", "expression:", /did you mean expr|expression: monitoring/],
  ],
  "a name that nothing has": [
    ["base/every-pod.yaml", "name: settings", "name: setting", /ConfigMap setting, which nobody makes/],
    ["base/every-pod.yaml", "name: database", "name: databases", /Secret databases, which nobody makes/],
    ["base/operator.yaml", "key: OPERATOR_TOKEN", "key: TOKEN", /names TOKEN of the Secret operator/],
    ["base/operator.yaml", "name: kafka-operator", "name: kafka-operators", /Secret kafka-operators/],
    [
      "base/kustomization.yaml",
      "taskwire.dev/step: first",
      "taskwire.dev/step: last",
      /^.*first step: Job prepare: .*settings/m,
    ],
    [
      "base/every-pod.yaml",
      "name: redpanda-ca\n              mountPath",
      "name: ca\n              mountPath",
      /mounts the volume ca/,
    ],
    [
      "base/every-role.yaml",
      "port: http\n            periodSeconds: 10",
      "port: https\n            periodSeconds: 10",
      /livenessProbe asks the port https/,
    ],
    ["base/task-service.yaml", "targetPort: http", "targetPort: web", /leads to the port web/],
    [
      "base/task-service.yaml",
      /kind: Service\n(.*\n)*?  selector:\n    app.kubernetes.io\/name: task-service/,
      "$&s",
      /selects the pods of 0 workloads/,
    ],
    [
      "base/outbox-relay.yaml",
      /matchLabels:\n +app.kubernetes.io\/name: outbox-relay/,
      "$&s",
      /does not select its own pods/,
    ],
    [
      "base/network-policies.yaml",
      "values: [recurring-task-worker, ",
      "values: [recurring-tasks-worker, ",
      /selects recurring-tasks-worker/,
    ],
    [
      "components/ingress/ingress.yaml",
      "name: ui-gateway\n                port",
      "name: gateway\n                port",
      /the Service gateway/,
    ],
    ["components/gateway-api/routes.yaml", "port: 8080", "port: 8081", /port 8081 of the Service ui-gateway/],
    ["components/monitoring/pod-monitor.yaml", "port: metrics", "port: metric", /port metric/],
    ["overlays/production/kustomization.yaml", "../../components/monitoring", "../../components/monitor", /no file/],
  ],
  "a setting that no role reads, or in words it does not take": [
    ["base/settings.env", "KAFKA_BROKERS=", "KAFKA_BROKER=", /sets KAFKA_BROKER, which is not in \.env\.example/],
    ["base/settings.env", "KAFKA_BROKERS=", "KAFKA_BROKER=", /does not set KAFKA_BROKERS, which it needs/],
    ["base/settings.env", "KAFKA_TLS=true", "KAFKA_TLS=yes", /must be true or false/],
    ["base/settings.env", "SCRAM-SHA-512", "SCRAM", /KAFKA_SASL_MECHANISM, which must be one of/],
    ["base/settings.env", "task-service:8100", "task-service:8101", /TASK_SERVICE_URL is .*, where no Service is/],
    ["base/outbox-relay.yaml", "name: KAFKA_SASL_USERNAME", "name: KAFKA_SASL_USER", /KAFKA_SASL_USER, which is not/],
    [
      "base/outbox-relay.yaml",
      "name: KAFKA_SASL_USERNAME",
      "name: REDIS_URL",
      /sets REDIS_URL, which it does not read/,
    ],
  ],
  "what the roles are and do": [
    ["base/outbox-relay.yaml", "args: [outbox-relay]", "args: [outbox]", /starts outbox/],
    ["base/outbox-relay.yaml", "containerPort: 8220", "containerPort: 8221", /opens 8221, the role 8220/],
    ["base/kustomization.yaml", "  - outbox-relay.yaml\n", "", /no Deployment is the role outbox-relay/],
    [
      "base/outbox-relay.yaml",
      "kind: PodDisruptionBudget\nmetadata:\n  name: outbox-relay",
      "kind: PodDisruptionBudget\nmetadata:\n  name: relay",
      /no PodDisruptionBudget/,
    ],
    [
      "base/settings.env",
      "DRAIN_SECONDS=12",
      "DRAIN_SECONDS=30",
      /is killed 25 s after it was told to stop, and may take 40 s/,
    ],
  ],
  "a pod with more rights than it needs": [
    [
      "base/every-pod.yaml",
      "automountServiceAccountToken: false",
      "automountServiceAccountToken: true",
      /token of the cluster/,
    ],
    ["base/every-pod.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", /may write to its image/],
    ["base/every-pod.yaml", "drop: [ALL]", "drop: [NET_RAW]", /keeps capabilities/],
    ["base/outbox-relay.yaml", /limits:\n +memory: \w+/, "limits: {}", /no limit of memory/],
  ],
  "a network with a hole, or without a way that a role needs": [
    [
      "base/network-policies.yaml",
      "policyTypes: [Ingress, Egress]",
      "policyTypes: [Ingress]",
      /not under a policy that denies everything/,
    ],
    [
      "base/network-policies.yaml",
      "recurring-task-worker, reminder-service, ui-gateway",
      "recurring-task-worker, ui-gateway",
      /reminder-service reads REDIS_URL and may not reach it/,
    ],
    [
      "base/network-policies.yaml",
      "recurring-task-worker, reminder-service, ui-gateway",
      "$&, operator",
      /operator may reach what it does not read REDIS_URL/,
    ],
    [
      "base/network-policies.yaml",
      /(name: from-ingress-to-gateway\n(?:.*\n){3}) +app.kubernetes.io\/name: ui-gateway/,
      "$1      app.kubernetes.io/part-of: taskwire",
      /opens operator to other namespaces/,
    ],
    ["base/network-policies.yaml", "- port: metrics", "- port: http", /opens operator to other namespaces/],
  ],
};

test("compose and the cluster run the same Redpanda", () => {
  const [, tag] = /REDPANDA_TAG:-([^}]+)/.exec(files.get("compose.yaml") ?? "") ?? [];
  expect(files.get("kubernetes/components/redpanda/cluster.yaml")).toContain(`tag: ${tag}\n`);
});

test("what KEDA asks of Prometheus is PromQL", () => {
  const queries = readYaml(files.get("kubernetes/components/autoscaling/others.yaml") ?? "")
    .flatMap((scaler) => listAt(scaler, "spec", "triggers"))
    .flatMap((trigger) => textAt(trigger, "metadata", "query") ?? []);
  expect(queries.length).toBe(3);
  for (const query of queries) parsePromql(query);
});

for (const [what, plants] of Object.entries(mistakes))
  test(`${what} is told`, async () => {
    for (const [path, from, to, says] of plants)
      expect([path, to, await planted(path, from, to)]).toEqual([path, to, expect.stringMatching(says)]);
  });
