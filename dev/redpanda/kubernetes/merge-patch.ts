import { isFields, type ObjectFields } from "./object.ts";

/**
 * What identifies an item of a list that a patch merges into, by the list's name (the API's `patchMergeKey`). Any other
 * list is replaced, and so is every list of a custom resource.
 */
const mergeKeys: Readonly<Record<string, string>> = {
  containers: "name",
  initContainers: "name",
  env: "name",
  volumes: "name",
  volumeMounts: "mountPath",
  ports: "containerPort",
  topologySpreadConstraints: "topologyKey",
};

/**
 * A strategic merge patch, as kustomize applies it: maps are merged, `null` removes, lists are merged by their key, new
 * items first.
 */
export function mergePatch(target: ObjectFields, patch: ObjectFields, isCustom: boolean): ObjectFields {
  const merged: Record<string, unknown> = { ...target };
  for (const [field, value] of Object.entries(patch)) {
    const before = merged[field];
    if (field.startsWith("$")) throw new Error(`the patch directive ${field} is not known here`);
    if (value === null) delete merged[field];
    else if (Array.isArray(value) && Array.isArray(before) && !isCustom)
      merged[field] = mergeLists(before, value, mergeKeys[field]);
    else if (isFields(value) && isFields(before)) merged[field] = mergePatch(before, value, isCustom);
    else merged[field] = value;
  }
  return merged;
}

function mergeLists(
  before: readonly unknown[],
  patch: readonly unknown[],
  key: string | undefined,
): readonly unknown[] {
  if (key === undefined) return patch;
  const keyOf = (item: unknown) => (isFields(item) ? item[key] : undefined);
  const patched = before.map((item) => {
    const change = patch.find((candidate) => keyOf(candidate) === keyOf(item));
    return isFields(item) && isFields(change) ? mergePatch(item, change, false) : item;
  });
  const known = new Set(before.map(keyOf));
  return [...patch.filter((item) => !known.has(keyOf(item))), ...patched];
}
