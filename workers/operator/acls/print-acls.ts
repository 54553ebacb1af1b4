import type { Acl } from "../../../shared/kafka/acls.ts";
import { roleNames, type RoleName } from "../../../shared/messages/topics.ts";
import { principalOf, type WantedAcl } from "./wanted-acls.ts";

/** The command line that an administrator has at hand. */
export type AclTool = "rpk" | "kafka";

type AclGroup = Readonly<{
  principal: string;
  operation: Acl["operation"];
  resource: string;
  names: readonly string[];
}>;

/** The same ACLs as commands, a line each, every one under a comment that says what it is for. Safe to run twice. */
export function aclCommands(tool: AclTool, acls: readonly WantedAcl[]): readonly string[] {
  const batches = Map.groupBy(acls, ({ role, operation, resource, why }) =>
    JSON.stringify([role, operation, resource, why]),
  );
  return [...batches.values()].flatMap(([first, ...more]) => {
    if (first === undefined) return [];
    const { role, operation, resource, principal, why } = first;
    const batch = { principal, operation, resource, names: [first, ...more].map(({ name }) => name) };
    return [`# ${role}: ${why.join("; ")}`, tool === "rpk" ? rpk(batch) : kafkaAcls(batch)];
  });
}

/** Commands that make each role's SCRAM user. Passwords are taken from the environment: none is ever printed here. */
export function userCommands(tool: AclTool, principal: string, mechanism: string): readonly string[] {
  return roleNames.map((role) => {
    const user = principalOf(principal, role).replace(/^[A-Za-z]+:/, "");
    const password = passwordVariable(role);
    return tool === "rpk"
      ? `rpk security user create ${quote(user)} --mechanism ${mechanism} --password "$${password}"`
      : `kafka-configs.sh ${connection} --alter --entity-type users --entity-name ${quote(user)} ` +
          `--add-config "${mechanism}=[password=$${password}]"`;
  });
}

function passwordVariable(role: RoleName): string {
  return `${role.toUpperCase().replaceAll("-", "_")}_PASSWORD`;
}

const connection = '--bootstrap-server "$KAFKA_BROKERS" --command-config admin.properties';

function rpk({ principal, operation, resource, names }: AclGroup): string {
  return (
    `rpk security acl create --allow-principal ${quote(principal)} --operation ${operation.toLowerCase()} ` +
    `--resource-pattern-type literal --${resource.toLowerCase()} ${quote(names.join(","))}`
  );
}

function kafkaAcls({ principal, operation, resource, names }: AclGroup): string {
  const word = operation
    .split("_")
    .map((part) => part.charAt(0) + part.slice(1).toLowerCase())
    .join("");
  const on = names.map((name) => `--${resource.toLowerCase()} ${quote(name)}`).join(" ");
  return `kafka-acls.sh ${connection} --add --allow-principal ${quote(principal)} --operation ${word} ${on}`;
}

function quote(word: string): string {
  return /^[\w.,:@%+=/-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
