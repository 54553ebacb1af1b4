import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { openDatabaseClock, type DatabaseClock } from "../postgres/database-clock.ts";
import type { Sql } from "../postgres/sql.ts";
import { settlesWithin, sleep } from "../waiting/wait.ts";

/**
 * What a role takes for the time: the database's clock, measured by this process and running on its monotonic clock
 * between two measures. The process's own clock decides nothing.
 */
export type RoleClock = Readonly<{
  /** Good to some ms. Throws before the first measure. */
  now: () => Date;
  /** False before the first measure. */
  isKnown: () => boolean;
  /** The same to the fraction of a ms, with what it may be off. Throws before the first measure. */
  measured: () => DatabaseClock;
  /**
   * Measures the database's clock before it resolves, then every 30 s until it is disposed. Sooner where the process's
   * clock has moved against its monotonic one, as after a machine was suspended. `openDb` calls it.
   */
  follow: (db: Readonly<{ sql: Sql }>) => Promise<AsyncDisposable>;
}>;

type ProcessClocks = Readonly<{ wallMs: () => number; monotonicMs: () => number }>;

/** Further off than this is told: `clock_off` in the log, and the alert ClockSkew by the gauge. */
const clockOffSeconds = 2;
const measureEveryMs = 30_000;
const lookEveryMs = 1_000;
const jumpMs = 500;

/** Tells by a gauge, and once by the log, how far the process's clock is off the database's. */
export function makeRoleClock(
  { log, metrics }: Readonly<{ log: Log; metrics: Metrics }>,
  { wallMs, monotonicMs }: ProcessClocks = { wallMs: () => Date.now(), monotonicMs: () => performance.now() },
): RoleClock {
  const offset = metrics.gauge("role_clock_offset_seconds", "The database's clock minus this process's");
  let followed: DatabaseClock | null = null;
  const measuredClock = (): DatabaseClock => {
    if (followed === null) throw new Error("the role's clock is the database's, which has not been asked yet");
    return followed;
  };
  let isOff = false;
  const tell = (seconds: number) => {
    offset.set(seconds);
    const wasOff = isOff;
    isOff = Math.abs(seconds) > clockOffSeconds;
    if (isOff && !wasOff) log.warn("clock_off", { offset_seconds: seconds, effect: "none but in times of the log" });
    if (!isOff && wasOff) log.info("clock_right", { offset_seconds: seconds });
  };
  return {
    now: () => new Date(measuredClock().now()),
    isKnown: () => followed !== null,
    measured: measuredClock,
    follow: async (db) => {
      const clock = await openDatabaseClock(db, monotonicMs);
      followed = clock;
      const measured = () => tell(Math.round(clock.now() - wallMs()) / 1_000);
      measured();
      const stop = new AbortController();
      const running = (async () => {
        const lead = () => wallMs() - monotonicMs();
        let [leadThen, measuredAt] = [lead(), monotonicMs()];
        while (!stop.signal.aborted) {
          await sleep(lookEveryMs, stop.signal);
          const isDue = monotonicMs() - measuredAt >= measureEveryMs || Math.abs(lead() - leadThen) > jumpMs;
          if (!isDue || stop.signal.aborted) continue;
          try {
            await clock.measure();
            [leadThen, measuredAt] = [lead(), monotonicMs()];
            measured();
          } catch (error) {
            // The clock runs on from the last measure; what else needs the database tells that it is away.
            log.debug("clock_not_measured", { error });
          }
        }
      })();
      return {
        [Symbol.asyncDispose]: async () => {
          stop.abort();
          await settlesWithin(lookEveryMs, running);
        },
      };
    },
  };
}
