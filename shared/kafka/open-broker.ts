import type { Log } from "../role/log.ts";
import type { Metrics } from "../role/metrics.ts";

/** What a process says of itself when it opens the broker. */
export type OpenBroker = Readonly<{
  clientId: string;
  log: Log;
  /**
   * How long a member waits between two fetches that bring records, ms, so that more come together; by default not at
   * all. A fetch and its transaction cost 3 ms of CPU whether they bring one record or fifty: for those nobody waits
   * for on a screen.
   */
  gatherMs?: number;
  /** Where the second driver's client tells what it does. */
  metrics?: Metrics;
}>;
