import { spawn } from "node:child_process";
import type { LaunchedProcess } from "../stack/launch.ts";
import { identify } from "../stack/process-identity.ts";
import { forgetProcess, recordProcess } from "../stack/process-records.ts";
import { stopProcess } from "../stack/stop-process.ts";
import { splitLines } from "./console-lines.ts";
import { readableLine } from "./readable-line.ts";
import { direct } from "../../shared/http/proxy-for.ts";

type LaunchRoleOptions = Readonly<{
  label: string;
  command: string;
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  recordsDirectory: string;
  print: (line: string) => void;
}>;

/**
 * Starts one Procfile line in a process group of its own: a terminal's Ctrl-C reaches only the runner, which stops the
 * roles in order. Its lines are printed as they come, log lines in JSON made readable.
 */
export function launchRole({ label, command, cwd, env, recordsDirectory, print }: LaunchRoleOptions): LaunchedProcess {
  // `env` lets a line begin with NAME=value, and `exec` leaves no shell in between that would swallow signals.
  const child = spawn("sh", ["-c", `exec env ${command}`], {
    cwd,
    env: { ...env, BUN_OPTIONS: `${env["BUN_OPTIONS"] ?? ""} --no-orphans`.trim() },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const last: string[] = [];
  const keep = (written: string): void => {
    for (const line of readableLine(written).split("\n")) {
      last.push(line);
      if (last.length > 20) last.shift();
      print(line);
    }
  };
  for (const stream of [child.stdout, child.stderr]) {
    const lines = splitLines(keep);
    stream.on("data", (chunk: Buffer) => lines.push(chunk));
    stream.on("end", () => lines.end());
  }
  const exited = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`could not start: ${error.message}`));
    // `close` comes after the last line was read, which `exit` does not wait for.
    child.once("close", (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  const pid = child.pid;
  if (pid === undefined) return { pid: -1, exited, lastLines: () => last, stop: async () => "stopped" };
  const identity = identify(pid);
  recordProcess(recordsDirectory, { name: label, pid, stopSignal: "SIGTERM" });
  void exited.then(() => forgetProcess(recordsDirectory, label, pid));
  return {
    pid,
    exited,
    lastLines: () => last,
    stop: async (graceMs = 10_000) =>
      identity === undefined ? "stopped" : stopProcess(identity, { signal: "SIGTERM", graceMs }),
  };
}

/** True when the role on `port` says that it is ready. */
export async function isReady(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000), ...direct });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false; // not listening yet, or too busy to answer
  }
}
