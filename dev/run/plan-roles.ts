import { metricsPortBeside, rolePorts } from "../../shared/role/role-ports.ts";
import { explainPort } from "../stack/explain-port.ts";
import type { ProcfileLine } from "./procfile.ts";

export type RolePlan = Readonly<{
  name: string;
  /** From 1. */
  instance: number;
  /** Name, or name.2 and so on for further instances: unique, and what is shown before its lines. */
  label: string;
  command: string;
  port: number;
  /** Where it tells metrics; its port, but for the gateway. */
  metricsPort: number;
}>;

type PlanOptions = Readonly<{
  procfile: readonly ProcfileLine[];
  only: readonly string[] | undefined;
  scale: ReadonlyMap<string, number>;
  /** For the first ui-gateway, in order of preference. */
  appPorts: readonly number[];
  choosePort: (preferred: readonly number[]) => Promise<number>;
  /** Told of every role that is not on its usual port, and why. */
  say: (line: string) => void;
}>;

const gateway = "ui-gateway";
const usualPorts: Readonly<Record<string, number>> = rolePorts;
/** For the second instance and on, where the port after the first belongs to another server. */
const furtherPorts: Readonly<Record<string, number>> = { "ui-gateway": 8240, operator: 8260 };
/** For a line of the Procfile that is none of the product's roles. */
const otherPort = 8300;

/**
 * Every instance to run, in the order of the Procfile, each with a port of its own. Throws, naming the known ones, on a
 * role in `only` or `scale` that the Procfile does not have.
 */
export async function planRoles({
  procfile,
  only,
  scale,
  appPorts,
  choosePort,
  say,
}: PlanOptions): Promise<readonly RolePlan[]> {
  const names = procfile.map((line) => line.name);
  for (const name of [...(only ?? []), ...scale.keys()])
    if (!names.includes(name)) throw new Error(`The Procfile has no role "${name}"; it has ${names.join(", ")}.`);
  const plans: RolePlan[] = [];
  for (const [index, { name, command }] of procfile.entries()) {
    if (only !== undefined && !only.includes(name)) continue;
    for (let instance = 1; instance <= (scale.get(name) ?? 1); instance += 1) {
      const label = instance === 1 ? name : `${name}.${instance}`;
      const first = usualPorts[name] ?? otherPort + index * 20;
      const further = (furtherPorts[name] ?? first) + instance - 1;
      const usual = instance > 1 ? [further] : name === gateway ? appPorts : [first];
      const port = await choosePort(usual);
      const why = explainPort({ what: label === gateway ? "the app" : label, port, usual });
      if (why !== null) say(why);
      const metricsPort = name === gateway ? await choosePort([metricsPortBeside(port)]) : port;
      plans.push({ name, instance, label, command, port, metricsPort });
    }
  }
  return plans;
}

/** Where the other roles find each one: `task-service` becomes TASK_SERVICE_URL, with a comma between its instances. */
export function upstreamUrls(plans: readonly RolePlan[]): Readonly<Record<string, string>> {
  const urls: Record<string, string> = {};
  for (const { name, port } of plans) {
    const variable = `${name.toUpperCase().replaceAll("-", "_")}_URL`;
    urls[variable] = [...(urls[variable]?.split(",") ?? []), `http://127.0.0.1:${port}`].join(",");
  }
  return urls;
}
