/** An object of the API server as it is read from YAML. */
export type KubeObject = Readonly<{
  apiVersion: string;
  kind: string;
  metadata: Readonly<{ name: string; namespace?: string; labels?: Readonly<Record<string, string>> }>;
  [field: string]: unknown;
}>;

export type ObjectFields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is ObjectFields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isKubeObject(value: unknown): value is KubeObject {
  if (!isFields(value) || !isFields(value["metadata"])) return false;
  return (
    typeof value["apiVersion"] === "string" &&
    typeof value["kind"] === "string" &&
    typeof value["metadata"]["name"] === "string"
  );
}

/** "Deployment outbox-relay", as complaints name an object. */
export function nameOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.name}`;
}

/** What stands at a path of field names, `undefined` where a step is missing. */
export function fieldAt(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (isFields(inner) ? inner[key] : undefined), value);
}

/** The objects of a list at a path; nothing where there is none. */
export function listAt(value: unknown, ...path: readonly string[]): readonly ObjectFields[] {
  const found = fieldAt(value, ...path);
  return Array.isArray(found) ? found.filter(isFields) : [];
}

export function textAt(value: unknown, ...path: readonly string[]): string | null {
  const found = fieldAt(value, ...path);
  return typeof found === "string" ? found : null;
}

/** A map of texts, such as labels. */
export function textsAt(value: unknown, ...path: readonly string[]): Readonly<Record<string, string>> {
  const found = fieldAt(value, ...path);
  if (!isFields(found)) return {};
  return Object.fromEntries(Object.entries(found).map(([key, text]) => [key, String(text)]));
}
