// Only built-ins here: this file runs before there is a node_modules.
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** The folder of package.json; everything works from any current directory. */
export const checkout: string = dirname(import.meta.dir);

/**
 * Installs the dependencies when they are absent or older than bun.lock or a patch, showing the installer's own
 * progress, and puts the running bun first on PATH as `bun`: through npx there may be no other one, or one of another
 * version.
 */
export async function ensureInstalled(): Promise<void> {
  putBunOnPath();
  const marker = join(checkout, "node_modules", ".installed");
  const underWay = join(checkout, ".dev", "installing"); // left there by an install that was killed
  if (!existsSync(underWay)) {
    if (existsSync(marker) && statSync(marker).mtimeMs >= lastChange()) return;
    if (!existsSync(marker) && isComplete()) return;
  }
  writeFileSync(underWay, "");
  process.stderr.write("installing dependencies (bun install --frozen-lockfile)\n");
  const child = spawn(process.execPath, ["install", "--frozen-lockfile"], { cwd: checkout, stdio: ["ignore", 2, 2] });
  const code = await new Promise<number | string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (exitCode, signal) => resolve(exitCode ?? `${signal}`));
  });
  if (code !== 0) {
    process.stderr.write(
      `bun install failed (${code}).\n  why: see above; most often the package registry could not be reached\n  how to go on: run it again, or \`bun install\` by hand\n`,
    );
    process.exit(1);
  }
  writeFileSync(marker, "");
  const now = new Date();
  utimesSync(marker, now, now);
  rmSync(underWay, { force: true });
}

/** When what is to be installed last changed: a patch can change without the lock file. */
function lastChange(): number {
  const patches = join(checkout, "patches");
  const files = existsSync(patches) ? readdirSync(patches).map((name) => join(patches, name)) : [];
  return Math.max(...[join(checkout, "bun.lock"), ...files].map((path) => statSync(path).mtimeMs));
}

/** True when somebody ran `bun install` by hand after that last changed. */
function isComplete(): boolean {
  const folder = join(checkout, "node_modules");
  if (!existsSync(folder) || statSync(folder).mtimeMs < lastChange()) return false;
  const { dependencies = {}, devDependencies = {} } = JSON.parse(
    readFileSync(join(checkout, "package.json"), "utf8"),
  ) as {
    dependencies?: Record<string, string>;
    devDependencies?: Record<string, string>;
  };
  return Object.keys({ ...dependencies, ...devDependencies }).every((name) =>
    existsSync(join(folder, name, "package.json")),
  );
}

/** The binary that npx fetches may have another name (bun.exe), so children find it under a link called `bun`. */
function putBunOnPath(): void {
  const folder = join(checkout, ".dev", "bin");
  const link = join(folder, "bun");
  mkdirSync(folder, { recursive: true });
  const temporary = join(folder, `bun.${process.pid}`);
  rmSync(temporary, { force: true });
  symlinkSync(process.execPath, temporary);
  renameSync(temporary, link);
  const others = (process.env["PATH"] ?? "").split(delimiter).filter((entry) => entry !== folder);
  process.env["PATH"] = [folder, ...others].join(delimiter);
}
