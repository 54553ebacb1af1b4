import { consumerGroups, defaultPartitions, groupNames } from "../../../shared/messages/topics.ts";
import type { RedpandaFiles } from "../files.ts";
import type { Secrets } from "./examine-references.ts";
import { kedaTriggers } from "./keda-triggers.ts";
import { fieldAt, isFields, listAt, nameOf, textAt, textsAt, type ObjectFields, type KubeObject } from "./object.ts";
import { podsOf } from "./pods.ts";

/** How many relays have something to do: a shard is one's at a time (`shared/outbox`). */
const shards = 16;

/**
 * What is wrong with how many there are to be: keys that a trigger does not take, groups, topics and metrics that do
 * not exist.
 */
export function examineScaling(
  objects: readonly KubeObject[],
  { files, secrets }: Readonly<{ files: RedpandaFiles; secrets: Secrets }>,
): readonly string[] {
  const metrics = metricsIn(files.get("monitoring/metrics.md") ?? "");
  return [
    ...objects
      .filter(({ kind }) => kind === "ScaledObject")
      .flatMap((scaler) =>
        [
          ...listAt(scaler["spec"], "triggers").flatMap((trigger) => examineTrigger(trigger, scaler, objects)),
          ...listAt(scaler["spec"], "triggers").flatMap((trigger) => examineQuery(trigger, metrics)),
          ...examineBounds(scaler, objects),
        ].map((mistake) => `${nameOf(scaler)}: ${mistake}`),
      ),
    ...objects
      .filter(({ kind }) => kind === "TriggerAuthentication")
      .flatMap((authentication) =>
        examineSources(authentication, objects, secrets).map((mistake) => `${nameOf(authentication)}: ${mistake}`),
      ),
  ];
}

function examineTrigger(trigger: ObjectFields, scaler: KubeObject, objects: readonly KubeObject[]): readonly string[] {
  const type = String(trigger["type"]);
  const known = kedaTriggers[type];
  if (known === undefined) return [`has a trigger ${type}, which is not known here`];
  const metadata = textsAt(trigger, "metadata");
  return [
    ...Object.entries(metadata).flatMap(([name, value]) => {
      const takes = known.metadata[name];
      if (takes === undefined) return [`the trigger ${type} has no ${name}`];
      return fits(value, takes) ? [] : [`the trigger ${type} does not take ${value} as ${name}`];
    }),
    ...known.required.filter((name) => !(name in metadata)).map((name) => `the trigger ${type} needs ${name}`),
    ...examineAuthentication(trigger, known.parameters, objects),
    ...(type === "kafka" ? examineGroup(metadata, scaler, objects) : []),
    ...(type === "cpu" ? examineContainer(metadata, scaler, objects) : []),
  ];
}

function fits(value: string, takes: readonly string[] | "text" | "number" | "flag"): boolean {
  if (takes === "text") return value !== "";
  if (takes === "number") return Number(value) >= 0;
  return (takes === "flag" ? ["true", "false"] : takes).includes(value);
}

function examineAuthentication(
  trigger: ObjectFields,
  parameters: readonly string[],
  objects: readonly KubeObject[],
): readonly string[] {
  const name = textAt(trigger, "authenticationRef", "name");
  if (name === null) return [];
  const found = objects.find(({ kind, metadata }) => kind === "TriggerAuthentication" && metadata.name === name);
  if (found === undefined) return [`names the TriggerAuthentication ${name}, which is not there`];
  return sourcesOf(found)
    .map((source) => String(source["parameter"]))
    .filter((parameter) => !parameters.includes(parameter))
    .map((parameter) => `the trigger ${String(trigger["type"])} has no parameter ${parameter}`);
}

function sourcesOf({ spec }: KubeObject): readonly ObjectFields[] {
  return [...listAt(spec, "secretTargetRef"), ...listAt(spec, "configMapTargetRef")];
}

