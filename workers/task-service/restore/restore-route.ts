import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { HttpApp, HttpEnv } from "../../../shared/http/http-app.ts";
import { Problem } from "../../../shared/problem.ts";
import { taskAnswer, type KeptTaskAnswer } from "../answer.ts";
import type { SeriesChangeRequest } from "../change-series.ts";
import type { TaskQuota } from "../task-quota.ts";
import { params, responses, writeHeaders } from "../task-schema.ts";
import type { TaskChangeRequest } from "../write-task.ts";
import { decideRestore, decideSeriesRestore, type RestoreScope } from "./decide-restore.ts";
import type { Restoring } from "./read-restoring.ts";

type ChangeParts = "decide" | "answer" | "seesDeleted";
type Change<Request> = (
  c: Context<HttpEnv>,
  id: string,
  headers: z.output<typeof writeHeaders>,
  request: Request,
) => Promise<Response>;

type RestoreRouteDeps = Readonly<{
  /** Of a task alone, and of one together with its series, as the other verbs do it. */
  change: Change<Pick<TaskChangeRequest, ChangeParts>>;
  changeWithSeries: Change<Pick<SeriesChangeRequest, ChangeParts | "of">>;
  readRestoring: (userId: string, id: string, scope: RestoreScope) => Promise<Restoring | null>;
  quota: Pick<TaskQuota, "within">;
  readKept: (userId: string, key: string) => Promise<KeptTaskAnswer | null>;
}>;

const scopeQuery = z.strictObject({
  scope: z
    .enum(["this", "all"])
    .default("this")
    .openapi({ description: "`all`, of a template or an occurrence: the series, with what was deleted with it." }),
});

/** POST /v1/tasks/{id}/restore. */
export function addRestoreRoute(app: HttpApp, deps: RestoreRouteDeps, tags: readonly string[]): void {
  const { change, changeWithSeries, readRestoring, quota, readKept } = deps;
  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/tasks/{id}/restore",
      summary: "Restore a deleted task",
      description:
        "The task is there again as it was, open or completed, and so are those of its reminders whose time is still ahead. A task that " +
        "is not deleted answers 200 and makes no event; one deleted more than 30 days ago answers 404. An occurrence is refused where " +
        "another task has its place in the series: `current` is that task. A template's series goes on; with scope=all the occurrences " +
        "that were deleted with it come back too. The end that DELETE with scope=future or stop-after gave a series stays: change its " +
        "recurrence_pattern.",
      tags: [...tags],
      request: { params, query: scopeQuery, headers: writeHeaders },
      responses: responses.changed,
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { scope } = c.req.valid("query");
      const { userId } = c.var.identity;
      const headers = c.req.valid("header");
      const answering = { answer: taskAnswer, seesDeleted: true };
      const asked = await readRestoring(userId, id, scope);
      if (asked === null || asked.kind === "plain") {
        if (asked !== null && scope === "all") throw new Problem("TASK_HAS_NO_SERIES");
        return change(c, id, headers, { decide: decideRestore, ...answering });
      }
      const { kind, adds } = asked;
      const request = { decide: decideSeriesRestore(scope), ...answering, of: kind };
      const work = () => changeWithSeries(c, id, headers, request);
      try {
        // Looked at before the transaction, which has a connection already.
        return await quota.within(userId, adds, work);
      } catch (error) {
        const key = headers["idempotency-key"];
        const isFull = error instanceof Problem && error.code === "QUOTA_EXCEEDED";
        // What was done under the key is answered whatever there is by now.
        if (!isFull || key === undefined || (await readKept(userId, key)) === null) throw error;
        return await work();
      }
    },
  );
}
