import type { Acl } from "../../../shared/kafka/acls.ts";
import { roleNames } from "../../../shared/messages/topics.ts";
import { principalOf, type Deployment, type WantedAcl } from "./wanted-acls.ts";

/** `keep` and `create` are wanted. `extra` is not: only `--prune` removes it. */
export type AclStep =
  Readonly<{ kind: "keep" | "create"; acl: WantedAcl }> | Readonly<{ kind: "extra"; acl: Acl; why: string }>;

/**
 * What has to be done, wanted ones first. Of other principals' ACLs nothing is said, nor of those on topics and groups
 * of another prefix; an ACL of our principals that reaches beyond one name is extra whatever it begins with.
 */
export function planAcls(
  wanted: readonly WantedAcl[],
  actual: readonly Acl[],
  { principal, prefix }: Deployment,
): readonly AclStep[] {
  const there = new Set(actual.map(identityOf));
  const isWanted = new Set(wanted.map(identityOf));
  const ours = new Set(roleNames.map((role) => principalOf(principal, role)));
  const reachesUs = ({ resource, name, pattern }: Acl) =>
    (resource !== "TOPIC" && resource !== "GROUP") || pattern !== "LITERAL" || name === "*" || name.startsWith(prefix);
  return [
    ...wanted.map((acl) => ({ kind: there.has(identityOf(acl)) ? "keep" : "create", acl }) as const),
    ...actual
      .filter((acl) => ours.has(acl.principal) && reachesUs(acl) && !isWanted.has(identityOf(acl)))
      .map((acl) => ({ kind: "extra", acl, why: whyExtra(acl) }) as const),
  ];
}

function whyExtra({ permission, pattern, name }: Acl): string {
  if (permission === "DENY") return "forbids what an ACL may allow";
  if (pattern !== "LITERAL" || name === "*") return "reaches beyond one name";
  return "nothing the role does needs it";
}

function identityOf({ principal, host, resource, name, pattern, operation, permission }: Acl): string {
  return JSON.stringify([principal, host, resource, name, pattern, operation, permission]);
}
