import { spawn } from "node:child_process";
import { join } from "node:path";

type DeathWatch = Readonly<{ release: () => void }>;

/**
 * Starts a small process that outlives this one, in a session of its own, and stops what is recorded in `directories`
 * when this one ends without `release`: kill -9, a crash, out of memory. It waits as a shell at the end of a pipe (1
 * MB), which closes with this process.
 */
export function openDeathWatch(checkout: string, directories: readonly string[]): DeathWatch {
  const script = join(checkout, "dev", "stack", "stop-after-death.ts");
  const child = spawn("sh", ["-c", 'read -r _; exec "$@"', "death-watch", process.execPath, script, ...directories], {
    cwd: "/",
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  child.on("error", () => {}); // without it a later start still finds what was left
  child.stdin?.on("error", () => {});
  child.unref();
  // Killed rather than told: what is written right before the end of a process may not leave it.
  return { release: () => void child.kill("SIGKILL") };
}
