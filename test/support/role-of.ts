import { makeLog } from "../../shared/log.ts";
import { makeMetrics } from "../../shared/metrics.ts";
import type { Role } from "../../shared/role.ts";

/** A role without a process: nothing serves, nobody asks whether it is well; its log tells errors only, unless another is given. */
export function roleOf(of: Pick<Role, "name" | "signal"> & Partial<Role>): Role {
  return {
    log: makeLog({}, "error"),
    metrics: makeMetrics(of.name, { process: false }),
    now: () => new Date(),
    readyWhen: () => {},
    healthyWhile: () => {},
    serve: () => Promise.resolve(),
    ...of,
  };
}
