import { z } from "@hono/zod-openapi";
import type { Config } from "../../../shared/config.ts";
import type { HttpApp } from "../../../shared/http/http-app.ts";
import type { RegistryClient } from "../../../shared/registry.ts";
import { applySchemas, lookAtSchemas } from "../actions/apply-schemas.ts";
import { applyTopics, describeTopic } from "../actions/apply-topics.ts";
import { planTopics, wantedTopics, type topicSettings } from "../plan-topics.ts";
import { answer, body, byOf, change, type OperatorDeps } from "./deps.ts";

export type TopicDeps = OperatorDeps &
  Readonly<{ topicSettings: Config<typeof topicSettings>; registry: () => RegistryClient }>;

/** `/api/topics` and `/api/schemas`: what `ops topics` and `ops schemas` do, but for deleting. */
export function addTopicRoutes(app: HttpApp, { db, broker, registry, topicSettings: wanted }: TopicDeps): void {
  const plan = async () => planTopics(wantedTopics(wanted), await broker.admin.topics());
  app.get("/api/topics", async (c) => answer(c, { applied: false, topics: (await plan()).map(describeTopic) }));
  app.post("/api/topics/apply", async (c) => {
    const { dryRun, reason } = await body(c, z.strictObject(change));
    const steps = await plan();
    if (!dryRun) await applyTopics({ db, admin: broker.admin }, steps, byOf(c, reason));
    return answer(c, { dryRun, applied: !dryRun, topics: steps.map(describeTopic) });
  });
  app.get("/api/schemas", async (c) => answer(c, { applied: false, subjects: await lookAtSchemas(registry()) }));
  app.post("/api/schemas/apply", async (c) => {
    const { dryRun, reason } = await body(c, z.strictObject(change));
    const by = byOf(c, reason);
    const subjects = dryRun ? await lookAtSchemas(registry()) : await applySchemas(registry(), { db, by });
    return answer(c, { dryRun, applied: !dryRun, subjects });
  });
}
