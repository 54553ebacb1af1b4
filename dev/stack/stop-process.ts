import { setTimeout as sleep } from "node:timers/promises";
import { isAlive, type ProcessIdentity } from "./process-identity.ts";

/**
 * Asks a process to end and waits for it; after `graceMs` kills it together with its process group. With SIGKILL as the
 * signal the whole group is killed at once. Returns "stopped" or "killed". Safe on a process that is already gone, and
 * never touches another one with the same pid.
 */
export async function stopProcess(
  target: ProcessIdentity,
  { signal = "SIGTERM", graceMs = 10_000 }: Readonly<{ signal?: NodeJS.Signals; graceMs?: number }> = {},
): Promise<"stopped" | "killed"> {
  if (isAlive(target)) send(signal === "SIGKILL" ? -target.pid : target.pid, signal);
  if (await gone(target, graceMs)) {
    if (signal === "SIGKILL") await groupGone(target.pid, 2_000);
    return "stopped";
  }
  if (isAlive(target)) send(-target.pid, "SIGKILL");
  if (isAlive(target)) send(target.pid, "SIGKILL");
  await gone(target, 5_000);
  return "killed";
}

/** Sends a signal to a process, or with a negative number to its group. False when there is none. */
export function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false; // it ended in between
  }
}

/** Waits until nobody is left in a group whose leader has ended: a killed child may still write for a moment. */
async function groupGone(pid: number, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (groupLives(pid)) {
    if (performance.now() > deadline) return false;
    await sleep(10);
  }
  return true;
}

function groupLives(pid: number): boolean {
  try {
    return process.kill(-pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function gone(target: ProcessIdentity, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (isAlive(target)) {
    if (performance.now() > deadline) return false;
    await sleep(20); // somebody else's child sends no exit event, so it is watched
  }
  return true;
}
