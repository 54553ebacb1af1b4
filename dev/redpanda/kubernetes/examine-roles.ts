import { rolePorts } from "../../../shared/role/role-ports.ts";
import { roleNames, type RoleName } from "../../../shared/messages/topics.ts";
import { fieldAt, isFields, listAt, nameOf, textAt, textsAt, type KubeObject } from "./object.ts";
import { podsOf, type Pods } from "./pods.ts";
import type { RoleSettings } from "./role-settings.ts";
import type { Secrets } from "./examine-references.ts";

export type RoleFacts = Readonly<{
  settings: ReadonlyMap<RoleName, RoleSettings>;
  /** Every name in .env.example. */
  documented: ReadonlySet<string>;
  secrets: Secrets;
}>;

/** Read by Bun itself, not by the product. */
const ofTheRuntime = new Set(["NODE_EXTRA_CA_CERTS"]);
/** A role that is stopped has this long for what is not the drain: starting late on a busy machine, closing pools. */
const spareSeconds = 5;

/** Whether there is a workload for each role, and each gets the settings it reads and no others, in values it takes. */
export function examineRoles(objects: readonly KubeObject[], facts: RoleFacts): readonly string[] {
  const pods = podsOf(objects);
  const deployments = pods.filter(({ of }) => of.kind === "Deployment");
  const missing = roleNames.filter((role) => !deployments.some(({ of }) => of.metadata.name === role));
  return [
    ...missing.map((role) => `no Deployment is the role ${role}`),
    ...pods.flatMap((workload) =>
      [...restrictions(workload), ...environment(workload, objects, facts), ...stopping(workload, objects)].map(
        (mistake) => `${nameOf(workload.of)}: ${mistake}`,
      ),
    ),
    ...deployments.flatMap((workload) =>
      shape(workload, objects).map((mistake) => `${nameOf(workload.of)}: ${mistake}`),
    ),
  ];
}

function isRole(name: string): name is RoleName {
  return roleNames.some((role) => role === name);
}

function shape({ of, containers, ports }: Pods, objects: readonly KubeObject[]): readonly string[] {
  const { name } = of.metadata;
  if (!isRole(name)) return ["is no role"];
  const [container] = containers;
  const has = (kind: string) => objects.some((object) => object.kind === kind && object.metadata.name === name);
  const probes = ["startupProbe", "livenessProbe", "readinessProbe"].filter((probe) => !isFields(container?.[probe]));
  return [
    ...(String(container?.["args"]) === name ? [] : [`starts ${String(container?.["args"])}`]),
    ...(ports.get("http") === rolePorts[name] ? [] : [`opens ${ports.get("http")}, the role ${rolePorts[name]}`]),
    ...(has("PodDisruptionBudget") ? [] : ["has no PodDisruptionBudget"]),
    ...probes.map((probe) => `has no ${probe}`),
  ];
}

/** What the restricted profile of Pod Security asks for, and a little more. */
function restrictions({ spec, containers }: Pods): readonly string[] {
  const must = (holds: boolean, what: string) => (holds ? [] : [what]);
  return [
    ...must(spec["automountServiceAccountToken"] === false, "has a token of the cluster"),
    ...must(fieldAt(spec, "securityContext", "runAsNonRoot") === true, "may run as root"),
    ...must(fieldAt(spec, "securityContext", "seccompProfile", "type") === "RuntimeDefault", "has no seccomp profile"),
    ...containers.flatMap((container) => [
      ...must(fieldAt(container, "securityContext", "allowPrivilegeEscalation") === false, "may gain rights"),
      ...must(fieldAt(container, "securityContext", "readOnlyRootFilesystem") === true, "may write to its image"),
      ...must(String(fieldAt(container, "securityContext", "capabilities", "drop")) === "ALL", "keeps capabilities"),
      ...must(fieldAt(container, "resources", "requests", "cpu") !== undefined, "requests no CPU"),
      ...must(fieldAt(container, "resources", "limits", "memory") !== undefined, "has no limit of memory"),
    ]),
  ];
}

