export type StopSignals = Readonly<{
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP, or when the command that ran this one is gone. */
  signal: AbortSignal;
  /** Settles at the second one, with its name. */
  again: Promise<string>;
}>;

/**
 * Listens for the wish to stop. Behind npx and `bun run` one Ctrl-C arrives several times, from the terminal and from each
 * parent that passes it on, so a repetition counts only after `graceMs`.
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
  // `bun run` and npx do not pass every signal on: when they are gone, nobody is left to read the output.
  const parent = process.ppid;
  if (process.env["npm_lifecycle_event"] !== undefined) {
    const watch = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(watch);
      heard("the end of the command that started it");
    }, 500);
    watch.unref();
  }
  return { signal: stop.signal, again: again.promise };
}
