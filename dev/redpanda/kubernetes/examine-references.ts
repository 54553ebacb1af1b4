import { fieldAt, listAt, nameOf, textAt, textsAt, type KubeObject } from "./object.ts";
import { podsOf, selects, type Pods } from "./pods.ts";

/** Secrets by their name with the keys they have. */
export type Secrets = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * What objects say of one another and is not so: a name that nothing has, a selector that chooses nothing, a port
 * nobody opens.
 */
export function examineReferences(objects: readonly KubeObject[], secrets: Secrets): readonly string[] {
  const pods = podsOf(objects);
  return [
    ...doubles(objects),
    ...pods.flatMap((workload) => podReferences(workload, objects, secrets)),
    ...objects.flatMap((object) =>
      selectorsOf(object, pods, objects).map((mistake) => `${nameOf(object)}: ${mistake}`),
    ),
  ];
}

function doubles(objects: readonly KubeObject[]): readonly string[] {
  const names = objects.map(nameOf);
  return names.filter((name, index) => names.indexOf(name) !== index).map((name) => `${name} is there twice`);
}

function podReferences({ of, spec, containers, ports }: Pods, objects: readonly KubeObject[], secrets: Secrets) {
  const mistakes: string[] = [];
  const need = (kind: string, name: string | null, key: string | null, optional: unknown) => {
    const keys = kind === "Secret" ? secrets.get(name ?? "") : findConfigMap(objects, name);
    if (keys === undefined) mistakes.push(`names the ${kind} ${name}, which nobody makes`);
    else if (key !== null && !keys.has(key) && optional !== true)
      mistakes.push(`names ${key} of the ${kind} ${name}, which does not have it`);
  };
  const volumes = listAt(spec, "volumes");
  for (const volume of volumes) {
    const name = textAt(volume, "secret", "secretName");
    if (name !== null)
      for (const item of listAt(volume, "secret", "items")) need("Secret", name, textAt(item, "key"), false);
  }
  for (const container of containers) {
    for (const from of listAt(container, "envFrom")) {
      if (from["configMapRef"] !== undefined) need("ConfigMap", textAt(from, "configMapRef", "name"), null, false);
      if (from["secretRef"] !== undefined) need("Secret", textAt(from, "secretRef", "name"), null, false);
    }
    for (const variable of listAt(container, "env"))
      for (const [field, kind] of [
        ["secretKeyRef", "Secret"],
        ["configMapKeyRef", "ConfigMap"],
      ] as const) {
        const ref = fieldAt(variable, "valueFrom", field);
        if (ref !== undefined) need(kind, textAt(ref, "name"), textAt(ref, "key"), fieldAt(ref, "optional"));
      }
    for (const mount of listAt(container, "volumeMounts"))
      if (!volumes.some(({ name }) => name === mount["name"]))
        mistakes.push(`mounts the volume ${String(mount["name"])}, which it has not`);
    for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"]) {
      const port = textAt(container, probe, "httpGet", "port");
      if (port !== null && !ports.has(port)) mistakes.push(`${probe} asks the port ${port}, which it has not`);
    }
  }
  return mistakes.map((mistake) => `${nameOf(of)}: ${mistake}`);
}

function findConfigMap(objects: readonly KubeObject[], name: string | null): ReadonlySet<string> | undefined {
  const map = objects.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === name);
  return map && new Set(Object.keys(textsAt(map, "data")));
}

