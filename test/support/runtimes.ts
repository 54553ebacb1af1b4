import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const modules = join(import.meta.dir, "../../node_modules");

/** `command` is `null` where there is none; `why` then says what is missing. */
export type Runtime = Readonly<{ name: string; version: string; command: readonly string[] | null; why: string }>;

/** The Node and the Deno that come with `bun install`, each with what runs a file as the README says it. */
export const node = find("node", "node-", "bin/node", []);
export const deno = find("deno", "@deno/", "deno", ["run", "--no-lock", "--unstable-no-legacy-abort", "-ENRS"]);

function find(name: string, prefix: string, file: string, args: readonly string[]): Runtime {
  const [scope = "", start = ""] = prefix.endsWith("/") ? [prefix, ""] : ["", prefix];
  const folder = join(modules, scope);
  const found = (existsSync(folder) ? readdirSync(folder) : [])
    .filter((entry) => entry.startsWith(start))
    .map((entry) => join(folder, entry, file))
    .find((path) => existsSync(path));
  const said = found === undefined ? null : Bun.spawnSync([found, "--version"]).stdout.toString();
  const version = /\d+\.\d+\.\d+/.exec(said ?? "")?.[0];
  if (found === undefined || version === undefined)
    return { name, version: "", command: null, why: ` (skipped: ${name} is not among the packages of this platform)` };
  return { name, version, command: [found, ...args], why: "" };
}
