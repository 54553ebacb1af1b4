import type { MiddlewareHandler } from "hono";
import type { Setting } from "../../../shared/role/config.ts";
import type { HttpEnv } from "../../../shared/http/http-app.ts";

const methods = "GET, HEAD, POST, PUT, PATCH, DELETE";
const taken = [
  "authorization",
  "content-type",
  "idempotency-key",
  "if-match",
  "if-none-match",
  "last-event-id",
  "traceparent",
  "x-correlation-id",
  "x-request-id",
].join(", ");
const shown = [
  "allow",
  "date",
  "etag",
  "idempotent-replayed",
  "location",
  "ratelimit",
  "ratelimit-policy",
  "retry-after",
  "www-authenticate",
  "x-request-id",
  "x-stream-cursor",
].join(", ");
/** How long a browser may remember what a preflight said; Chrome takes no more than two hours. */
const rememberSeconds = 7200;

/** CORS_ORIGINS: origins such as https://app.example, separated by commas, or `*`; none by default. */
export const corsOrigins: Setting<readonly string[]> = {
  name: "CORS_ORIGINS",
  fallback: "",
  parse: (value) =>
    value
      .split(",")
      .map((origin) => origin.trim())
      .filter((origin) => origin !== "")
      .map((origin) => {
        // As browsers write one: without a path, a slash at the end, the usual port, or capitals.
        if (origin !== "*" && URL.parse(origin)?.origin !== origin)
          throw new Error(`must be origins such as https://app.example, separated by commas, or *, not "${origin}"`);
        return origin;
      }),
};

/**
 * Lets pages of these origins call the API and read its answers, with a bearer token only: credentials are never
 * allowed, so a browser sends no cookie along, and a write with one is refused by its origin all the same. Preflights
 * are answered before anybody is asked who they are, since a browser sends no token with them.
 */
export function allowOrigins(origins: readonly string[]): MiddlewareHandler<HttpEnv> {
  const allowed = (origin: string): boolean => origins.includes(origin) || origins.includes("*");
  return async (c, next) => {
    if (origins.length === 0 || !c.req.path.startsWith("/v1/")) return next();
    const origin = c.req.header("origin");
    const isAllowed = origin !== undefined && allowed(origin);
    if (isAllowed && c.req.method === "OPTIONS" && c.req.header("access-control-request-method") !== undefined) {
      c.header("access-control-allow-methods", methods);
      c.header("access-control-allow-headers", taken);
      c.header("access-control-max-age", String(rememberSeconds));
      c.res = c.body(null, 204);
    } else await next();
    c.res.headers.append("vary", "origin");
    if (!isAllowed) return;
    c.res.headers.set("access-control-allow-origin", origin);
    c.res.headers.set("access-control-expose-headers", shown);
  };
}
