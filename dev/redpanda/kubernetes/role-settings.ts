import { dirname, join } from "node:path";
import { readFileSync } from "node:fs";
import type { Setting } from "../../../shared/role/config.ts";
import type { RoleName } from "../../../shared/messages/topics.ts";
import { checkout } from "../../installed.ts";
import { isFields } from "./object.ts";

/** The settings a role reads, by their names; of those written in its `main.ts` itself only the name is known. */
export type RoleSettings = ReadonlyMap<string, Setting<unknown> | null>;

const transpiler = new Bun.Transpiler({ loader: "ts" });
/** Read by the runner, for every role, from a function. */
const ofTheRunner = ["HOST", "PORT", "METRICS_PORT", "METRICS_HOST", "LOG_LEVEL", "ROLE_INSTANCE", "DRAIN_SECONDS"];

const known = new Map<RoleName, Promise<RoleSettings>>();

/**
 * Finds them in the modules that the role's `main.ts` imports, directly and through others. Importing these changes
 * nothing.
 */
export function readRoleSettings(role: RoleName): Promise<RoleSettings> {
  const found = known.get(role) ?? findSettings(role);
  known.set(role, found);
  return found;
}

async function findSettings(role: RoleName): Promise<RoleSettings> {
  const main = join(checkout, "workers", role, "main.ts");
  const found = new Map<string, Setting<unknown> | null>(ofTheRunner.map((name) => [name, null]));
  for (const [, name = ""] of readFileSync(main, "utf8").matchAll(/\b[a-zA-Z]+\(\s*"([A-Z][A-Z0-9_]{3,})"/g))
    found.set(name, null);
  for (const path of modulesOf(main))
    if (path !== main) for (const exported of Object.values(asRecord(await import(path)))) collect(exported, found);
  return found;
}

/** A module with all that it imports from the checkout. */
export function modulesOf(main: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const { path: to } of transpiler.scanImports(readFileSync(path, "utf8")))
      if (to.startsWith(".") && to.endsWith(".ts")) visit(join(dirname(path), to));
  };
  visit(main);
  return seen;
}

/** Settings are exported alone or as groups; a group may hold groups. */
function collect(value: unknown, found: Map<string, Setting<unknown> | null>): void {
  if (!isFields(value) || Object.getPrototypeOf(value) !== Object.prototype) return;
  if (isSetting(value)) found.set(value.name, value);
  else for (const inner of Object.values(value)) collect(inner, found);
}

function isSetting(value: object): value is Setting<unknown> {
  return "name" in value && "fallback" in value && "parse" in value && typeof value.parse === "function";
}

function asRecord(module: unknown): Readonly<Record<string, unknown>> {
  return typeof module === "object" && module !== null ? { ...module } : {};
}
