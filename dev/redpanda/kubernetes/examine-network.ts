import { roleNames, type RoleName } from "../../../shared/messages/topics.ts";
import { fieldAt, isFields, listAt, type KubeObject } from "./object.ts";
import { podsOf, selects, type Pods } from "./pods.ts";
import type { RoleSettings } from "./role-settings.ts";

/** Which policies let a role reach what a setting leads to: exactly the roles that read it need one. */
const reachedBy: readonly (readonly [setting: string, policy: string])[] = [
  ["DATABASE_URL", "to-postgres"],
  ["KAFKA_BROKERS", "to-redpanda"],
  ["SCHEMA_REGISTRY_URL", "to-schema-registry"],
  ["REDIS_URL", "to-redis"],
  ["AUTH_JWKS_URL", "to-identity-provider"],
  ["NOTIFY_SMTP_URL", "to-webhooks-and-mail"],
  ["TASK_SERVICE_URL", "gateway-to-roles"],
];

/**
 * Whether the policies deny by default, let each role reach what its settings lead to and no other, and keep strangers
 * out.
 */
export function examineNetwork(
  objects: readonly KubeObject[],
  settings: ReadonlyMap<RoleName, RoleSettings>,
): readonly string[] {
  const policies = objects.filter(({ kind }) => kind === "NetworkPolicy");
  const pods = podsOf(objects);
  const selectedBy = (policy: KubeObject) =>
    pods.filter(({ labels }) => selects(fieldAt(policy, "spec", "podSelector"), labels));
  const denied = policies
    .filter(({ spec }) => fieldAt(spec, "ingress") === undefined && fieldAt(spec, "egress") === undefined)
    .flatMap((policy) =>
      String(fieldAt(policy, "spec", "policyTypes")) === "Ingress,Egress" ? selectedBy(policy) : [],
    );
  const open = pods.filter((workload) => !denied.includes(workload));
  return [
    ...open.map(({ of }) => `${of.kind} ${of.metadata.name} is not under a policy that denies everything`),
    ...reachedBy.flatMap(([setting, name]) => {
      const policy = policies.find(({ metadata }) => metadata.name === name);
      if (policy === undefined) return [`there is no NetworkPolicy ${name}`];
      const may = new Set(selectedBy(policy).map(({ of }) => of.metadata.name));
      return roleNames
        .filter((role) => may.has(role) !== (settings.get(role)?.has(setting) ?? false))
        .map(
          (role) =>
            `NetworkPolicy ${name}: ${role} ${may.has(role) ? "may reach what it does not read" : "reads"} ${setting}${may.has(role) ? "" : " and may not reach it"}`,
        );
    }),
    ...policies.flatMap((policy) => fromOutside(policy, selectedBy(policy))),
  ];
}

/** Only the gateway, at its public port, may be reached from another namespace; metrics are another port. */
function fromOutside(policy: KubeObject, selected: readonly Pods[]): readonly string[] {
  return listAt(policy["spec"], "ingress").flatMap((rule) => {
    const from = listAt(rule, "from");
    const isInside =
      from.length > 0 && from.every((peer) => isFields(peer["podSelector"]) && peer["namespaceSelector"] === undefined);
    const ports = listAt(rule, "ports").map(({ port }) => port);
    const isMetrics = ports.length > 0 && ports.every((port) => port === "metrics");
    if (isInside || isMetrics) return [];
    return selected
      .filter(({ of }) => of.metadata.name !== "ui-gateway")
      .map(({ of }) => `NetworkPolicy ${policy.metadata.name}: opens ${of.metadata.name} to other namespaces`);
  });
}
