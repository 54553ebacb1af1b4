import { examineResource } from "../operator/examine-resource.ts";
import { unknownFields } from "./known-fields.ts";
import { isFields, nameOf, type KubeObject } from "./object.ts";

/** The packages that carry the schemas of an API group. */
const packages: readonly (readonly [group: RegExp, name: string])[] = [
  [/^keda\.sh$/, "@kubernetes-models/keda"],
  [/^gateway\.networking\.k8s\.io$/, "@kubernetes-models/gateway-api"],
  [/^monitoring\.coreos\.com$/, "@kubernetes-models/prometheus-operator"],
  [/^$|^[a-z]+$|\.k8s\.io$/, "kubernetes-models"],
];

/** What is wrong with an object by the schema of its kind, fields that the schema does not have included. */
export async function examineObject(object: KubeObject): Promise<readonly string[]> {
  const { apiVersion, kind } = object;
  const [version = "", group = ""] = apiVersion.split("/").toReversed();
  if (group === "cluster.redpanda.com")
    return examineResource(object).map((mistake) => `${nameOf(object)}: ${mistake}`);
  const [, name] = packages.find(([groups]) => groups.test(group)) ?? [];
  if (name === undefined) return [`${nameOf(object)}: nobody knows the kinds of ${apiVersion}`];
  const validate = await findValidator([name, group, version, kind].filter((part) => part !== "").join("/"), kind);
  if (validate === null) return [`${nameOf(object)}: ${apiVersion} has no kind ${kind}`];
  const mistakes: string[] = [];
  const unknown = unknownFields(object, (watched) => {
    try {
      validate.call(watched);
    } catch (error) {
      mistakes.push(...mistakesOf(error));
    }
  });
  return [...mistakes, ...unknown.map((field) => `${field}: ${apiVersion} ${kind} has no such field`)].map(
    (mistake) => `${nameOf(object)}: ${mistake}`,
  );
}

type Validate = (this: object) => void;

/** The `validate` of a model's prototype: it looks at what it is called on, and throws an Error with all complaints. */
async function findValidator(path: string, kind: string): Promise<Validate | null> {
  const module: unknown = await import(path).catch(() => null);
  const model = isFields(module) || isNamespace(module) ? module[kind] : undefined;
  if (typeof model !== "function") return null;
  const validate: unknown = model.prototype?.validate;
  // A model's only method of that name; its package has no type for one that is found by name.
  return typeof validate === "function" ? (validate as Validate) : null;
}

function isNamespace(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function mistakesOf(error: unknown): readonly string[] {
  if (!(error instanceof Error) || !("errors" in error) || !Array.isArray(error.errors)) throw error;
  return error.errors.filter(isFields).map(({ instancePath, message }) => `${String(instancePath)} ${String(message)}`);
}
