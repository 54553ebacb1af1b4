// A pid alone does not name a process: numbers are reused after a reboot or a busy day. Pid and start time together do.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

export type ProcessIdentity = Readonly<{ pid: number; startedAt: string }>;

/**
 * What `pid` is right now, or undefined when no such process lives. A zombie, dead but not yet collected, counts as
 * gone. On Linux the start time is in clock ticks since boot, with the boot's id before it; elsewhere it is what `ps`
 * prints.
 */
export function identify(pid: number): ProcessIdentity | undefined {
  const startedAt = process.platform === "linux" ? linuxStartTime(pid) : portableStartTime(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

/** True while the very process that was recorded still lives. */
export function isAlive(recorded: ProcessIdentity): boolean {
  return identify(recorded.pid)?.startedAt === recorded.startedAt;
}

function linuxStartTime(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the program's name in parentheses and may itself contain spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  return `${readText("/proc/sys/kernel/random/boot_id")?.trim() ?? "boot"}:${fields[19]}`;
}

function portableStartTime(pid: number): string | undefined {
  const { stdout } = spawnSync("ps", ["-o", "lstart=,stat=", "-p", String(pid)], { encoding: "utf8" });
  const line = stdout.trim();
  return line === "" || line.endsWith("Z") ? undefined : line.slice(0, line.lastIndexOf(" ")).trim();
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // the process is gone: that is the answer, not a failure
  }
}