function selectorsOf(object: KubeObject, pods: readonly Pods[], objects: readonly KubeObject[]): readonly string[] {
  const chosenBy = (selector: unknown) => pods.filter(({ labels }) => selects(selector, labels));
  const spec = object["spec"];
  switch (object.kind) {
    case "Deployment": {
      const own = pods.filter(({ of }) => of === object);
      return own.every(({ labels }) => selects(fieldAt(spec, "selector"), labels))
        ? []
        : ["does not select its own pods"];
    }
    case "Service": {
      const chosen = chosenBy({ matchLabels: textsAt(spec, "selector") });
      if (chosen.length !== 1) return [`selects the pods of ${chosen.length} workloads`];
      return portsMissing(
        listAt(spec, "ports").map(({ targetPort }) => targetPort),
        chosen,
      );
    }
    case "PodDisruptionBudget":
      return chosenBy(fieldAt(spec, "selector")).length === 1 ? [] : ["does not select the pods of one workload"];
    case "PodMonitor": {
      const chosen = chosenBy(fieldAt(spec, "selector"));
      const ports = listAt(spec, "podMetricsEndpoints").map(({ port }) => port);
      return chosen.length === 0
        ? ["selects no pods"]
        : portsMissing(
            ports,
            chosen.filter(({ of }) => of.kind === "Deployment"),
          );
    }
    case "NetworkPolicy":
      return policySelectors(spec, pods);
    case "ScaledObject":
      return target(
        objects,
        textAt(spec, "scaleTargetRef", "kind") ?? "Deployment",
        textAt(spec, "scaleTargetRef", "name"),
      );
    case "Ingress":
    case "HTTPRoute":
      return backends(object, objects);
    default:
      return [];
  }
}

function policySelectors(spec: unknown, pods: readonly Pods[]): readonly string[] {
  const own = pods.filter(({ labels }) => selects(fieldAt(spec, "podSelector"), labels));
  if (own.length === 0) return ["selects no pods"];
  const wanted = listAt(fieldAt(spec, "podSelector"), "matchExpressions").flatMap(({ values }) =>
    Array.isArray(values) ? values : [],
  );
  const unknown = wanted.filter((name) => !own.some(({ labels }) => Object.values(labels).includes(String(name))));
  const named = (rules: readonly unknown[]) =>
    rules.flatMap((rule) => listAt(rule, "ports").map(({ port }) => port)).filter((port) => typeof port === "string");
  const reached = listAt(spec, "egress").flatMap((rule) =>
    listAt(rule, "to").flatMap(({ podSelector }) => pods.filter(({ labels }) => selects(podSelector, labels))),
  );
  return [
    ...unknown.map((name) => `selects ${String(name)}, which no pod is`),
    ...portsMissing(
      named(listAt(spec, "ingress")),
      own.filter(({ of }) => of.kind === "Deployment"),
    ),
    ...portsMissing(named(listAt(spec, "egress")), reached),
  ];
}

function portsMissing(ports: readonly unknown[], pods: readonly Pods[]): readonly string[] {
  return ports.flatMap((port) =>
    pods
      .filter((workload) => !workload.ports.has(String(port)))
      .map(({ of }) => `leads to the port ${String(port)}, which ${nameOf(of)} has not`),
  );
}

function target(objects: readonly KubeObject[], kind: string, name: string | null): readonly string[] {
  const isThere = objects.some((object) => object.kind === kind && object.metadata.name === name);
  return isThere ? [] : [`is for the ${kind} ${name}, which is not there`];
}

/** Where an Ingress or a route leads, wherever in it that is said. */
function backends(object: KubeObject, objects: readonly KubeObject[]): readonly string[] {
  const rules = listAt(object["spec"], "rules");
  const services = [
    ...rules.flatMap((rule) => listAt(rule, "http", "paths").map((path) => fieldAt(path, "backend", "service"))),
    ...rules.flatMap((rule) => listAt(rule, "backendRefs")),
  ];
  if (services.length === 0) return ["leads nowhere"];
  return services.flatMap((service) => {
    const name = textAt(service, "name");
    const found = objects.find((candidate) => candidate.kind === "Service" && candidate.metadata.name === name);
    if (found === undefined) return [`leads to the Service ${name}, which is not there`];
    const wanted = fieldAt(service, "port", "name") ?? fieldAt(service, "port", "number") ?? fieldAt(service, "port");
    const ports = listAt(found["spec"], "ports").flatMap((port) => [port["name"], port["port"]]);
    return ports.includes(wanted) ? [] : [`leads to the port ${String(wanted)} of the Service ${name}, which has none`];
  });
}
