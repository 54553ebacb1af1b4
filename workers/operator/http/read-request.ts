import type { Context } from "hono";
import type { z } from "@hono/zod-openapi";
import type { HttpEnv } from "../../../shared/http/http-app.ts";
import { mistakesOf, type MistakeSource } from "../../../shared/http/problem-response.ts";
import { Problem, type Mistake } from "../../../shared/problem.ts";
import type { ChangeAuthor } from "../audit.ts";

export type RequestContext = Context<HttpEnv>;

/** Rejects with INVALID_REQUEST naming each mistake. */
export function parse<T extends z.ZodType>(schema: T, value: unknown, source: MistakeSource): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalid(mistakesOf(result.error, source));
}

export function invalid(mistakes: readonly Mistake[]): Problem {
  return new Problem("INVALID_REQUEST", undefined, { mistakes });
}

export async function readBody(c: RequestContext): Promise<unknown> {
  const text = await c.req.text();
  try {
    return text === "" ? {} : (JSON.parse(text) as unknown);
  } catch (cause) {
    throw new Problem("MALFORMED_JSON", undefined, { cause });
  }
}

/** Who holds the token says a name of their own in `X-Operator`. */
export function byOf(c: RequestContext, reason: string | null): ChangeAuthor {
  const name = c.req.header("x-operator")?.trim().slice(0, 64);
  return { who: name === undefined || name === "" ? "operator" : name, via: "http", reason };
}
