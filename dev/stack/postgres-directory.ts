import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { reachableByOthers, runsAsRoot, unprivilegedUid } from "./postgres-binaries.ts";

/**
 * Where Postgres keeps its data: in the state directory, except when root's home is closed to the user that Postgres
 * runs as. Then under /var/tmp, in a folder named by an id kept in the state directory: it goes with that state and no
 * other.
 */
export function postgresDirectory(stateDirectory: string): string {
  mkdirSync(stateDirectory, { recursive: true });
  const inside = join(stateDirectory, "postgres");
  const directory = runsAsRoot() && !reachableByOthers(stateDirectory) ? outside(stateDirectory) : inside;
  mkdirSync(directory, { recursive: true });
  if (runsAsRoot()) chmodSync(directory, 0o755); // whatever the umask is
  matchOwner(join(directory, "data"));
  return directory;
}

/** Removes a data directory kept outside of the state directory, if there is one. */
export function removePostgresOutside(stateDirectory: string): void {
  if (existsSync(idFile(stateDirectory))) rmSync(outside(stateDirectory), { recursive: true, force: true });
}

const idFile = (stateDirectory: string): string => join(stateDirectory, "postgres-outside");

function outside(stateDirectory: string): string {
  const file = idFile(stateDirectory);
  if (!existsSync(file)) writeFileSync(file, crypto.randomUUID());
  return `/var/tmp/taskwire-data-${readFileSync(file, "utf8").trim()}`;
}

/** Postgres insists on owning its data. A checkout used as root and then not, or the reverse, needs a hand. */
function matchOwner(data: string): void {
  if (!existsSync(data)) return;
  const wanted = runsAsRoot() ? unprivilegedUid : process.getuid?.();
  if (statSync(data).uid === wanted) return;
  if (!runsAsRoot()) {
    throw new Error(
      `${data} belongs to another user, probably from a run as root.\n  how to go on: sudo rm -rf ${data}, or run as that user`,
    );
  }
  const { status, stderr } = spawnSync("chown", ["-R", `${unprivilegedUid}:${unprivilegedUid}`, data], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`chown of ${data} failed: ${stderr}`);
}
