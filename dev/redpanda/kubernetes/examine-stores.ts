import { fieldAt, listAt, nameOf, textAt, textsAt, type KubeObject } from "./object.ts";
import { podsOf } from "./pods.ts";
import type { Secrets } from "./examine-references.ts";

/**
 * The Secrets that the Redpanda operator makes for its resources: the cluster's certificate, a password for each user.
 */
export function operatorSecrets(objects: readonly KubeObject[]): Secrets {
  return new Map(
    objects.flatMap((object): readonly (readonly [string, ReadonlySet<string>])[] => {
      const ref = fieldAt(object, "spec", "authentication", "password", "valueFrom", "secretKeyRef");
      if (object.kind === "User" && ref !== undefined)
        return [[textAt(ref, "name") ?? "", new Set([textAt(ref, "key") ?? ""])]];
      if (object.kind !== "Redpanda") return [];
      return [[`${object.metadata.name}-default-cert`, new Set(["ca.crt", "tls.crt", "tls.key"])]];
    }),
  );
}

/**
 * Whether the roles ask the cluster that is here, where it listens, as users it has, and no policy stands in between.
 */
export function examineStores(objects: readonly KubeObject[], secrets: Secrets): readonly string[] {
  const clusters = objects.filter(({ kind }) => kind === "Redpanda");
  const users = new Set(objects.filter(({ kind }) => kind === "User").map(({ metadata }) => metadata.name));
  return [
    ...objects.flatMap((object) => {
      const name = textAt(object, "spec", "cluster", "clusterRef", "name");
      const isThere = name === null || clusters.some(({ metadata }) => metadata.name === name);
      return isThere ? [] : [`${nameOf(object)}: is of the cluster ${name}, which is not there`];
    }),
    ...clusters.flatMap((cluster) => [...addresses(cluster, objects), ...superusers(cluster, secrets)]),
    ...(clusters.length === 0 ? [] : strangers(objects, users)),
  ];
}

function superusers(cluster: KubeObject, secrets: Secrets): readonly string[] {
  const name = textAt(cluster, "spec", "clusterSpec", "auth", "sasl", "secretRef");
  return name === null || secrets.has(name) ? [] : [`${nameOf(cluster)}: names the Secret ${name}, which nobody makes`];
}

function addresses(cluster: KubeObject, objects: readonly KubeObject[]): readonly string[] {
  const { name, namespace } = cluster.metadata;
  const listeners = fieldAt(cluster, "spec", "clusterSpec", "listeners");
  const host = `${name}.${namespace}.svc.cluster.local`;
  const kafka = Number(fieldAt(listeners, "kafka", "port"));
  const registry = Number(fieldAt(listeners, "schemaRegistry", "port"));
  const wanted: readonly (readonly [setting: string, value: string])[] = [
    ["KAFKA_BROKERS", `${host}:${kafka}`],
    ["SCHEMA_REGISTRY_URL", `https://${host}:${registry}`],
    ["KAFKA_SASL_MECHANISM", textAt(cluster, "spec", "clusterSpec", "auth", "sasl", "mechanism") ?? ""],
  ];
  const settings = objects.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === "settings");
  const opened = objects
    .filter(({ kind }) => kind === "NetworkPolicy")
    .flatMap((policy) => listAt(policy["spec"], "egress"))
    .filter((rule) =>
      listAt(rule, "to").some(
        (peer) => textsAt(peer, "podSelector", "matchLabels")["app.kubernetes.io/name"] === "redpanda",
      ),
    )
    .flatMap((rule) => listAt(rule, "ports").map(({ port }) => port));
  return [
    ...wanted
      .filter(([setting, value]) => textsAt(settings, "data")[setting] !== value)
      .map(([setting, value]) => `ConfigMap settings: ${setting} is not ${value}, as ${nameOf(cluster)} says`),
    ...[kafka, registry]
      .filter((port) => !opened.includes(port))
      .map((port) => `no NetworkPolicy lets roles reach the port ${port} of ${nameOf(cluster)}`),
  ];
}

function strangers(objects: readonly KubeObject[], users: ReadonlySet<string>): readonly string[] {
  return podsOf(objects).flatMap(({ of, containers }) =>
    containers
      .flatMap((container) => listAt(container, "env"))
      .filter(({ name }) => name === "KAFKA_SASL_USERNAME" || name === "SCHEMA_REGISTRY_USER")
      .filter(({ value }) => !users.has(String(value)))
      .map(({ value }) => `${nameOf(of)}: is the user ${String(value)}, which the cluster does not have`),
  );
}
