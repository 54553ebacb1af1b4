import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

/** How a program is started. */
export type Program = Readonly<{ program: string; env: Readonly<Record<string, string>> }>;

/** The one on PATH, else that of Debian's packages, unpacked beside the other parts; `null` where there is neither. */
export function findDebianProgram(
  name: string,
  { at, packages }: Readonly<{ at: string; packages: readonly string[] }>,
): Program | null {
  const onPath = Bun.which(name);
  if (onPath !== null) return { program: onPath, env: {} };
  const directory = join(import.meta.dirname, "../../.dev/parts", name);
  const program = join(directory, at);
  if (!existsSync(program)) unpack(directory, packages);
  if (!existsSync(program)) return null;
  const libraries = [...new Bun.Glob("usr/lib/*/").scanSync({ cwd: directory, onlyFiles: false })];
  return { program, env: { LD_LIBRARY_PATH: libraries.map((path) => join(directory, path)).join(":") } };
}

function unpack(directory: string, packages: readonly string[]): void {
  if (Bun.which("apt-get") === null || Bun.which("dpkg") === null) return;
  mkdirSync(directory, { recursive: true });
  const fetched = Bun.spawnSync(["apt-get", "download", ...packages], { cwd: directory, stderr: "ignore" });
  if (!fetched.success) return;
  for (const file of new Bun.Glob("*.deb").scanSync(directory))
    Bun.spawnSync(["dpkg", "-x", join(directory, file), directory]);
}
