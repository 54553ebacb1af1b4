import { z } from "@hono/zod-openapi";
import { maxRedrives } from "../../../shared/consume/redrive-dead.ts";
import type { HttpApp } from "../../../shared/http/http-app.ts";
import { wholeNumber } from "../../../shared/http/whole-number.ts";
import { refuseBackwards } from "../../../shared/http/refuse-backwards.ts";
import { Problem } from "../../../shared/problem.ts";
import { groupNames } from "../../../shared/topics.ts";
import { deadLetterStates, type DeadLetterFilter } from "../actions/dead-letter-filter.ts";
import { dropDeadLetters } from "../actions/drop-dead-letters.ts";
import { editDeadLetter } from "../actions/edit-dead-letter.ts";
import { groupDeadLetters, listDeadLetters } from "../actions/list-dead-letters.ts";
import { readDeadLetter } from "../actions/read-dead-letter.ts";
import { redriveDeadLetters } from "../actions/redrive-dead-letters.ts";
import { planRedrive } from "../actions/redrive-plan.ts";
import { liveLag } from "../live-lag.ts";
import { readTime } from "../read-time.ts";
import { answer, body, byOf, change, parse, query, type OperatorDeps } from "./deps.ts";

const moment = z
  .string()
  .refine((text) => readTime(text, new Date(0)) !== null, "must be RFC 3339 or an age such as 2h")
  .optional();
const words = z.string().min(1).max(1000).optional();
const filterFields = {
  group: z.enum(groupNames as [(typeof groupNames)[number]]).optional(),
  fingerprint: words,
  key: words,
  user: z.uuid().optional(),
  class: words,
  from: moment,
  to: moment,
};
const lookFields = {
  ...filterFields,
  state: z.enum([...deadLetterStates, "all"]).default("dead"),
  limit: wholeNumber({ min: 1, max: 1000, fallback: 100 }),
};
const look = z.strictObject(lookFields);
const filter = z.strictObject({ ...filterFields, ids: z.array(z.uuid()).max(10_000).optional() });
/** All of them is meant only where it is said. */
const which = { filter: filter.optional(), all: z.literal(true).optional() };
const redriveBody = z.strictObject({
  ...which,
  ...change,
  id: z.uuid().optional(),
  rate: z.number().int().min(1).max(10_000).default(50),
  maxLag: z.number().int().min(0).default(1000),
});
const id = z.uuid();

/** `/api/dead-letters…`: what `ops dlq` does. */
export function addDeadLetterRoutes(app: HttpApp, deps: OperatorDeps): void {
  const { db, codec, now } = deps;
  app.get("/api/dead-letters/groups", async (c) => {
    const asked = query(c, look);
    return answer(c, { groups: await groupDeadLetters(db.sql, filterOf(asked, asked.state, now())) });
  });
  app.get("/api/dead-letters", async (c) => {
    const asked = query(c, look);
    const found = await listDeadLetters(db.sql, filterOf(asked, asked.state, now()), asked.limit);
    return answer(c, { deadLetters: found });
  });
  app.get("/api/dead-letters/:id", async (c) =>
    answer(c, await readDeadLetter({ sql: db.sql, codec }, parse(id, c.req.param("id"), "path"))),
  );
  app.post("/api/dead-letters/redrive", async (c) => {
    const asked = await body(c, redriveBody);
    const by = byOf(c, asked.reason);
    if (asked.id !== undefined && deps.jobs.isRunning(asked.id)) throw new Problem("REFUSED", `${asked.id} is running`);
    const plan = asked.id === undefined ? await planRedrive(db.sql, changeFilter(asked, now()), maxRedrives) : null;
    if (plan !== null && (asked.dryRun || plan.messages === 0)) return answer(c, { dryRun: asked.dryRun, plan });
    const redriveId = asked.id ?? Bun.randomUUIDv7();
    const pace = { ratePerSecond: asked.rate, signal: deps.jobs.signal };
    const lag = (group: Parameters<typeof liveLag>[1]) => liveLag(deps.broker.admin, group);
    deps.jobs.start(redriveId, () =>
      redriveDeadLetters({ db, liveLag: lag, maxLag: asked.maxLag, pace }, { id: redriveId, plan, by }),
    );
    return answer(c, { dryRun: false, id: redriveId, plan }, 202);
  });
  app.post("/api/dead-letters/drop", async (c) => {
    const asked = await body(c, z.strictObject({ ...which, ...change }));
    const { dryRun } = asked;
    const done = await dropDeadLetters(db, changeFilter(asked, now()), { by: byOf(c, asked.reason), dryRun });
    return answer(c, { dryRun, ...done });
  });
  app.post("/api/dead-letters/:id/edit", async (c) => {
    const { data, dryRun, reason } = await body(
      c,
      z.strictObject({ ...change, data: z.record(z.string(), z.unknown()) }),
    );
    const edit = { id: parse(id, c.req.param("id"), "path"), data };
    return answer(c, {
      dryRun,
      ...(await editDeadLetter({ db, codec }, edit, { by: byOf(c, reason), dryRun }).catch(blameData)),
    });
  });
}

/** What does not fit the schema is a mistake of the one who edited, not of this build. */
function blameData(error: unknown): never {
  if (!(error instanceof Problem) || error.code !== "UNENCODABLE") throw error;
  const mistakes = (error.extra.mistakes ?? []).map(({ path, message }) => ({ path: `/data${path}`, message }));
  throw new Problem("INVALID_REQUEST", error.message, { mistakes, cause: error });
}

type Asked = z.infer<typeof filter>;

function filterOf(
  asked: Asked,
  state: string,
  now: Date,
  path: "query.to" | "/filter/to" = "query.to",
): DeadLetterFilter {
  const time = (text: string | undefined) => (text === undefined ? null : readTime(text, now));
  const [from, to] = [time(asked.from), time(asked.to)];
  if (from !== null && to !== null) refuseBackwards({ from, to }, path);
  return {
    group: asked.group ?? null,
    state: deadLetterStates.find((one) => one === state) ?? null,
    ids: asked.ids ?? null,
    fingerprint: asked.fingerprint ?? null,
    key: asked.key ?? null,
    user: asked.user ?? null,
    class: asked.class ?? null,
    from,
    to,
  };
}

function changeFilter(
  asked: Readonly<{ filter?: Asked | undefined; all?: true | undefined }>,
  now: Date,
): DeadLetterFilter {
  const { filter: narrow = {}, all } = asked;
  if (all !== true && Object.keys(narrow).length === 0)
    throw new Problem("INVALID_REQUEST", undefined, {
      mistakes: [{ path: "/filter", message: "say which, or all: true" }],
    });
  return filterOf(narrow, "dead", now, "/filter/to");
}
