import { z } from "@hono/zod-openapi";
import type { HttpApp } from "../../../shared/http/http-app.ts";
import { refuseBackwards } from "../../../shared/http/refuse-backwards.ts";
import { Problem } from "../../../shared/problem.ts";
import { topicNames, type TopicName } from "../../../shared/topics.ts";
import { dropHeld, listHeld } from "../actions/drop-held.ts";
import { listHolds, releaseHolds } from "../actions/release-hold.ts";
import { planReplay, replayOutbox, type ReplayRange } from "../actions/replay-outbox.ts";
import { readOutbox } from "../read-outbox.ts";
import { readTime } from "../read-time.ts";
import { answer, body, byOf, change, query, type OperatorDeps } from "./deps.ts";

const name = z.string().min(1).max(1000);
const releaseBody = z
  .strictObject({ ...change, topic: name.optional(), key: name.optional(), all: z.literal(true).optional() })
  .refine(({ topic, all }) => topic !== undefined || all === true, {
    path: ["topic"],
    message: "say a topic, or all: true",
  })
  .refine(({ topic, key }) => key === undefined || topic !== undefined, {
    path: ["key"],
    message: "goes with a topic",
  });
const dropBody = z
  .strictObject({
    ...change,
    topic: name,
    key: name,
    ids: z
      .array(z.string().regex(/^\d{1,18}$/))
      .max(1000)
      .optional(),
    all: z.literal(true).optional(),
  })
  .refine(({ ids, all }) => (ids === undefined) === (all === true), {
    path: ["ids"],
    message: "say ids, or all: true",
  });
const moment = z
  .string()
  .refine((text) => readTime(text, new Date(0)) !== null, "must be RFC 3339 or an age such as 2h");
const replayBody = z.strictObject({
  ...change,
  id: z.uuid().optional(),
  from: moment.optional(),
  to: moment.optional(),
  topics: z
    .array(z.enum(topicNames as [TopicName]))
    .min(1)
    .optional(),
  key: name.optional(),
  rate: z.number().int().min(1).max(10_000).default(500),
});

/** `/api/outbox…`: what `ops outbox` does. */
export function addOutboxRoutes(app: HttpApp, { db, jobs, now }: OperatorDeps): void {
  app.get("/api/outbox", async (c) => answer(c, { ...(await readOutbox(db.sql)), holds: await listHolds(db.sql) }));
  app.get("/api/outbox/held", async (c) => {
    const { topic, key } = query(c, z.strictObject({ topic: name, key: name }));
    return answer(c, { messages: await listHeld(db.sql, topic, key) });
  });
  app.post("/api/outbox/release", async (c) => {
    const { topic, key, dryRun, reason } = await body(c, releaseBody);
    const holds = { topic: topic ?? null, key: key ?? null };
    return answer(c, { dryRun, ...(await releaseHolds(db, holds, { by: byOf(c, reason), dryRun })) });
  });
  app.post("/api/outbox/drop", async (c) => {
    const { topic, key, ids, dryRun, reason } = await body(c, dropBody);
    return answer(c, {
      dryRun,
      ...(await dropHeld(db, { topic, key, ids: ids ?? null }, { by: byOf(c, reason), dryRun })),
    });
  });
  app.post("/api/outbox/replay", async (c) => {
    const asked = await body(c, replayBody);
    if (asked.id !== undefined && jobs.isRunning(asked.id)) throw new Problem("REFUSED", `${asked.id} is running`);
    const range = asked.id === undefined ? rangeOf(asked, now()) : null;
    const plan = range === null ? null : await planReplay(db.sql, range);
    if (plan !== null && (asked.dryRun || plan.messages === 0)) return answer(c, { dryRun: asked.dryRun, plan });
    const id = asked.id ?? Bun.randomUUIDv7();
    const pace = { ratePerSecond: asked.rate, signal: jobs.signal };
    jobs.start(id, () => replayOutbox(db, { id, range, by: byOf(c, asked.reason), pace }));
    return answer(c, { dryRun: false, id, plan }, 202);
  });
}

function rangeOf(asked: z.infer<typeof replayBody>, now: Date): ReplayRange {
  const from = asked.from === undefined ? null : readTime(asked.from, now);
  if (from === null || asked.topics === undefined)
    throw new Problem("INVALID_REQUEST", undefined, {
      mistakes: [{ path: from === null ? "/from" : "/topics", message: "is needed" }],
    });
  const to = asked.to === undefined ? now : (readTime(asked.to, now) ?? now);
  refuseBackwards({ from, to }, "/to");
  return { from, to, topics: asked.topics, key: asked.key ?? null };
}
