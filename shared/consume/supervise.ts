import type { Admin } from "../broker.ts";
import type { Log } from "../log.ts";
import type { Meters } from "./meters.ts";
import type { SessionEnd } from "./session.ts";
import { backoff, sleep } from "../wait.ts";

/** Clients in a row that failed without having settled anything, with the broker answering all the while. */
const hopeless = 10;

export type Supervision = Readonly<{
  /** Runs one client until it is of no use any more. */
  session: () => Promise<SessionEnd>;
  admin: Pick<Admin, "groups">;
  meters: Pick<Meters, "client" | "alarm">;
  log: Log;
  stop: AbortSignal;
  /** How long to wait after so many failures in a row; at random up to 5 s by default. */
  pauseMs?: (failures: number) => number;
}>;

/**
 * Makes a new client whenever one has failed: an old one can read on outside its group without any error. Settles when the role
 * stops. Rejects with what no new client can mend, and when ten in a row failed though the broker answers; while it does not,
 * tries for ever. Raises an alarm and reads no further, until a restart, when records are missing: an operator must choose.
 */
export async function supervise(of: Supervision): Promise<void> {
  const { session, admin, meters, log, stop } = of;
  const pauseMs = of.pauseMs ?? ((failures) => backoff(failures, { baseMs: 200, maxMs: 5_000 }));
  const gaps = new Map<string, string>();
  let failures = 0;
  const alarm = async (reason: string, fields: Readonly<Record<string, unknown>>) => {
    meters.alarm();
    log.error("consumer_alarm", {
      reason,
      ...fields,
      note: "the group stands still until an operator chooses an offset",
    });
    while (!stop.aborted) await sleep(60_000, stop);
  };
  while (!stop.aborted) {
    const end = await session();
    if (end.kind === "stopped" || stop.aborted) return;
    meters.client(end.kind);
    switch (end.kind) {
      case "fatal":
        throw end.error;
      case "out_of_log":
        return alarm("a commit is outside its log", { partitions: end.partitions });
      case "gap": {
        // Once may be the client's buffer. The same hole seen by a new client is in the log.
        const hole = `${end.expected}..${end.found}`;
        if (gaps.get(end.partition) === hole) return alarm("records are missing", { partition: end.partition, hole });
        gaps.set(end.partition, hole);
        log.warn("gap_in_deliveries", { partition: end.partition, hole });
        break;
      }
      case "failed":
        failures = end.worked ? 0 : failures + 1;
        log.warn("client_failed", { failures, error: end.error });
        if (failures >= hopeless && (await answers(admin)))
          throw new Error(`${failures} clients in a row failed though the broker answers`, { cause: end.error });
        await sleep(pauseMs(failures), stop);
    }
  }
}

async function answers(admin: Pick<Admin, "groups">): Promise<boolean> {
  try {
    await admin.groups();
    return true;
  } catch {
    return false;
  }
}
