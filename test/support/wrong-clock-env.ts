import { join } from "node:path";

/** The environment of a process whose clock is to be so many ms ahead of the machine's; behind it, where negative. */
export function wrongClock(aheadMs: number): Readonly<Record<string, string>> {
  return { BUN_OPTIONS: `--preload ${join(import.meta.dir, "wrong-clock.ts")}`, CLOCK_AHEAD_MS: String(aheadMs) };
}
