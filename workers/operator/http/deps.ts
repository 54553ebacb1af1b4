import type { Context } from "hono";
import { z } from "@hono/zod-openapi";
import type { Broker } from "../../../shared/broker.ts";
import type { Codec } from "../../../shared/codec.ts";
import type { HttpEnv } from "../../../shared/http/http-app.ts";
import { mistakesOf, type MistakeSource } from "../../../shared/http/problem-response.ts";
import type { Db } from "../../../shared/postgres/db.ts";
import { Problem } from "../../../shared/problem.ts";
import type { By } from "../audit.ts";
import type { Jobs } from "./jobs.ts";
import { toJson } from "../to-json.ts";

/** What the routes work with. `codec` opens at its first use, so that the page is there while the registry is not. */
export type OperatorDeps = Readonly<{
  db: Db;
  broker: Broker;
  codec: () => Promise<Codec>;
  jobs: Jobs;
  now: () => Date;
}>;

type Ask = Context<HttpEnv>;

/** Rejects with INVALID_REQUEST naming each mistake. */
export function parse<T extends z.ZodType>(schema: T, value: unknown, source: MistakeSource): z.infer<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Problem("INVALID_REQUEST", undefined, { mistakes: mistakesOf(result.error, source) });
}

export async function body<T extends z.ZodType>(c: Ask, schema: T): Promise<z.infer<T>> {
  const text = await c.req.text();
  let value: unknown;
  try {
    value = text === "" ? {} : JSON.parse(text);
  } catch (cause) {
    throw new Problem("MALFORMED_JSON", undefined, { cause });
  }
  return parse(schema, value, "body");
}

export function query<T extends z.ZodType>(c: Ask, schema: T): z.infer<T> {
  return parse(schema, c.req.query(), "query");
}

/** An answer of what an action returned: the JSON the command line prints. */
export function answer(c: Ask, value: unknown, status: 200 | 202 = 200): Response {
  return c.body(toJson(value), status, { "content-type": "application/json" });
}

/** What every change may say. */
export const change = { dryRun: z.boolean().default(false), reason: z.string().max(500).nullable().default(null) };

/** Who holds the token says a name of their own in `X-Operator`. */
export function byOf(c: Ask, reason: string | null): By {
  const name = c.req.header("x-operator")?.trim().slice(0, 64);
  return { who: name === undefined || name === "" ? "operator" : name, via: "http", reason };
}
