import { z } from "@hono/zod-openapi";
import type { HttpApp } from "../../../shared/http/http-app.ts";
import { Problem } from "../../../shared/problem.ts";
import { isDry, type AnyAction, type Shape, type Tools } from "../action.ts";
import type { ChangeAuthor } from "../audit.ts";
import { toJson } from "../to-json.ts";
import type { Jobs } from "./jobs.ts";
import { byOf, invalid, parse, readBody, type RequestContext } from "./read-request.ts";

/** What every change may say. */
const change = { dryRun: z.boolean().optional(), reason: z.string().max(500).nullable().default(null) };

/** The routes of the actions that have one. An answer is the JSON that the command prints. */
export function addActionRoutes(
  app: HttpApp,
  actions: readonly AnyAction[],
  {
    tools,
    jobs,
  }: Readonly<{ tools: Omit<Tools, "runLong" | "isRunning" | "signal" | "interrupted" | "tell">; jobs: Jobs }>,
): void {
  const own = {
    ...tools,
    isRunning: jobs.isRunning,
    signal: jobs.signal,
    interrupted: () => jobs.signal,
    tell: () => {},
  };
  for (const action of actions) {
    const [method, path] = action.route?.split(" ") ?? [];
    if (method === undefined || path === undefined) continue;
    const read = makeReader(action, path);
    app.on(method, path, async (c) => {
      const { input, dryRun, by } = await read(c);
      let status: 200 | 202 = 200;
      const runLong: Tools["runLong"] = (id, run) => {
        if (jobs.isRunning(id)) throw new Problem("REFUSED", `${id} is running`);
        jobs.start(id, run);
        status = 202;
        return Promise.resolve(undefined);
      };
      const answer = await action.run({ ...own, runLong }, input, { by, dryRun });
      const told = action.change === undefined ? answer : { dryRun, ...answer };
      return c.body(toJson(told), status, { "content-type": "application/json" });
    });
  }
}

/**
 * Makes what reads a request of an action: its path, and its body or query, strictly. Rejects with INVALID_REQUEST
 * naming each mistake.
 */
function makeReader(action: AnyAction, path: string) {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => name);
  const fields: z.ZodRawShape = action.input.shape;
  const inPath = z.object(Object.fromEntries(names.map((name) => [name, fields[name] ?? z.never()])));
  // A schema with rules between its fields is taken whole; those with a part in the path have none.
  const rest = names.length === 0 ? action.input : z.strictObject(without(fields, names));
  const inBody = rest.safeExtend(change);
  return async (
    c: RequestContext,
  ): Promise<Readonly<{ input: z.output<Shape>; dryRun: boolean; by: ChangeAuthor }>> => {
    const read: z.output<Shape> =
      action.change === undefined ? parse(rest, c.req.query(), "query") : parse(inBody, await readBody(c), "body");
    const { dryRun: said, reason, ...asked } = read;
    const input = { ...asked, ...parse(inPath, c.req.param(), "path") };
    const otherwise = action.change?.dryRun ?? false;
    const dryRun = isDry(action, input, { dryRun: said as boolean | undefined, otherwise }); // as `change` has it
    if (dryRun === null) throw invalid([{ path: "/dryRun", message: "is not for what has begun already" }]);
    return { input, dryRun, by: byOf(c, (reason ?? null) as string | null) };
  };
}

function without(fields: z.ZodRawShape, names: readonly string[]): z.ZodRawShape {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}
