import type { RolePlan } from "./plan-roles.ts";

/** The names in NODE_ROLES. Throws, naming the known ones, on a role that is not among `known`. */
export function readNodeRoles(text: string | undefined, known: readonly string[]): readonly string[] {
  const names = (text ?? "").split(",").flatMap((name) => name.trim() || []);
  for (const name of names)
    if (!known.includes(name))
      throw new Error(`NODE_ROLES names "${name}", which is no role of the Procfile; it has ${known.join(", ")}.`);
  return names;
}

/** The same plans, where those of `names` run under Node (`program` in place of `bun`) with the second Kafka driver. */
export function planUnderNode(plans: readonly RolePlan[], names: readonly string[], program: string): RolePlan[] {
  const quoted = `'${program.replaceAll("'", String.raw`'\''`)}'`;
  return plans.map((plan) =>
    names.includes(plan.name)
      ? { ...plan, command: `KAFKA_DRIVER=librdkafka ${plan.command.replace(/^bun\b/, () => quoted)}` }
      : plan,
  );
}
