import type { Admin } from "../../messages/broker.ts";
import type { Log } from "../../role/log.ts";
import { classify, isRefusal } from "../failure/classify.ts";
import type { ConsumerMeters } from "../meters.ts";
import type { Session, SessionEnd } from "./session.ts";
import { backoff, sleep } from "../../waiting/wait.ts";

/**
 * Clients in a row that failed without having settled anything, with the broker answering all the while, for a reason
 * nobody knows. What the broker lacks or forbids, a coordinator or a right, a new process would lack too: that is
 * waited for.
 */
const hopeless = 10;

type Supervision = Readonly<{
  /**
   * Runs one client until it is of no use any more. `wasSkipped`: whether a client before it left out the same records.
   */
  session: (wasSkipped: Session["wasSkipped"]) => Promise<SessionEnd>;
  admin: Pick<Admin, "groups">;
  meters: Pick<ConsumerMeters, "client">;
  /** Told of a client that the broker does not allow what it does. That it does again, its session tells. */
  tellRefusal: (error: unknown) => void;
  log: Log;
  stop: AbortSignal;
  /** How long to wait after so many failures in a row; at random up to 5 s by default. */
  pauseMs?: (failures: number) => number;
}>;

/**
 * Makes a new client whenever one has failed: an old one can read on outside its group without any error. Settles when
 * the role stops. Rejects with errors that no new client can mend, and when ten clients in a row failed for unknown
 * reasons although the broker answers. While the broker does not answer, says what it lacks, or forbids something, it
 * tries for ever: a restart would not help.
 */
export async function supervise(of: Supervision): Promise<void> {
  const { session, admin, meters, tellRefusal, log, stop } = of;
  const pauseMs = of.pauseMs ?? ((failures) => backoff(failures, { baseMs: 200, maxMs: 5_000 }));
  const gaps = new Map<string, string>();
  let failures = 0;
  const wasSkipped: Session["wasSkipped"] = (partition, expected, found) =>
    gaps.get(partition) === holeOf(expected, found);
  while (!stop.aborted) {
    const end = await session(wasSkipped);
    if (end.kind === "stopped" || stop.aborted) return;
    meters.client(end.kind);
    switch (end.kind) {
      case "fatal":
        throw end.error;
      case "gap": {
        // The log has what was not delivered. Once may be the client's buffer; if it is not, the partition will stand.
        const hole = holeOf(end.expected, end.found);
        gaps.set(end.partition, hole);
        log.warn("gap_in_deliveries", { partition: end.partition, hole });
        break;
      }
      case "grown":
        log.info("partitions_added", { topics: end.topics });
        break;
      case "remade":
        log.info("topics_are_others", { topics: end.topics });
        break;
      case "database_changed":
        log.warn("database_changed", { note: "the group joins anew and compares its positions" });
        await sleep(pauseMs(1), stop);
        break;
      case "rewound":
        log.warn("group_rewound", {
          partitions: end.partitions,
          note: "commits were above the positions in the database: records are read again, those in the inbox are left out",
        });
        break;
      case "failed":
        failures = end.worked ? 0 : failures + 1;
        log.warn("client_failed", { failures, error: end.error });
        if (isRefusal(end.error)) tellRefusal(end.error);
        else if (failures >= hopeless && classify(end.error) !== "dependency_down" && (await answers(admin)))
          throw new Error(`${failures} clients in a row failed though the broker answers`, { cause: end.error });
        await sleep(pauseMs(failures), stop);
    }
  }
}

function holeOf(expected: bigint | null, found: bigint): string {
  return `${expected}..${found}`;
}

async function answers(admin: Pick<Admin, "groups">): Promise<boolean> {
  try {
    await admin.groups();
    return true;
  } catch {
    return false;
  }
}
