import { posix } from "node:path";
import { readYaml, type RedpandaFiles } from "../files.ts";
import { mergePatch } from "./merge-patch.ts";
import {
  fieldAt,
  isFields,
  isKubeObject,
  nameOf,
  textAt,
  textsAt,
  type ObjectFields,
  type KubeObject,
} from "./object.ts";

/**
 * The fields of a kustomization that are understood here, the ones this project uses; anything else is refused, so a
 * misspelt one cannot pass. Names and meaning are kustomize's own; a test holds the result against the tool's where the
 * tool is there.
 */
const understood = {
  Kustomization: [
    "apiVersion",
    "kind",
    "namespace",
    "resources",
    "components",
    "configMapGenerator",
    "patches",
    "labels",
    "replicas",
    "images",
  ],
  configMapGenerator: ["name", "behavior", "envs", "literals", "options"],
  patches: ["path", "target"],
  target: ["kind", "name"],
  labels: ["pairs", "includeTemplates"],
  replicas: ["name", "count"],
  images: ["name", "newName", "newTag", "digest"],
} as const;
const clusterScoped = new Set(["Namespace"]);
const builtinGroups = /^(v1|[a-z]+\/v\w+|[a-z.]+\.k8s\.io\/v\w+)$/;

/**
 * What `kustomize build` makes of a folder, but for the hash after a generated name. Throws for what it would not
 * build.
 */
export function renderOverlay(files: RedpandaFiles, folder: string): readonly KubeObject[] {
  return build(files, folder, []);
}

function build(files: RedpandaFiles, folder: string, before: readonly KubeObject[]): readonly KubeObject[] {
  const where = `${folder}/kustomization.yaml`;
  const [kustomization] = inFile(where, () => readYaml(readFile(files, where)));
  if (!isFields(kustomization)) throw new Error(`${where}: is not a kustomization`);
  return inFile(where, () => {
    refuseUnknown(kustomization, understood.Kustomization, "a kustomization");
    let objects = [...before];
    for (const path of texts(kustomization["resources"])) {
      const target = posix.join(folder, path);
      objects.push(...(target.endsWith(".yaml") ? readObjects(files, target) : build(files, target, [])));
    }
    objects = generate(files, folder, kustomization, objects);
    for (const path of texts(kustomization["components"]))
      objects = [...build(files, posix.join(folder, path), objects)];
    for (const patch of items(kustomization, "patches")) objects = applyPatch(files, folder, patch, objects);
    return objects.map((object) => transform(object, kustomization));
  });
}

