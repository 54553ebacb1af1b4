import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readOwner } from "../stack/claim-state.ts";
import { isAlive } from "../stack/process-identity.ts";
import type { PartStatus, Stack, StackUrls } from "../stack/stack.ts";
import { isReady } from "./launch-role.ts";
import type { RolePlan } from "./plan-roles.ts";

type RoleStatus = Readonly<{
  name: string;
  instance: number;
  pid: number | null;
  port: number;
  metricsPort: number;
  ready: boolean;
}>;

/** What `bun run dev status --json` prints; `app` and `operator` are null when that role is not among those run. */
export type Status = StackUrls &
  Readonly<{
    app: string | null;
    operator: string | null;
    stack: Readonly<{ kind: Stack["kind"]; parts: readonly PartStatus[] }>;
    roles: readonly RoleStatus[];
  }>;

type StatusSource = Readonly<{
  stack: Stack;
  roles: readonly Readonly<{ plan: RolePlan; pid: number | null; ready: boolean }>[];
}>;

/** Puts the status together, in the order of keys in which it is printed. */
export function describeStatus({ stack, roles }: StatusSource): Status {
  const address = (name: string): string | null => {
    const plan = roles.find((role) => role.plan.name === name)?.plan;
    return plan === undefined ? null : `http://127.0.0.1:${plan.port}`;
  };
  return {
    app: address("ui-gateway"),
    operator: address("operator"),
    databaseUrl: stack.urls.databaseUrl,
    kafkaBrokers: stack.urls.kafkaBrokers,
    schemaRegistryUrl: stack.urls.schemaRegistryUrl,
    redisUrl: stack.urls.redisUrl,
    stack: { kind: stack.kind, parts: stack.parts() },
    roles: roles.map(({ plan, pid, ready }) => ({
      name: plan.name,
      instance: plan.instance,
      pid,
      port: plan.port,
      metricsPort: plan.metricsPort,
      ready,
    })),
  };
}

/** Leaves the status where `bun run dev status` finds it. */
export function writeStatus(stateDirectory: string, status: Status): void {
  const path = join(stateDirectory, "status.json");
  writeFileSync(`${path}.new`, JSON.stringify(status));
  renameSync(`${path}.new`, path);
}

/** The status of the dev that runs in this state directory, with `ready` asked just now; undefined when none runs. */
export async function readStatus(stateDirectory: string): Promise<Status | undefined> {
  const owner = readOwner(stateDirectory);
  if (owner === undefined || !isAlive(owner)) return undefined;
  let status: Status;
  try {
    status = JSON.parse(readFileSync(join(stateDirectory, "status.json"), "utf8")) as Status;
  } catch {
    return undefined; // it has only just begun
  }
  const roles = await Promise.all(
    status.roles.map(async (role) => ({ ...role, ready: role.pid !== null && (await isReady(role.port)) })),
  );
  return { ...status, roles };
}