type Variable = Readonly<{ name: string; value: string | null; isShared: boolean }>;

/** What the containers of a workload find in their environment; `value` is null where it is secret or the cluster's. */
export function variablesOf(
  { containers }: Pick<Pods, "containers">,
  objects: readonly KubeObject[],
  secrets: Secrets,
) {
  return containers.flatMap((container): readonly Variable[] => [
    ...listAt(container, "envFrom").flatMap((from) => {
      const map = objects.find(
        ({ kind, metadata }) => kind === "ConfigMap" && metadata.name === textAt(from, "configMapRef", "name"),
      );
      const keys = [...(secrets.get(textAt(from, "secretRef", "name") ?? "") ?? [])];
      return [
        ...Object.entries(textsAt(map, "data")).map(([name, value]) => ({ name, value, isShared: true })),
        ...keys.map((name) => ({ name, value: null, isShared: true })),
      ];
    }),
    ...listAt(container, "env").map((variable) => ({
      name: String(variable["name"]),
      value: textAt(variable, "value"),
      isShared: false,
    })),
  ]);
}

function environment(
  workload: Pods,
  objects: readonly KubeObject[],
  { settings, documented, secrets }: RoleFacts,
): readonly string[] {
  const { name } = workload.of.metadata;
  const variables = variablesOf(workload, objects, secrets);
  // The Job runs the operator's command line.
  const read = settings.get(isRole(name) ? name : "operator") ?? new Map();
  const given = new Set(variables.map((variable) => variable.name));
  return [
    ...variables
      .filter((variable) => !documented.has(variable.name) && !ofTheRuntime.has(variable.name))
      .map((variable) => `sets ${variable.name}, which is not in .env.example`),
    ...variables
      .filter((variable) => !variable.isShared && !read.has(variable.name) && documented.has(variable.name))
      .map((variable) => `sets ${variable.name}, which it does not read`),
    ...variables.flatMap(({ name: setting, value }) => {
      const complaint = value === null || value === "" ? null : refusal(read.get(setting), value);
      return complaint === null ? [] : [`sets ${setting}, which ${complaint}`];
    }),
    ...[...read]
      .filter(([setting, known]) => known !== null && known.fallback === undefined && !given.has(setting))
      .map(([setting]) => `does not set ${setting}, which it needs`),
  ];
}

function refusal(setting: { parse: (text: string) => unknown } | null | undefined, value: string): string | null {
  try {
    setting?.parse(value);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function stopping(workload: Pods, objects: readonly KubeObject[]): readonly string[] {
  const { of, spec, containers } = workload;
  if (of.kind !== "Deployment") return [];
  const drain = variablesOf(workload, objects, new Map()).find(({ name }) => name === "DRAIN_SECONDS");
  const preStop = containers.map((container) =>
    Number(fieldAt(container, "lifecycle", "preStop", "sleep", "seconds") ?? 0),
  );
  const needed = Math.max(...preStop) + Number(drain?.value) + spareSeconds;
  const grace = Number(spec["terminationGracePeriodSeconds"] ?? 30);
  return grace >= needed ? [] : [`is killed ${grace} s after it was told to stop, and may take ${needed} s`];
}

/** Whether addresses of roles in the settings are those of Services here. */
export function examineAddresses(objects: readonly KubeObject[]): readonly string[] {
  const settings = objects
    .filter(({ kind }) => kind === "ConfigMap")
    .flatMap((map) => Object.entries(textsAt(map, "data")));
  const roles = settings.filter(([name]) => /^[A-Z_]+_(SERVICE|WORKER)_URL$/.test(name));
  return roles.flatMap(([name, value]) => {
    const { hostname, port } = new URL(value);
    const service = objects.find(({ kind, metadata }) => kind === "Service" && metadata.name === hostname);
    const isOpen =
      service !== undefined && listAt(service["spec"], "ports").some((open) => String(open["port"]) === port);
    return isOpen ? [] : [`${name} is ${value}, where no Service is`];
  });
}
