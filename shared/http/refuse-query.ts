import type { MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { z, type OpenAPIHono } from "@hono/zod-openapi";
import { Problem, type Mistake } from "../problem.ts";
import { mayRepeat } from "./repeated.ts";

type DeclaredRoutes = Readonly<{ openAPIRegistry: Pick<OpenAPIHono["openAPIRegistry"], "definitions"> }>;

/**
 * Refuses, before anybody looks further, addresses with a NUL, which no database text can hold: 404 in a path, 422 in a
 * query.
 */
export function refuseUnstorable(): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.path.includes("\0")) throw new Problem("NOT_FOUND");
    // An encoded one at least: a bare one is no HTTP.
    if (c.req.raw.url.includes("%00"))
      refuse(
        [...parametersOf(c.req.raw.url)]
          .filter(([name, values]) => [name, ...values].some((text) => text.includes("\0")))
          .map(([name]) => ({ path: `query.${name.replaceAll("\0", "")}`, message: "has a NUL character" })),
      );
    await next();
  };
}

/**
 * Refuses a query parameter that is given twice, of which a reader would take either, unless it is `repeated`, and one
 * that the route does not declare: a misspelt filter must not read as "all". Routes outside the OpenAPI document may
 * take any name. Whoever answers what is `elsewhere` looks at its query.
 */
export function refuseStrayQuery(
  app: DeclaredRoutes,
  elsewhere: (path: string) => boolean = () => false,
): MiddlewareHandler {
  let declared: ReadonlyMap<string, DeclaredQuery> | null = null;
  return async (c, next) => {
    if (c.req.raw.url.includes("?") && !elsewhere(c.req.path)) {
      declared ??= declaredQueries(app);
      const route = matchedRoutes(c).find(({ method, path }) => declared?.has(`${method} ${path}`));
      const known = route && declared.get(`${route.method} ${route.path}`);
      refuse(
        [...parametersOf(c.req.raw.url)].flatMap(([name, values]) => [
          ...(known?.has(name) === false ? [{ path: `query.${name}`, message: "is not a field here" }] : []),
          ...(values.length > 1 && known?.get(name) !== true
            ? [{ path: `query.${name}`, message: "is given more than once" }]
            : []),
        ]),
      );
    }
    await next();
  };
}

/** By name, all values. Not as an object: in one, the parameter `__proto__` would not be there. */
function parametersOf(url: string): ReadonlyMap<string, readonly string[]> {
  const [address = ""] = url.split("#", 1);
  const at = address.indexOf("?");
  const pairs = [...new URLSearchParams(at < 0 ? "" : address.slice(at))];
  return new Map(
    [...Map.groupBy(pairs, ([name]) => name)].map(([name, found]) => [name, found.map(([, value]) => value)]),
  );
}

/** The fields of a query, and whether each may be given more than once. */
type DeclaredQuery = ReadonlyMap<string, boolean>;

/** What each route of the document takes, by method and path as the router spells them. */
function declaredQueries(app: DeclaredRoutes): ReadonlyMap<string, DeclaredQuery> {
  const routes = app.openAPIRegistry.definitions.flatMap((entry) => (entry.type === "route" ? [entry.route] : []));
  return new Map(
    routes.map(({ method, path, request }) => [
      `${method.toUpperCase()} ${path.replaceAll(/\{([^}]+)\}/g, ":$1")}`,
      new Map(
        request?.query instanceof z.ZodObject
          ? Object.entries<z.ZodType>(request.query.shape).map(([name, field]) => [name, mayRepeat(field)])
          : [],
      ),
    ]),
  );
}

function refuse(mistakes: readonly Mistake[]): void {
  if (mistakes.length > 0) throw new Problem("INVALID_REQUEST", undefined, { mistakes });
}
