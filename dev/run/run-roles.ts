import { launchRole, isReady } from "./launch-role.ts";
import type { RolePlan } from "./plan-roles.ts";
import { roleEnvironment } from "./role-environment.ts";
import { untilReady } from "../stack/launch.ts";
import { supervise, type SupervisedProcess } from "../stack/supervise.ts";

type RunRolesOptions = Readonly<{
  checkout: string;
  plans: readonly RolePlan[];
  env: Readonly<Record<string, string | undefined>>;
  recordsDirectory: string;
  printerOf: (label: string) => (line: string) => void;
  say: (line: string) => void;
  changed: () => void;
}>;

/** Starts every planned role at once and keeps each running; whoever needs one ready waits for its `started`. */
export function runRoles({
  checkout,
  plans,
  env,
  recordsDirectory,
  printerOf,
  say,
  changed,
}: RunRolesOptions): readonly SupervisedProcess[] {
  return plans.map((plan) => {
    const { label, command, port } = plan;
    const start = () => {
      const launched = launchRole({
        label,
        command,
        cwd: checkout,
        env: roleEnvironment(env, plan),
        recordsDirectory,
        print: printerOf(label),
      });
      // No limit: a role may rightly wait for a broker or a registry, and ends by itself when it cannot go on.
      return untilReady(launched, { what: label, answers: () => isReady(port), timeoutMs: Infinity });
    };
    return supervise({ name: label, start, say: (lines) => lines.forEach(say), changed });
  });
}

/** Waits until every role was ready once, or `withinMs`; returns the names of those that were not. */
export async function awaitRoles(
  roles: readonly SupervisedProcess[],
  withinMs: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const late = new Set(roles.map((role) => role.name));
  const all = Promise.all(roles.map((role) => role.started.then(() => late.delete(role.name))));
  const timeLimit = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
  const over = Promise.withResolvers<void>();
  timeLimit.addEventListener("abort", () => over.resolve(), { once: true });
  await Promise.race([all.catch(() => {}), over.promise]);
  return [...late];
}
