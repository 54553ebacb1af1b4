import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { provideRdKafka } from "../librdkafka/provide.ts";
import { claimState } from "../stack/claim-state.ts";
import { openDeathWatch } from "../stack/death-watch.ts";
import { missingThing } from "../stack/missing.ts";
import { openStack } from "../stack/open-stack.ts";
import { openPortClaims } from "../stack/ports.ts";
import { livingProcesses } from "../stack/process-records.ts";
import { send } from "../stack/stop-process.ts";
import { stopRecorded } from "../stack/stop-recorded.ts";
import type { Stack } from "../stack/stack.ts";
import type { SupervisedProcess } from "../stack/supervise.ts";
import type { DevArguments } from "./arguments.ts";
import { renderBanner } from "./banner.ts";
import { openConsoleLines } from "./console-lines.ts";
import { directoriesOf, usualAppPorts, usualPorts } from "./directories.ts";
import { drain } from "./drain.ts";
import { planUnderNode, readNodeRoles } from "./node-roles.ts";
import { planRoles, type RolePlan } from "./plan-roles.ts";
import { parseProcfile } from "./procfile.ts";
import { preparationLabels, prepareStack } from "./prepare-stack.ts";
import { resetState } from "./reset.ts";
import { readEnvironment, readSecret, sharedEnvironment } from "./role-environment.ts";
import { awaitRoles, runRoles } from "./run-roles.ts";
import { describeStatus, writeStatus } from "./status.ts";
import { listenForStop } from "./stop-signals.ts";

/** A stop may take 15 s: the roles get most of it, the stack what they leave, and at least this. */
const drainRolesMs = 9_000;
const stopAllMs = 13_500;
const stopStackMs = 4_500;

/**
 * Runs the stack and the roles until it is told to stop. Returns the exit code: 0 after a clean stop, 1 when something
 * could not start. In every case what was started has ended by then.
 */
