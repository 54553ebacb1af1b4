import { createRoute } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { HttpApp, HttpEnv } from "../../../shared/http/http-app.ts";
import { sendAnswer } from "../send-answer.ts";
import { keyHeaders } from "../task-schema.ts";
import type { Writer } from "../write-task.ts";
import { batchBody, batchResponses } from "./batch-schema.ts";
import { patternLimits, refuseCostly } from "./refuse-costly.ts";
import { runBatch, type BatchDeps } from "./run-batch.ts";

type BatchRouteDeps = BatchDeps &
  Readonly<{ writer: (c: Context<HttpEnv>, key: string | undefined) => Promise<Writer> }>;

/** POST /v1/batch. */
export function addBatchRoute(app: HttpApp, deps: BatchRouteDeps, tags: readonly string[]): void {
  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/batch",
      summary: "Make and change many tasks in one request",
      description:
        "Does the operations in their order, each as the request by itself would, and answers what became of each. One that fails " +
        "changes nothing, and the others are done all the same; with atomic none is done then, and the answer is BATCH_NOT_DONE, whose " +
        "errors name those that failed and whose results have the problem of each. All are committed together, with one event for " +
        "each change, and a task that is named several times gets a version each time. One Idempotency-Key stands for all of it. " +
        "A batch may add no more than there is room for: else all of it is QUOTA_EXCEEDED. It may have " +
        `${patternLimits.patterns} recurrence patterns of ${patternLimits.characters} characters together, and name tasks with 2 MB of text. Left out, because they change other ` +
        "tasks too: scopes, another recurrence_pattern for a template, and making it plain.",
      tags: [...tags],
      middleware: refuseCostly,
      request: { headers: keyHeaders, body: batchBody },
      responses: batchResponses,
    }),
    async (c) => {
      const by = await deps.writer(c, c.req.valid("header")["idempotency-key"]);
      const request = { ...c.req.valid("json"), requestId: c.var.requestId, signal: c.req.raw.signal };
      return sendAnswer(c, await runBatch(deps, by, request));
    },
  );
}
