import { z } from "@hono/zod-openapi";
import type { HttpApp } from "../../../shared/http/http-app.ts";
import { wholeNumber } from "../../../shared/http/whole-number.ts";
import { groupNames, type GroupName } from "../../../shared/topics.ts";
import { controlConsumer } from "../actions/control-consumer.ts";
import { listGroups } from "../actions/list-groups.ts";
import { listParked } from "../actions/list-parked.ts";
import { changeParked } from "../actions/parked.ts";
import { resetConsumerGroup } from "../actions/reset-consumer-group.ts";
import { listAudit, readAuditEntry } from "../audit.ts";
import { readGroup } from "../read-group.ts";
import { readTime } from "../read-time.ts";
import { answer, body, byOf, change, parse, query, type OperatorDeps } from "./deps.ts";

const words = z.string().min(1).max(1000).optional();
const limit = wholeNumber({ min: 1, max: 1000, fallback: 100 });

const group = z.enum(groupNames as [GroupName]);
const name = z.string().min(1).max(1000);
const parkedBody = z.strictObject({ ...change, group, topic: name, key: name });
const releaseBody = z
  .strictObject({
    ...change,
    group: group.nullable().default(null),
    topic: name.nullable().default(null),
    key: name.nullable().default(null),
    fingerprint: name.nullable().default(null),
  })
  .refine(
    (asked) => [asked.group, asked.topic, asked.key, asked.fingerprint].some((part) => part !== null),
    "say which",
  );
const resetBody = z.strictObject({
  ...change,
  to: z
    .string()
    .refine(
      (to) => to === "earliest" || to === "latest" || readTime(to, new Date(0)) !== null,
      "is earliest, latest or a time",
    ),
  force: z.boolean().default(false),
});

/** `/api/groups`, `/api/consumers…`, `/api/parked…`, `/api/audit…`. */
export function addGroupRoutes(app: HttpApp, deps: OperatorDeps): void {
  const { db, broker, now } = deps;
  app.get("/api/groups", async (c) => answer(c, { groups: await listGroups({ sql: db.sql, broker, now }) }));
  for (const control of ["pause", "resume", "release-flood"] as const)
    app.post(`/api/consumers/:group/${control}`, async (c) => {
      const { dryRun, reason } = await body(c, z.strictObject(change));
      const group = readGroup(c.req.param("group"));
      return answer(c, { dryRun, ...(await controlConsumer(db, { group, control }, { by: byOf(c, reason), dryRun })) });
    });
  app.get("/api/parked", async (c) => {
    const asked = query(c, z.strictObject({ group: words, topic: words, key: words, fingerprint: words, limit }));
    const filter = {
      group: asked.group === undefined ? null : readGroup(asked.group),
      topic: asked.topic ?? null,
      key: asked.key ?? null,
      fingerprint: asked.fingerprint ?? null,
    };
    return answer(c, { parked: await listParked(db.sql, filter, asked.limit) });
  });
  for (const verb of ["retry", "skip", "release"] as const)
    app.post(`/api/parked/${verb}`, async (c) => {
      const { dryRun, reason, ...asked } = await body(c, verb === "release" ? releaseBody : parkedBody);
      const filter = { ...asked, fingerprint: "fingerprint" in asked ? asked.fingerprint : null };
      return answer(c, { dryRun, ...(await changeParked(db, { verb, filter }, { by: byOf(c, reason), dryRun })) });
    });
  app.post("/api/groups/:group/reset", async (c) => {
    const { dryRun, reason, to, force } = await body(c, resetBody);
    const group = readGroup(c.req.param("group"));
    const target = to === "earliest" || to === "latest" ? to : (readTime(to, now()) ?? "latest");
    const change = { by: byOf(c, reason), dryRun };
    const reset = await resetConsumerGroup({ db, admin: broker.admin }, { group, to: target, force }, change);
    return answer(c, { dryRun, ...reset });
  });
  app.get("/api/audit", async (c) => {
    const asked = query(c, z.strictObject({ limit }));
    return answer(c, { entries: await listAudit(db.sql, asked.limit) });
  });
  app.get("/api/audit/:id", async (c) => {
    const id = parse(z.uuid(), c.req.param("id"), "path");
    return answer(c, { ...(await readAuditEntry(db.sql, id)), running: deps.jobs.isRunning(id) });
  });
}
