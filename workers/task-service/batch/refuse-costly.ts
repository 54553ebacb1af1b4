import type { MiddlewareHandler } from "hono";
import type { HttpEnv } from "../../../shared/http/http-app.ts";
import { Problem } from "../../../shared/problem.ts";

/** One pattern takes up to 12 ms to read and to find the first date of, most of it for hundreds of dates left out. */
export const patternLimits = { patterns: 16, characters: 10_000 } as const;

/**
 * Refuses a batch whose recurrence patterns would take long, before any of them is read. A body that is not what it
 * should be is left to the validator.
 */
export const refuseCostly: MiddlewareHandler<HttpEnv> = async (c, next) => {
  const patterns = patternsIn(await bodyOf(c.req.text()));
  const characters = patterns.reduce((sum, { length }) => sum + length, 0);
  if (patterns.length > patternLimits.patterns)
    throw tooMuch(`more than ${patternLimits.patterns} recurrence patterns`);
  if (characters > patternLimits.characters)
    throw tooMuch(`recurrence patterns of more than ${patternLimits.characters} characters together`);
  await next();
};

/** Each as JSON text. */
function patternsIn(body: unknown): readonly string[] {
  const operations = fieldOf(body, "operations");
  if (!Array.isArray(operations)) return [];
  return operations.flatMap((operation: unknown) =>
    ["task", "patch"].flatMap((name) => {
      const pattern = fieldOf(fieldOf(operation, name), "recurrence_pattern") ?? null;
      return pattern === null ? [] : [JSON.stringify(pattern)];
    }),
  );
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

async function bodyOf(text: Promise<string>): Promise<unknown> {
  try {
    return JSON.parse(await text);
  } catch {
    return null; // which the validator says
  }
}

function tooMuch(what: string): Problem {
  const mistakes = [{ path: "/operations", message: `have ${what}: send fewer at once` }];
  return new Problem("INVALID_REQUEST", undefined, { mistakes });
}
