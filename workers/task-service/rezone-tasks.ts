import type { Log } from "../../shared/role/log.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { Problem, problems } from "../../shared/problem.ts";
import type { RezoneStep } from "../../shared/zones/rezone.ts";
import { decideRezoned } from "./decide-task.ts";
import { instantOfLocalDue } from "../../shared/tasks/local-due.ts";
import { readLocalDues } from "./read-tasks.ts";
import { changeTask, type WriteDeps } from "./write-task.ts";

const perStep = 500;

/**
 * Moves the dues that were said as local times to where those are by the zone data in use. Each is a change like a
 * person's, with its event: reminders, views and whoever follows hear of it so. One that was changed or closed
 * meanwhile is decided as it is then.
 */
export function rezoneTasks(
  deps: WriteDeps & Readonly<{ db: Pick<Db, "sql">; newId: () => string; log: Log; limit?: number }>,
): RezoneStep {
  return async (after) => {
    const limit = deps.limit ?? perStep;
    const found = await readLocalDues(deps.db)(after, limit);
    for (const { id, userId, due, local } of found) {
      const at = instantOfLocalDue(local);
      if (at === null || at.getTime() === due.getTime()) continue;
      const writer = { userId, key: null, correlationId: deps.newId(), traceparent: null };
      const answer = () => ({ taskId: id, status: 200, version: null, body: null }) as const;
      try {
        await changeTask(deps, writer, { id, ifMatch: "any", decide: decideOpen, answer, seesDeleted: true });
      } catch (error) {
        // One that cannot be told must not keep the others from moving.
        const isOwn = error instanceof Problem && (error.code === "INTERNAL" || !problems[error.code].retry);
        if (!isOwn) throw error;
        deps.log.error("rezone_failed", { taskId: id, error });
      }
    }
    return found.length < limit ? null : (found.at(-1)?.id ?? null);
  };
}

const decideOpen: typeof decideRezoned = (row, now) =>
  row.status === "open" && row.deleted_at === null ? decideRezoned(row, now) : { row, event: null };
