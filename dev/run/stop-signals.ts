import { isAlive, type ProcessIdentity } from "../stack/process-identity.ts";
import { findLaunchers } from "./launchers.ts";

type StopSignals = Readonly<{
  /**
   * Aborted by the first SIGINT, SIGTERM or SIGHUP, or when a command that ran this one is gone: `npx`, its shell or
   * `bun run`.
   */
  signal: AbortSignal;
  /** Settles at the second one, with its name. */
  again: Promise<string>;
}>;

const watchEveryMs = 500;

/**
 * Listens for the wish to stop. Behind npx and `bun run` one Ctrl-C arrives several times, from the terminal and from
 * each parent that passes it on, so a repetition counts only after `graceMs`.
 */
export function listenForStop({ graceMs = 700 }: Readonly<{ graceMs?: number }> = {}): StopSignals {
  const stop = new AbortController();
  const again = Promise.withResolvers<string>();
  let firstAt = 0;
  const heard = (name: string): void => {
    if (!stop.signal.aborted) {
      firstAt = performance.now();
      stop.abort(name);
    } else if (performance.now() - firstAt > graceMs) again.resolve(name);
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => heard(name));
  const launchers = findLaunchers();
  if (launchers.length > 0) {
    const watch = setInterval(() => {
      if (launchers.every(isThere)) return;
      clearInterval(watch);
      heard("the end of the command that started it");
    }, watchEveryMs);
    watch.unref();
  }
  return { signal: stop.signal, again: again.promise };
}

/** Where telling a process from a later one of its number takes a process of its own, the number alone has to do. */
function isThere(launcher: ProcessIdentity): boolean {
  if (process.platform === "linux") return isAlive(launcher);
  try {
    return process.kill(launcher.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
