import { readConfig } from "../../../shared/role/config.ts";
import { openAclAdmin, type Acl } from "../../../shared/kafka/acls.ts";
import { kafkaSettings } from "../../../shared/kafka/kafka-broker.ts";
import { planAcls, type AclStep } from "../acls/plan-acls.ts";
import { aclCommands, userCommands, type AclTool } from "../acls/print-acls.ts";
import { principalSetting, readPrincipal, wantedAcls } from "../acls/wanted-acls.ts";
import { applyAcls } from "../actions/apply-acls.ts";
import { commonOptions, readArgs, readVerb, type OperatorCommand, type Terminal } from "../command.ts";
import { usageError } from "../usage-error.ts";
import { changeHelp } from "../action-command.ts";
import { openOpsDb, readBy } from "../open-tools.ts";
import { printTable } from "../print-table.ts";

export const aclsCommand: OperatorCommand = {
  summary: "show what each role may do on the broker and why; apply makes it so",
  help: `ops acls [plan|apply|users] [--json]

  plan     every ACL the roles need: who may do what, on what, why, and whether it is there; then those of the roles that they do not
           need (the default). With --rpk or --kafka as commands for an administrator of Redpanda or Kafka; then no broker is asked
  apply    creates what is missing; with --prune also removes what is too much. Nothing of other principals is touched
  users    commands that make each role's SCRAM user, for rpk (the default) or --kafka. Passwords come from the environment of
           whoever runs them; --mechanism SCRAM-SHA-512 for the other one

  --principal P   whom the broker takes a role for; {role} is its name. KAFKA_PRINCIPAL unless told, User:{role} unless set
${changeHelp}
Listing ACLs takes DESCRIBE on the cluster and changing them ALTER, which no role gets: run it with an administrator's KAFKA_SASL_….`,
  run: async (args, terminal) => {
    const { values, positionals } = readArgs(args, {
      ...commonOptions,
      "dry-run": { type: "boolean", default: false },
      by: { type: "string" },
      reason: { type: "string" },
      rpk: { type: "boolean", default: false },
      kafka: { type: "boolean", default: false },
      prune: { type: "boolean", default: false },
      principal: { type: "string" },
      mechanism: { type: "string", default: "SCRAM-SHA-256" },
    });
    const verb = readVerb(positionals, ["plan", "apply", "users"]);
    const { env, print } = terminal;
    if (values.rpk && values.kafka) throw usageError("say --rpk or --kafka, not both");
    if (values.prune && verb !== "apply") throw usageError("--prune is for apply");
    const principal = readOption(values.principal) ?? readConfig({ principal: principalSetting }, env).principal;
    const tool: AclTool | null = values.rpk ? "rpk" : values.kafka ? "kafka" : null;
    if (verb === "users") {
      for (const line of userCommands(tool ?? "rpk", principal, readMechanism(values.mechanism))) print(line);
      return 0;
    }
    if (tool !== null) {
      if (verb === "apply") throw usageError("--rpk and --kafka print the plan; apply does it");
      const prefix = readConfig({ prefix: kafkaSettings.prefix }, env).prefix;
      for (const line of aclCommands(tool, wantedAcls({ principal, prefix }))) print(line);
      return 0;
    }
    const { kafka } = readConfig({ kafka: kafkaSettings }, env);
    const deployment = { principal, prefix: kafka.prefix };
    await using admin = openAclAdmin(kafka, { clientId: "taskwire-ops", log: terminal.log });
    const plan = planAcls(wantedAcls(deployment), await admin.list(), deployment);
    const isApplied = verb === "apply" && !values["dry-run"];
    if (isApplied) {
      await using db = env["DATABASE_URL"] ? await openOpsDb(terminal) : null;
      await applyAcls({ admin, db }, { plan, prune: values.prune, by: readBy(values, env) });
    }
    show(plan, { isApplied, isPruned: isApplied && values.prune, json: values.json }, terminal);
    return 0;
  },
};

type AclPrintMode = Readonly<{ isApplied: boolean; isPruned: boolean; json: boolean }>;

function show(plan: readonly AclStep[], { isApplied, isPruned, json }: AclPrintMode, { print }: Terminal): void {
  const stateOf = ({ kind }: AclStep): string => {
    if (kind === "keep") return "as wanted";
    if (kind === "create") return isApplied ? "created" : "missing";
    return isPruned ? "removed" : "too much";
  };
  const reasonOf = (step: AclStep): string => (step.kind === "extra" ? step.why : step.acl.why.join("; "));
  if (json)
    return print(
      JSON.stringify({
        applied: isApplied,
        acls: plan.map((step) => ({ ...shownOf(step.acl), state: stateOf(step), why: reasonOf(step) })),
      }),
    );
  const rows = plan.map((step) => [
    step.acl.principal,
    sayAllowed(step.acl),
    sayResource(step.acl),
    stateOf(step),
    reasonOf(step),
  ]);
  print(printTable(["WHO", "MAY", "ON", "STATE", "BECAUSE IT"], rows));
  const missing = plan.filter(({ kind }) => kind === "create").length;
  const extra = plan.filter(({ kind }) => kind === "extra").length;
  if (!isApplied && missing > 0) print(`\n${missing} are missing: \`ops acls apply\` creates them`);
  if (!isPruned && extra > 0) print(`\n${extra} are too much: \`ops acls apply --prune\` removes them`);
}

function shownOf({ principal, host, resource, name, pattern, operation, permission }: Acl) {
  return { principal, host, resource, name, pattern, operation, permission };
}

function sayAllowed({ operation, permission, host }: Acl): string {
  return `${permission === "DENY" ? "not " : ""}${operation}${host === "*" ? "" : ` from ${host}`}`;
}

function sayResource({ resource, name, pattern }: Acl): string {
  return `${resource.toLowerCase()} ${name}${pattern === "PREFIXED" ? "…" : ""}`;
}

function readOption(pattern: string | undefined): string | null {
  if (pattern === undefined) return null;
  try {
    return readPrincipal(pattern);
  } catch (error) {
    throw usageError(`--principal ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readMechanism(text: string): string {
  if (text === "SCRAM-SHA-256" || text === "SCRAM-SHA-512") return text;
  throw usageError(`--mechanism must be SCRAM-SHA-256 or SCRAM-SHA-512, not "${text}"`);
}
