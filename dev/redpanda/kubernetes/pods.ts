import { fieldAt, isFields, listAt, textAt, textsAt, type ObjectFields, type KubeObject } from "./object.ts";

/** A workload as its pods are: what selectors, ports and references are held against. */
export type Pods = Readonly<{
  of: KubeObject;
  labels: Readonly<Record<string, string>>;
  spec: ObjectFields;
  containers: readonly ObjectFields[];
  /** Ports by name. */
  ports: ReadonlyMap<string, number>;
}>;

export function podsOf(objects: readonly KubeObject[]): readonly Pods[] {
  return objects.flatMap((object) => {
    const template = fieldAt(object, "spec", "template");
    const spec = fieldAt(template, "spec");
    if (!isFields(spec) || !["Deployment", "Job"].includes(object.kind)) return [];
    const containers = [...listAt(spec, "initContainers"), ...listAt(spec, "containers")];
    const ports = containers.flatMap((container) =>
      listAt(container, "ports").map((port) => [textAt(port, "name") ?? "", Number(port["containerPort"])] as const),
    );
    return [{ of: object, labels: textsAt(template, "metadata", "labels"), spec, containers, ports: new Map(ports) }];
  });
}

/** Whether a label selector chooses these labels; an empty one chooses all. */
export function selects(selector: unknown, labels: Readonly<Record<string, string>>): boolean {
  const wanted = textsAt(selector, "matchLabels");
  return (
    Object.entries(wanted).every(([key, value]) => labels[key] === value) &&
    listAt(selector, "matchExpressions").every((expression) => {
      const { key, operator, values } = expression;
      const value = labels[String(key)];
      const isIn = Array.isArray(values) && value !== undefined && values.includes(value);
      switch (operator) {
        case "In":
          return isIn;
        case "NotIn":
          return !isIn;
        case "Exists":
          return value !== undefined;
        case "DoesNotExist":
          return value === undefined;
        default:
          return false;
      }
    })
  );
}