function examineSources(
  authentication: KubeObject,
  objects: readonly KubeObject[],
  secrets: Secrets,
): readonly string[] {
  const maps = new Map(
    objects
      .filter(({ kind }) => kind === "ConfigMap")
      .map((map) => [map.metadata.name, new Set(Object.keys(textsAt(map, "data")))] as const),
  );
  const missing = (list: string, kept: ReadonlyMap<string, ReadonlySet<string>>) =>
    listAt(authentication["spec"], list)
      .filter(({ name, key }) => !(kept.get(String(name))?.has(String(key)) ?? false))
      .map(({ name, key }) => `takes ${String(key)} of ${String(name)}, which nobody makes`);
  return [...missing("secretTargetRef", secrets), ...missing("configMapTargetRef", maps)];
}

/** Of a consumer: the group of the role that is scaled, a topic it reads, the broker that the roles ask. */
function examineGroup(metadata: Readonly<Record<string, string>>, scaler: KubeObject, objects: readonly KubeObject[]) {
  const role = textAt(scaler, "spec", "scaleTargetRef", "name");
  const group = groupNames.find((name) => name === metadata["consumerGroup"]);
  const topics: readonly string[] = group === undefined ? [] : consumerGroups[group];
  const settings = objects.find(({ kind, metadata: { name } }) => kind === "ConfigMap" && name === "settings");
  const brokers = textsAt(settings, "data")["KAFKA_BROKERS"];
  return [
    ...(group === role ? [] : [`scales ${role} by the group ${metadata["consumerGroup"]}`]),
    ...(topics.includes(metadata["topic"] ?? "") ? [] : [`the group does not read the topic ${metadata["topic"]}`]),
    ...(metadata["bootstrapServers"] === brokers ? [] : [`asks ${metadata["bootstrapServers"]}, the roles ${brokers}`]),
  ];
}

function examineContainer(
  metadata: Readonly<Record<string, string>>,
  scaler: KubeObject,
  objects: readonly KubeObject[],
) {
  const target = podsOf(objects).find(
    ({ of }) => of.metadata.name === textAt(scaler, "spec", "scaleTargetRef", "name"),
  );
  const name = metadata["containerName"];
  const isThere = target?.containers.some((container) => container["name"] === name);
  return name === undefined || isThere ? [] : [`measures the container ${name}, which its pods do not have`];
}

function examineQuery(trigger: ObjectFields, metrics: ReadonlySet<string>): readonly string[] {
  const query = textAt(trigger, "metadata", "query");
  if (query === null) return [];
  return metricsOf(query)
    .filter((name) => !metrics.has(name))
    .map((name) => `asks for the metric ${name}, which nobody tells`);
}

/** The names in a query that are neither functions nor labels. */
function metricsOf(query: string): readonly string[] {
  const plain = query.replaceAll(/\{[^}]*\}/g, "").replaceAll(/\b(by|on|without|ignoring)\s*\([^)]*\)/g, "");
  return [...plain.matchAll(/\b([a-z_:][\w:]*)\b(?!\s*\()/g)]
    .map(([, name = ""]) => name)
    .filter((name) => !["and", "or", "unless"].includes(name));
}

function metricsIn(table: string): ReadonlySet<string> {
  return new Set([...table.matchAll(/^\| `(\w+)` +\| (?:counter|gauge|histogram)/gm)].map(([, name = ""]) => name));
}

/** Not more than have something to do, and nobody else says how many. */
function examineBounds(scaler: KubeObject, objects: readonly KubeObject[]): readonly string[] {
  const role = textAt(scaler, "spec", "scaleTargetRef", "name");
  const target = objects.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === role);
  const max = Number(fieldAt(scaler, "spec", "maxReplicaCount"));
  const topic = objects.find(({ kind }) => kind === "Topic");
  const partitions = Number(fieldAt(topic, "spec", "partitions") ?? defaultPartitions);
  const useful = role === "outbox-relay" ? shards : groupNames.some((group) => group === role) ? partitions : Infinity;
  return [
    ...(max <= useful ? [] : [`goes up to ${max}, of which ${useful} have something to do`]),
    ...(Number(fieldAt(scaler, "spec", "minReplicaCount")) <= max ? [] : ["begins above where it ends"]),
    ...(isFields(target?.["spec"]) && "replicas" in target["spec"]
      ? [`${role} says itself how many there are: every apply would undo what was scaled`]
      : []),
  ];
}
