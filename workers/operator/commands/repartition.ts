import { z } from "@hono/zod-openapi";
import { Problem } from "../../../shared/problem.ts";
import { uuidV7 } from "../../../shared/uuid.ts";
import { defineAction } from "../action.ts";
import { maxPartitions, planRepartition, type RepartitionPlan } from "../actions/repartition-plan.ts";
import { abortRepartition, repartitionTopic, type RepartitionResult } from "../actions/repartition-topic.ts";
import { name } from "../fields.ts";
import { tableOf } from "../print-table.ts";

/** A plan unless it is said otherwise: what holds a topic is never begun by leaving something out. */
export const repartition = defineAction({
  route: "POST /api/topics/repartition",
  input: z
    .strictObject({
      topic: name.optional(),
      to: z.number().int().min(1).max(maxPartitions).optional(),
      drainSeconds: z.number().int().min(1).max(3600).default(60),
      resume: z.uuid().optional(),
    })
    .refine(({ topic, to, resume }) => (resume === undefined) === (topic !== undefined && to !== undefined), {
      path: ["topic"],
      message: "say topic and to, or resume",
    }),
  cli: { words: { topic: "a topic" }, says: { topic: "say a topic and --to N, --resume ID or --abort ID" } },
  change: { dryRun: true, confirm: "apply", resumes: "resume" },
  run: async (tools, { topic = "", to = 0, resume, drainSeconds }, { by, dryRun }) => {
    const [db, { admin }] = [await tools.db(), await tools.broker()];
    const plan = resume === undefined ? await planRepartition({ sql: db.sql, admin }, { topic, to }) : null;
    if (plan !== null && dryRun) return { plan };
    if (plan !== null && plan.refusals.length > 0) throw new Problem("REFUSED", plan.refusals.join("; "));
    const id = resume ?? uuidV7();
    // Before anything is held: who is cut off knows how to go on.
    tools.tell("repartition_begins", { resume: `ops topics repartition --resume ${id}` });
    const deps = { db, admin, drainMs: drainSeconds * 1000, signal: tools.interrupted() };
    const done = await tools.runLong(id, () => repartitionTopic(deps, { id, plan, by }));
    return done === undefined ? { id, plan } : { plan, ...done };
  },
  print: (answer) => ("step" in answer ? describeResult(answer) : describePlan(answer.plan)),
  fails: ({ plan }, { dryRun }) => dryRun && plan !== null && plan.refusals.length > 0,
});

export const abort = defineAction({
  route: "POST /api/topics/repartition/abort",
  input: z.strictObject({ id: z.uuid() }),
  cli: { options: { id: "abort" } },
  change: { dryRun: false, resumes: "id" },
  run: async ({ db, broker }, { id }, { by }) => {
    const why = by.reason ?? "an operator aborted it";
    return abortRepartition({ db: await db(), admin: (await broker()).admin }, { id, by, why });
  },
  print: describeResult,
});

function describeResult({ id, topic, from, to, step, pauseSeconds }: RepartitionResult): string {
  return step === "released"
    ? `${topic}: ${from} -> ${to} partitions, held for ${pauseSeconds} s (${id})`
    : `${topic}: as it was, with ${from} partitions (${id} is ${step})`;
}

function describePlan(plan: RepartitionPlan | null): string {
  if (plan === null) return "";
  const groups = tableOf(
    ["group", "members", "lag", ["per second", "perSecond"], ["drain seconds", "drainSeconds"]],
    plan.groups,
  );
  return [
    `${plan.topic}: ${plan.from} -> ${plan.to} partitions; ${plan.writtenPerSecond} messages a second, ${plan.waiting} wait in the outbox`,
    plan.groups.length === 0 ? "no group reads it" : groups,
    plan.expectedPauseSeconds === null
      ? "how long the pause will be cannot be told: a group handles nothing of what it has"
      : `nothing of it would be published for about ${plan.expectedPauseSeconds} s`,
    ...(plan.parkedKeys === 0 ? [] : [`${plan.parkedKeys} parked keys wait in Postgres, and go on there as before`]),
    ...(plan.newEpoch ? ["clients that follow changes will be told to read their lists again"] : []),
    ...(plan.refusals.length === 0
      ? ["--apply does it"]
      : plan.refusals.map((refusal) => `would be refused: ${refusal}`)),
  ].join("\n");
}
