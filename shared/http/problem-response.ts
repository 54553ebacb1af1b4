import { HTTPException } from "hono/http-exception";
import type { z } from "@hono/zod-openapi";
import { classify } from "../consume/failure/classify.ts";
import { pointerToken } from "./body.ts";
import { Problem, type Mistake, type ProblemCode } from "../problem.ts";

/** The part of a request that was looked at. */
export type MistakeSource = "body" | "query" | "path" | "header" | "cookie" | "form";

type SchemaIssue = z.core.$ZodIssue;

const maxMistakes = 50;

/** The first mistakes zod found, at most 50: JSON pointers for a body, `query.limit` and the like elsewhere. */
export function mistakesOf(
  error: { readonly issues: readonly SchemaIssue[] },
  source: MistakeSource,
): readonly Mistake[] {
  const mistakes: Mistake[] = [];
  for (const issue of error.issues) {
    if (mistakes.length >= maxMistakes) break;
    mistakes.push(...mistakesOfIssue(issue, source));
  }
  return mistakes.slice(0, maxMistakes);
}

function mistakesOfIssue(issue: SchemaIssue, source: MistakeSource): readonly Mistake[] {
  if (issue.code === "unrecognized_keys")
    return issue.keys.slice(0, maxMistakes).map((key) => ({
      path: pathOf([...issue.path, key], source),
      message: "is not a field here",
    }));
  return [{ path: pathOf(issue.path, source), message: issue.message }];
}

function pathOf(path: readonly PropertyKey[], source: MistakeSource): string {
  return source === "body"
    ? `/${path.map((part) => pointerToken(String(part))).join("/")}`
    : [source, ...path.map((part) => String(part).slice(0, 64))].join(".");
}

const codeOfStatus: Readonly<Record<number, ProblemCode>> = {
  400: "MALFORMED_JSON",
  404: "NOT_FOUND",
  413: "BODY_TOO_LARGE",
  415: "UNSUPPORTED_MEDIA_TYPE",
};

/** What a thrown value means to the one who asked; INTERNAL for all that is not known. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HTTPException) return new Problem(codeOfStatus[error.status] ?? "INTERNAL");
  if (isUnreachable(error)) return new Problem("UNAVAILABLE", undefined, { retryAfterSeconds: 1, cause: error });
  return new Problem("INTERNAL", undefined, { cause: error });
}

/**
 * True when the database, or another part this one stands on, cannot do what is asked of it: not reachable, read-only,
 * full, starting. The same request can succeed later. By the table that consumers judge by, and what took longer than a
 * statement may.
 */
export function isUnreachable(error: unknown): boolean {
  return classify(error) === "dependency_down" || tookTooLong(error);
}

function tookTooLong(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 4) return false;
  return ("code" in error && error.code === "57014") || tookTooLong(error.cause, depth + 1);
}
