import type { Log } from "../../shared/role/log.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { sleep } from "../../shared/waiting/wait.ts";
import type { RelayMeters } from "./meters.ts";
import { setAsideHeld } from "./set-aside.ts";

const watchMs = 5_000;

/**
 * Every 5 s until `signal` is aborted: sets aside what is held, and tells the state of the whole outbox. A failure is
 * counted and logged.
 */
export async function watchOutbox({
  db,
  meters,
  log,
  signal,
}: Readonly<{ db: Db; meters: RelayMeters; log: Log; signal: AbortSignal }>): Promise<void> {
  while (!signal.aborted) {
    try {
      await setAsideHeld(db);
      await meters.watch(db);
    } catch (error) {
      meters.failed("watch");
      log.warn("watch_failed", { error });
    }
    await sleep(watchMs, signal);
  }
}