export async function runDev(checkout: string, options: DevArguments): Promise<number> {
  const directories = directoriesOf(checkout);
  const claim = claimState(directories.state);
  if ("heldBy" in claim) {
    process.stderr.write(
      `dev is already running in this checkout (pid ${claim.heldBy}).\nIts addresses: npx bun run dev status. To stop it: Ctrl-C there, or kill ${claim.heldBy}.\n`,
    );
    return 1;
  }
  const { signal, again } = listenForStop();
  const claims = openPortClaims();
  const records = { parts: join(directories.state, "processes"), roles: join(directories.state, "roles") };
  const deathWatch = openDeathWatch(checkout, [records.roles, records.parts]);
  let stack: Stack | undefined;
  let roles: readonly SupervisedProcess[] = [];
  let say = (line: string): void => void process.stdout.write(`${line}\n`);
  void again.then((name) => {
    say(`${name} again: killing what is left`);
    for (const record of [...livingProcesses(records.roles), ...livingProcesses(records.parts)])
      send(-record.pid, "SIGKILL");
    deathWatch.release();
    claims.release();
    claim.release();
    process.exit(130);
  });

  /** Where the second driver cannot be had, this says so, and the first one serves under Bun. */
  const withNode = async (plans: readonly RolePlan[], names: readonly string[]): Promise<readonly RolePlan[]> => {
    try {
      const node = await provideRdKafka({ checkout, partsDirectory: directories.parts, say, signal });
      return planUnderNode(plans, names, node.program);
    } catch (error) {
      if (missingThing(error) === undefined) throw error;
      say(`${String(error)}\n  NODE_ROLES is passed over: ${names.join(", ")} run under Bun, with the first driver`);
      return plans;
    }
  };

  try {
    const env = readEnvironment(checkout);
    const procfile = options.stackOnly ? [] : parseProcfile(readFileSync(join(checkout, "Procfile"), "utf8"));
    if (options.reset)
      await resetState({ checkout, stateDirectory: directories.state, docker: env["DEV_STACK"] !== "embedded", say });
    const appPorts = env["PORT"] === undefined ? usualAppPorts : [readPort(env["PORT"])];
    const moved: string[] = [];
    const nodeRoles = options.stackOnly
      ? []
      : readNodeRoles(
          env["NODE_ROLES"],
          procfile.map(({ name }) => name),
        );
    const planned = await planRoles({
      ...options,
      procfile,
      appPorts,
      choosePort: claims.choose,
      say: (line) => moved.push(line),
    });
    const plans = nodeRoles.length === 0 ? planned : await withNode(planned, nodeRoles);

    const lines = openConsoleLines({
      names: ["stack", ...preparationLabels, ...plans.map((plan) => plan.label)],
      coloured:
        process.env["NO_COLOR"] === undefined && (process.stdout.isTTY || process.env["FORCE_COLOR"] !== undefined),
      write: (text) => void process.stdout.write(text),
    });
    say = lines.from("stack");
    for (const line of moved) say(line);
    const leftovers = await stopRecorded(records.roles);
    if (leftovers.length > 0) say(`stopped what an earlier run left behind: ${leftovers.join(", ")}`);
    rmSync(join(directories.state, "status.json"), { force: true });

    const changed = (): void => {
      if (stack === undefined) return;
      const pids = plans.map((plan, index) => ({ plan, pid: roles[index]?.pid() ?? null }));
      writeStatus(
        directories.state,
        describeStatus({ stack, roles: pids.map((role) => ({ ...role, ready: role.pid !== null })) }),
      );
    };
    stack = await openStack({
      checkout,
      stateDirectory: directories.state,
      partsDirectory: directories.parts,
      env,
      usualPorts,
      claims,
      say,
      signal,
      changed,
    });
    const shared = sharedEnvironment({
      env,
      urls: stack.urls,
      plans,
      authSecret: readSecret(directories.authSecret),
      operatorToken: readSecret(directories.operatorToken),
    });
    await prepareStack({ checkout, env: shared, signal, printerOf: lines.from });

    const recordsDirectory = records.roles;
    roles = runRoles({ checkout, plans, env: shared, recordsDirectory, printerOf: lines.from, say, changed });
    changed();
    const late = await awaitRoles(roles, 60_000, signal);
    if (!signal.aborted) {
      const described = plans.map((plan, index) => {
        const pid = roles[index]?.pid() ?? null;
        return { plan, pid, ready: pid !== null && !late.includes(plan.label) };
      });
      lines.plain(
        `\n${renderBanner(describeStatus({ stack, roles: described }), { ...stack, operatorToken: shared["OPERATOR_TOKEN"] })}\n`,
      );
      if (late.length > 0) say(`not ready yet, still trying: ${late.join(", ")}`);
      say(`${late.length === 0 ? "ready" : "running"}; Ctrl-C stops everything`);
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    }
    return 0;
  } catch (error) {
    if (signal.aborted) return 0;
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    if (signal.aborted) say(`${String(signal.reason)}: stopping in reverse order (again to kill)`);
    const began = performance.now();
    await drain(roles, { withinMs: drainRolesMs, say });
    await stopRecorded(records.roles, 1_000);
    if (stack !== undefined) {
      const parts = stack.parts().map((part) => part.name);
      if (parts.length > 0) say(`waiting for ${parts.join(", ")}`);
      // Postgres goes last, so each of the two rounds gets half.
      await stack.stop(Math.max(stopStackMs, stopAllMs - (performance.now() - began)) / 2);
    }
    rmSync(join(directories.state, "status.json"), { force: true });
    deathWatch.release();
    claims.release();
    claim.release();
    if (signal.aborted) say("stopped, nothing is left running");
  }
}

/** The runner's PORT: the application's. */
function readPort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Error(`PORT must be a whole number from 1 to 65535, not "${text}"`);
  return port;
}
