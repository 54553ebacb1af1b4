import { spawn } from "node:child_process";
import { forgetProcess, recordProcess } from "./process-records.ts";

type CommandOptions = Readonly<{
  command: readonly [string, ...string[]];
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  uid?: number | undefined;
  /** Ends the command, and with it the promise. */
  signal?: AbortSignal | undefined;
  onLine?: ((line: string) => void) | undefined;
  /** Leaves a record while it runs, by which a later run ends what a killed one left. */
  record?: Readonly<{ name: string; directory: string }> | undefined;
}>;

type CommandResult = Readonly<{
  /** 0, another exit code, or words for what ended it otherwise. */
  ended: number | string;
  /** Standard output and error, as they came. */
  output: string;
}>;

/** Runs a command to its end, in a process group of its own that is ended as a whole. Never rejects. */
export function runCommand({ command, cwd, env, uid, signal, onLine, record }: CommandOptions): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), {
      cwd,
      env: { ...env },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    const { pid } = child;
    if (record !== undefined && pid !== undefined)
      recordProcess(record.directory, { name: record.name, pid, stopSignal: "SIGKILL" });
    let output = "";
    let unfinished = "";
    const read = (chunk: Buffer): void => {
      const text = chunk.toString();
      output += text;
      const lines = (unfinished + text).split("\n");
      unfinished = lines.pop() ?? "";
      for (const line of lines) onLine?.(line);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    const abort = (): void => {
      try {
        if (pid !== undefined) process.kill(-pid, "SIGTERM");
      } catch {
        // it has just ended
      }
    };
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    const settle = (ended: number | string): void => {
      signal?.removeEventListener("abort", abort);
      if (record !== undefined && pid !== undefined) forgetProcess(record.directory, record.name, pid);
      if (unfinished !== "") onLine?.(unfinished);
      unfinished = "";
      resolve({ ended, output });
    };
    child.once("error", (error) => settle(error.message));
    child.once("close", (code, endSignal) => settle(code ?? `${endSignal}`));
  });
}
