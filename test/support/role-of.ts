import { makeLog } from "../../shared/role/log.ts";
import { makeMetrics } from "../../shared/role/metrics.ts";
import { openDatabaseClock } from "../../shared/postgres/database-clock.ts";
import type { Sql } from "../../shared/postgres/db.ts";
import type { Role } from "../../shared/role/role.ts";

/**
 * A role without a process: nothing serves, nobody asks whether it is well; its log tells errors only, unless another
 * is given.
 */
export function roleOf(of: Pick<Role, "name" | "signal"> & Partial<Role>): Role {
  return {
    log: makeLog({}, "error"),
    metrics: makeMetrics(of.name, { process: false }),
    now: () => new Date(),
    clock: {
      now: () => new Date(),
      isKnown: () => true,
      measured: () => {
        throw new Error("nobody has measured the database's clock: see databaseClockOf");
      },
      follow: async () => ({ [Symbol.asyncDispose]: async () => {} }),
    },
    readyWhen: () => {},
    note: () => {},
    healthyWhile: () => {},
    tellOutage: () => {},
    serve: () => Promise.resolve(),
    ...of,
  };
}

/** A role's clock, measured once. */
export async function databaseClockOf(db: Readonly<{ sql: Sql }>): Promise<Role["clock"]> {
  const clock = await openDatabaseClock(db);
  return {
    now: () => new Date(clock.now()),
    isKnown: () => true,
    measured: () => clock,
    follow: async () => ({ [Symbol.asyncDispose]: async () => {} }),
  };
}
