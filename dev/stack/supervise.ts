import { setTimeout as sleep } from "node:timers/promises";
import type { LaunchedProcess } from "./launch.ts";

export type SupervisedProcess = Readonly<{
  name: string;
  /** Null between a crash and the restart. */
  pid: () => number | null;
  /** How often it was started again. */
  restarts: () => number;
  /** Settles when the first start succeeded; rejects when the process was stopped before. */
  started: Promise<void>;
  /** Stops it for good, whatever it is doing. May be called twice. */
  stop: (graceMs: number) => Promise<"stopped" | "killed">;
}>;

type SuperviseOptions = Readonly<{
  name: string;
  /** Starts the process; rejects when it does not get ready, having ended it. */
  start: () => Promise<LaunchedProcess>;
  /** A process that is already running, as the first. */
  running?: LaunchedProcess;
  say: (lines: readonly string[]) => void;
  /** Called whenever the pid changes. */
  changed?: () => void;
  backoff?: Readonly<{ firstMs: number; maxMs: number; calmMs: number }>;
}>;

/**
 * Keeps one process running: when it ends unasked its last lines are repeated and it is started again after a pause
 * that doubles from `firstMs` to `maxMs`, and falls back once it has run for `calmMs`.
 */
export function supervise(options: SuperviseOptions): SupervisedProcess {
  const { name, say, changed = () => {}, backoff = { firstMs: 500, maxMs: 15_000, calmMs: 30_000 } } = options;
  const stopping = new AbortController();
  let current: LaunchedProcess | null = null;
  let pauseMs = backoff.firstMs;
  let restarts = 0;
  const first = Promise.withResolvers<void>();
  first.promise.catch(() => {}); // whoever waits for it sees the rejection; nobody has to wait

  const watch = async (launched: LaunchedProcess): Promise<void> => {
    current = launched;
    changed();
    if (stopping.signal.aborted) await launched.stop(0);
    else if (restarts > 0) say([`${name} is back (pid ${launched.pid})`]);
    first.resolve();
    const began = performance.now();
    const reason = await launched.exited;
    current = null;
    if (stopping.signal.aborted) return;
    changed();
    if (performance.now() - began > backoff.calmMs) pauseMs = backoff.firstMs;
    say([
      `${name} ended (${reason}). Its last lines:`,
      ...launched
        .lastLines()
        .slice(-10)
        .map((line) => `  ${line}`),
    ]);
  };
  const run = async (): Promise<void> => {
    if (options.running !== undefined) await watch(options.running);
    for (let again = options.running !== undefined; !stopping.signal.aborted; again = true) {
      if (again) {
        say([`${name} is started again in ${pauseMs / 1000} s`]);
        await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
        pauseMs = Math.min(pauseMs * 2, backoff.maxMs);
        restarts += 1;
      }
      if (stopping.signal.aborted) break;
      try {
        await watch(await options.start());
      } catch (error) {
        const [first = "", ...more] = (error instanceof Error ? error.message : String(error)).split("\n");
        if (!stopping.signal.aborted) say([`${name} did not get ready: ${first}`, ...more]);
      }
    }
    first.reject(new Error(`${name} was stopped before it was ready`));
  };
  const settled = run();

  return {
    name,
    pid: () => current?.pid ?? null,
    restarts: () => restarts,
    started: first.promise,
    stop: async (graceMs) => {
      stopping.abort();
      const how = (await current?.stop(graceMs)) ?? "stopped";
      // A start under way ends by itself or by the sweep over the process records; it is not waited for beyond the
      // grace.
      await Promise.race([settled, sleep(graceMs)]);
      return how;
    },
  };
}
