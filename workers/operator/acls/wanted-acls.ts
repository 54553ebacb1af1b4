import { text } from "../../../shared/role/config.ts";
import type { Acl } from "../../../shared/kafka/acls.ts";
import { makeNaming } from "../../../shared/kafka/naming.ts";
import { roleNames, type RoleName } from "../../../shared/messages/topics.ts";
import { callNeeds, implied } from "../../../shared/kafka/call-needs.ts";
import { callsOf } from "./role-calls.ts";

/**
 * Whom the broker takes each role for. `{role}` stands for its name: `User:{role}`, or `User:CN={role},O=Example` with
 * certificates.
 */
export const principalSetting = {
  ...text("KAFKA_PRINCIPAL", "User:{role}"),
  parse: readPrincipal,
};

/** With one principal for all roles, none would be kept from what is another's. */
export function readPrincipal(pattern: string): string {
  if (!/^[A-Za-z]+:.*\{role\}/.test(pattern))
    throw new Error(`must be a type, a colon and a name with {role} in it, as User:{role}, not "${pattern}"`);
  return pattern;
}

export type WantedAcl = Acl & Readonly<{ role: RoleName; why: readonly string[] }>;

/** Where the ACLs are to hold: the names of principals, and the prefix of topics and groups. */
export type Deployment = Readonly<{ principal: string; prefix: string }>;

/**
 * The least every role needs, each on one literal name. An operation that a broker takes for granted with another of
 * the same principal on the same name is left out.
 */
export function wantedAcls({ principal, prefix }: Deployment): readonly WantedAcl[] {
  const { physical } = makeNaming(prefix);
  return roleNames.flatMap((role) => {
    const found = new Map<string, WantedAcl>();
    const want = (resource: "TOPIC" | "GROUP", name: string, operation: Acl["operation"], why: string) => {
      const key = `${resource} ${name} ${operation}`;
      const before = found.get(key)?.why ?? [];
      found.set(key, {
        role,
        principal: principalOf(principal, role),
        host: "*",
        resource,
        name: physical(name),
        pattern: "LITERAL",
        operation,
        permission: "ALLOW",
        why: before.includes(why) ? before : [...before, why],
      });
    };
    for (const { calls, topics, groups, why } of callsOf(role))
      for (const call of calls) {
        for (const operation of callNeeds[call].topic ?? [])
          for (const name of topics) want("TOPIC", name, operation, why);
        for (const operation of callNeeds[call].group ?? [])
          for (const name of groups) want("GROUP", name, operation, why);
      }
    const all = [...found.values()];
    const isImplied = (acl: WantedAcl) =>
      all.some(
        (other) =>
          other.resource === acl.resource &&
          other.name === acl.name &&
          (implied[other.operation]?.includes(acl.operation) ?? false),
      );
    return all.filter((acl) => !isImplied(acl));
  });
}

export function principalOf(pattern: string, role: RoleName): string {
  return pattern.replaceAll("{role}", role);
}