function generate(
  files: RedpandaFiles,
  folder: string,
  kustomization: ObjectFields,
  objects: readonly KubeObject[],
): KubeObject[] {
  let made = [...objects];
  for (const generator of items(kustomization, "configMapGenerator")) {
    const name = String(generator["name"]);
    const lines = [
      ...texts(generator["envs"]).flatMap((path) => readFile(files, posix.join(folder, path)).split("\n")),
      ...texts(generator["literals"]),
    ].filter((line) => /^[^#\s]/.test(line));
    const data = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    const existing = made.find((object) => object.kind === "ConfigMap" && object.metadata.name === name);
    if ((generator["behavior"] === "merge") !== (existing !== undefined))
      throw new Error(
        `ConfigMap ${name} is ${existing ? "there already: behavior merge" : "not there to be merged into"}`,
      );
    made = made.filter((object) => object !== existing);
    made.push({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, labels: { ...existing?.metadata.labels, ...textsAt(generator, "options", "labels") } },
      data: { ...textsAt(existing, "data"), ...data },
    });
  }
  return made;
}

function applyPatch(
  files: RedpandaFiles,
  folder: string,
  entry: ObjectFields,
  objects: readonly KubeObject[],
): KubeObject[] {
  const path = posix.join(folder, String(entry["path"]));
  const patches = readObjects(files, path);
  const target = entry["target"];
  if (isFields(target)) refuseUnknown(target, understood.target, "a target");
  let patched = [...objects];
  for (const patch of patches) {
    const kind = new RegExp(`^(?:${textAt(target, "kind") ?? patch.kind})$`);
    const name = new RegExp(`^(?:${textAt(target, "name") ?? (target === undefined ? patch.metadata.name : ".*")})$`);
    const isTarget = (object: KubeObject) => kind.test(object.kind) && name.test(object.metadata.name);
    if (!patched.some(isTarget)) throw new Error(`${path}: patches ${nameOf(patch)}, which is not there`);
    const { apiVersion: _apiVersion, kind: _kind, metadata, ...rest } = patch;
    const { name: _name, ...moreMetadata } = metadata;
    patched = patched.map((object) =>
      isTarget(object)
        ? asObject(mergePatch(object, { metadata: moreMetadata, ...rest }, !builtinGroups.test(object.apiVersion)))
        : object,
    );
  }
  return patched;
}

function transform(object: KubeObject, kustomization: ObjectFields): KubeObject {
  let changed: ObjectFields = object;
  const namespace = textAt(kustomization, "namespace");
  if (namespace !== null && !clusterScoped.has(object.kind))
    changed = mergePatch(changed, { metadata: { namespace } }, true);
  for (const { pairs, includeTemplates } of items(kustomization, "labels")) {
    changed = mergePatch(changed, { metadata: { labels: pairs } }, true);
    if (
      includeTemplates === true &&
      fieldAt(changed, "spec", "template") !== undefined &&
      builtinGroups.test(object.apiVersion)
    )
      changed = mergePatch(changed, { spec: { template: { metadata: { labels: pairs } } } }, true);
  }
  for (const { name, count } of items(kustomization, "replicas"))
    if (object.kind === "Deployment" && object.metadata.name === name)
      changed = mergePatch(changed, { spec: { replicas: count } }, true);
  const images = items(kustomization, "images");
  return asObject(images.length === 0 ? changed : withImages(changed, images));
}

function withImages(object: ObjectFields, images: readonly ObjectFields[]): ObjectFields {
  const replace = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(replace);
    if (!isFields(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([field, inner]) => {
        const image = field === "image" && images.find(({ name }) => name === inner);
        if (!image) return [field, replace(inner)];
        const { name, newName = name, newTag, digest } = image;
        const tag = newTag === undefined ? "" : `:${String(newTag)}`;
        return [field, `${String(newName)}${tag}${digest === undefined ? "" : `@${String(digest)}`}`];
      }),
    );
  };
  const template = fieldAt(object, "spec", "template");
  return template === undefined ? object : mergePatch(object, { spec: { template: replace(template) } }, true);
}

/**
 * By their text: parsing is most of the work, and an overlay is built anew for every file that changes beside these.
 */
const parsed = new Map<string, readonly KubeObject[]>();

function readObjects(files: RedpandaFiles, path: string): readonly KubeObject[] {
  return inFile(path, () => {
    const text = readFile(files, path);
    const objects = parsed.get(text) ?? readYaml(text).map(asObject);
    parsed.set(text, objects);
    return objects;
  });
}

function asObject(value: unknown): KubeObject {
  if (!isKubeObject(value)) throw new Error("has a document without apiVersion, kind and a name");
  return value;
}

function readFile(files: RedpandaFiles, path: string): string {
  const text = files.get(path);
  if (text === undefined) throw new Error(`there is no file ${path}`);
  return text;
}

/** The entries of a list of a kustomization, each of which may have the fields that are understood there. */
function items(kustomization: ObjectFields, list: keyof typeof understood): readonly ObjectFields[] {
  const found = kustomization[list] ?? [];
  if (!Array.isArray(found) || !found.every(isFields)) throw new Error(`${list} is not a list of objects`);
  for (const item of found) refuseUnknown(item, understood[list], list);
  return found;
}

function refuseUnknown(value: ObjectFields, known: readonly string[], what: string): void {
  const unknown = Object.keys(value).filter((field) => !known.includes(field));
  if (unknown.length > 0) throw new Error(`${what} has no field ${unknown.join(", ")} here`);
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function inFile<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new Error(said.startsWith("kubernetes/") || said.includes(`${path}: `) ? said : `${path}: ${said}`, {
      cause: error,
    });
  }
}
