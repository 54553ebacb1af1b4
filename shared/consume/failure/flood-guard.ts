import type { Log } from "../../role/log.ts";
import { backoff, sleep } from "../../waiting/wait.ts";

export type Flood = Readonly<{
  /** How many of the last messages are looked at; 20 by default, 0 turns the guard off. */
  window?: number;
  /** Of how many keys, at least, those that fail alike must be; 5 by default. */
  keys?: number;
  /** Between two probes, at first and at most; 1 s and 30 s by default. */
  probeMs?: Readonly<{ baseMs: number; maxMs: number }>;
}>;

type FloodSample = Readonly<{ key: string; mark: string | null }>;

/**
 * Tells a broken build or database from broken messages. A flood begins when most of the last messages (11 of 20 by
 * default, of at least 5 keys) failed alike. During a flood, messages that fail the same way are held: neither parked
 * nor dead-lettered. One of them at a time is tried again as a probe. The flood ends when a probe works, when enough
 * others work, or when an operator releases it; after a release the guard is off until a message works. A message
 * counts when its tries in the process are spent. One guard serves all lanes of a consumer.
 */
export function makeFloodGuard(
  of: Flood & Readonly<{ log: Log; stop: AbortSignal; changed: (flooded: boolean) => void }>,
) {
  const { log, stop, window = 20, keys = 5, probeMs = { baseMs: 1_000, maxMs: 30_000 } } = of;
  let seen: FloodSample[] = [];
  let flooded: string | null = null;
  let released = false;
  let held = 0;
  let probing = false;
  let wake = Promise.withResolvers<void>();

  const see = (one: FloodSample) => {
    seen = [...seen, one].slice(-window);
    const marks = Map.groupBy(seen, ({ mark }) => mark);
    const most = [...marks].find(
      ([mark, alike]) =>
        mark !== null && alike.length * 2 > window && new Set(alike.map(({ key }) => key)).size >= keys,
    )?.[0];
    if (most && flooded === null && !released && seen.length === window) begin(most);
    else if (!most && flooded !== null) end("others work");
  };
  const begin = (mark: string) => {
    flooded = mark;
    log.error("flood_began", {
      mark,
      window,
      note: "messages that fail alike wait until one of them works or an operator releases them",
    });
    of.changed(true);
  };
  const end = (why: string) => {
    if (flooded === null) return;
    log.warn("flood_ended", { mark: flooded, why });
    flooded = null;
    seen = [];
    of.changed(false);
    tell();
  };
  const tell = () => {
    wake.resolve();
    wake = Promise.withResolvers<void>();
  };
  const worked = (key: string) => {
    // What failed while it was off was let go on purpose.
    if (released) seen = [];
    released = false;
    if (window > 0) see({ key, mark: null });
  };

  /** True when the probe worked. */
  const probe = async (again: () => Promise<void>, round: number): Promise<boolean> => {
    probing = true;
    try {
      await sleep(backoff(round, probeMs) + 10, stop);
      if (flooded === null || stop.aborted) return false;
      await again();
      end("a probe worked");
      return true;
    } finally {
      probing = false;
      tell();
    }
  };

  return {
    isFlooded: () => flooded !== null,
    /** Messages that wait for the flood to end. */
    held: () => held,
    worked,
    /** An operator ends the flood: held messages are parked or become dead letters. */
    release: () => {
      released = true;
      end("released by an operator");
    },
    /**
     * Counts a message whose tries are spent, and holds it while there is a flood. Resolves with true when it worked
     * after all, with false when it may be parked or become a dead letter. `again` tries it once more. Rejects with
     * errors that are `isFatal`.
     */
    hold: async (
      failed: Readonly<{ key: string; mark: string; again: () => Promise<void>; isFatal: (error: unknown) => boolean }>,
    ): Promise<boolean> => {
      if (window === 0) return false;
      see(failed);
      if (flooded !== failed.mark) return false;
      held += 1;
      try {
        for (let round = 0; flooded !== null && !stop.aborted;) {
          const woken = wake.promise;
          if (probing) {
            await Promise.race([woken, sleep(500, stop)]);
            continue;
          }
          try {
            if (await probe(failed.again, round++)) return true;
          } catch (error) {
            if (failed.isFatal(error)) throw error;
            log.info("flood_probe_failed", { mark: failed.mark, round, error });
          }
        }
        if (stop.aborted || released) return false;
        // Somebody else's worked: this one gets one more chance before its fate is sealed.
        await failed.again();
        return true;
      } catch (error) {
        if (failed.isFatal(error)) throw error;
        return false;
      } finally {
        held -= 1;
      }
    },
  };
}
export type FloodGuard = ReturnType<typeof makeFloodGuard>;
