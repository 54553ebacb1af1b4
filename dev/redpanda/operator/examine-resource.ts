import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AnySchema } from "ajv";
import { licensedSettings, propertiesOf } from "../broker/properties.ts";
import { fieldAt, isFields, type KubeObject } from "../kubernetes/object.ts";
import { flag, listOf, mapOf, only, shape, text, whole } from "../shape.ts";

type ResourceField = Readonly<{ path: string; type: string; values: readonly string[] }>;

const fields = Map.groupBy(
  readFileSync(join(import.meta.dirname, "fields.tsv"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [kind = "", path = "", type = "", values = ""] = line.split("\t");
      return { kind, path, type, values: values === "" ? [] : values.split(",") };
    }),
  ({ kind }) => kind,
);
const shapes = new Map([...fields].map(([kind, known]) => [kind, shape(objectAt("", known))]));
const clusterSettings = shape(only(propertiesOf("cluster")));
const topicSettings = shape(mapOf(text));

/** What is wrong with a resource of the Redpanda operator: its fields, and the settings of Redpanda within it. */
export function examineResource(object: KubeObject): readonly string[] {
  const examine = shapes.get(object.kind);
  if (object.apiVersion !== "cluster.redpanda.com/v1alpha2" || examine === undefined)
    return [`${object.apiVersion} has no kind ${object.kind} here`];
  return [...examine(object["spec"]), ...settingsOf(object)].map((mistake) => `spec: ${mistake}`);
}

function settingsOf({ spec }: KubeObject): readonly string[] {
  const cluster = fieldAt(spec, "clusterSpec", "config", "cluster");
  const topic = fieldAt(spec, "additionalConfig");
  const known = Object.keys(propertiesOf("topic"));
  return [
    ...(isFields(cluster) ? [...clusterSettings(cluster), ...licensedSettings(cluster)] : []),
    ...(isFields(topic)
      ? [
          ...topicSettings(topic),
          ...Object.keys(topic)
            .filter((name) => !known.includes(name))
            .map((name) => `${name} is no setting of a topic`),
        ]
      : []),
  ];
}

/** The schema of the object at a path, by the paths that begin with it. */
function objectAt(path: string, known: readonly ResourceField[]): AnySchema {
  const prefix = path === "" ? "" : `${path}.`;
  const own = known.filter(
    (field) => field.path.startsWith(prefix) && /^[^.[{]+$/.test(field.path.slice(prefix.length)),
  );
  return only(Object.fromEntries(own.map((field) => [field.path.slice(prefix.length), schemaOf(field, known)])));
}

function schemaOf({ path, type, values }: ResourceField, known: readonly ResourceField[]): AnySchema {
  const inner = (suffix: string): AnySchema => {
    const found = known.find((field) => field.path === `${path}${suffix}`);
    return found === undefined ? {} : schemaOf(found, known);
  };
  switch (type) {
    case "string":
      return values.length > 0 ? { enum: values } : text;
    case "boolean":
      return flag;
    case "integer":
      return whole;
    case "list":
      return listOf(inner("[]"));
    case "map":
      return mapOf(inner("{}"));
    case "object":
      return objectAt(path, known);
    default:
      return {};
  }
}
