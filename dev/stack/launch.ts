import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { identify } from "./process-identity.ts";
import { forgetProcess, recordProcess } from "./process-records.ts";
import { stopProcess } from "./stop-process.ts";

/** A running process: `exited` settles with why it ended, `stop` is graceful first and may be called twice. */
export type LaunchedProcess = Readonly<{
  pid: number;
  exited: Promise<string>;
  lastLines: () => readonly string[];
  stop: (graceMs?: number) => Promise<"stopped" | "killed">;
}>;

type LaunchOptions = Readonly<{
  name: string;
  command: readonly [string, ...string[]];
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  logFile: string;
  recordsDirectory: string;
  stopSignal?: NodeJS.Signals;
  /** Run as this user (and group of the same number); root only. */
  uid?: number | undefined;
}>;

/**
 * Starts a part of the stack in a process group of its own, so that a terminal's Ctrl-C does not reach it, with its
 * output in `logFile` (the one before is kept as `.1`): it outlives a killed runner without writing into a broken pipe.
 */
export function launch(options: LaunchOptions): LaunchedProcess {
  const { name, command, logFile, recordsDirectory, uid, stopSignal = "SIGTERM" } = options;
  mkdirSync(dirname(logFile), { recursive: true });
  rotate(logFile);
  const log = openSync(logFile, "a");
  const child = spawn(command[0], command.slice(1), {
    cwd: options.cwd,
    env: { ...options.env },
    detached: true,
    stdio: ["ignore", log, log],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  closeSync(log);
  const lastLines = () => readLastLines(logFile, 20);
  const pid = child.pid;
  const exited = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`could not start: ${error.message}`));
    child.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  if (pid === undefined) return { pid: -1, exited, lastLines, stop: async () => "stopped" };
  const identity = identify(pid);
  recordProcess(recordsDirectory, { name, pid, stopSignal });
  void exited.then(() => forgetProcess(recordsDirectory, name, pid));
  return {
    pid,
    exited,
    lastLines,
    stop: async (graceMs = 10_000) => {
      const how = identity === undefined ? "stopped" : await stopProcess(identity, { signal: stopSignal, graceMs });
      await exited;
      return how;
    },
  };
}

/**
 * Waits until `answers` returns true. When the process ends first, or after `timeoutMs`, it is stopped and the error
 * carries the last lines of its log.
 */
export async function untilReady(
  launched: LaunchedProcess,
  {
    what,
    answers,
    timeoutMs = 120_000,
  }: Readonly<{ what: string; answers: () => Promise<boolean>; timeoutMs?: number }>,
): Promise<LaunchedProcess> {
  const end: { reason?: string } = {};
  void launched.exited.then((reason) => (end.reason = reason));
  const deadline = performance.now() + timeoutMs;
  while (end.reason === undefined && performance.now() < deadline) {
    if ((await answers().catch(() => false)) && end.reason === undefined) return launched;
    await sleep(50);
  }
  const reason = end.reason === undefined ? `no answer within ${timeoutMs / 1000} s` : `ended (${end.reason})`;
  await launched.stop();
  throw new Error([`${what}: ${reason}. Its last lines:`, ...launched.lastLines()].join("\n  "));
}

function rotate(logFile: string): void {
  try {
    renameSync(logFile, `${logFile}.1`);
  } catch {
    // the first start has no log to keep
  }
}

function readLastLines(path: string, count: number): readonly string[] {
  try {
    const text = readFileSync(path, "utf8").trimEnd();
    return text === "" ? [] : text.split("\n").slice(-count);
  } catch {
    return [];
  }
}
