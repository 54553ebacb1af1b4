import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { Identity } from "./auth.ts";
import { readBoundedBody } from "./body.ts";
import { describeApi, type ApiPart } from "./describe-api.ts";
import { mistakesOf, problemOf, type MistakeSource } from "./problem-response.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { refuseForeignOrigin } from "./origin.ts";
import { Problem, problemDocument, problems } from "../problem.ts";

/** What a route finds in `c.var`. `identity` is there on every path below `/v1/` that is not open. */
export type HttpEnv = {
  Variables: { identity: Identity; requestId: string; correlationId: string; traceparent: string | null };
};
export type HttpApp = OpenAPIHono<HttpEnv>;

export type HttpOptions = Readonly<{
  /** The title of the OpenAPI document. */
  title: string;
  description?: string;
  version: string;
  /** Throws Problem UNAUTHENTICATED. Called for every path below `/v1/`. */
  authenticate: (request: Request) => Promise<Identity>;
  /** Makes the ids of requests that bring none. */
  newId: () => string;
  log: Log;
  metrics: Metrics;
  /** Larger bodies answer 413, chunked ones as soon as they pass it. */
  maxBodyBytes?: number;
  /** Paths below `/v1/` that need no identity, such as the one that makes a session. */
  openPaths?: readonly string[];
}>;

/**
 * An app with what every HTTP role shares; add routes with `app.openapi(route, handler)` before the first request.
 * Answers every failure as RFC 9457 problem details (mistakes in the request: 422 with `errors: [{path, message}]`, 404 and
 * 405 included), logs one line per request, counts it by route pattern, and serves `/openapi.json` (OpenAPI 3.1).
 * It stands on Web standards alone, so it runs wherever `fetch` handlers do.
 */
export function makeHttpApp(options: HttpOptions): HttpApp {
  const app: HttpApp = new OpenAPIHono<HttpEnv>({
    defaultHook: (result, c) => {
      if (result.success) return undefined;
      const source: MistakeSource =
        result.target === "json" ? "body" : result.target === "param" ? "path" : result.target;
      const mistakes = mistakesOf(result.error, source);
      return problemResponse(c, new Problem("INVALID_REQUEST", undefined, { mistakes }));
    },
  });
  app.use(observe(options));
  app.use("/v1/*", identify(options));
  // Room for a megabyte in one field, so that the answer names the field instead of the body.
  app.use(boundBody(options.maxBodyBytes ?? 1280 * 1024));
  app.notFound((c) => problemResponse(c, nothingHere(app, c)));
  app.onError((error, c) => {
    const { signal } = c.req.raw;
    // 499, as others log it: the client has left, nothing of ours failed, and nobody reads this.
    if (signal.aborted && error === signal.reason) return new Response(null, { status: 499 });
    const problem = problemOf(error);
    // Strangers get the request id; what broke is in the log under it.
    if (problems[problem.code].status >= 500)
      options.log.error("request_failed", { requestId: c.var.requestId, code: problem.code, error });
    return problemResponse(c, problem);
  });
  let described: ApiPart | null = null;
  app.get("/openapi.json", (c) => c.json((described ??= describe(app, options))));
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "session", {
    type: "apiKey",
    in: "cookie",
    name: "taskwire_session",
    description: "Over https: `__Host-taskwire_session`",
  });
  return app;
}

function describe(app: HttpApp, { title, description, version }: HttpOptions): ApiPart {
  return {
    openapi: "3.1.0",
    info: { title, version, ...(description === undefined ? {} : { description }) },
    security: [{ bearer: [] }, { session: [] }],
    ...describeApi(app.openAPIRegistry.definitions),
  };
}

/** The answer for a problem, with the headers it asks for. */
export function problemResponse(c: Context<HttpEnv>, problem: Problem): Response {
  const { status } = problems[problem.code];
  const headers = new Headers({ "content-type": "application/problem+json" });
  const { retryAfterSeconds } = problem.extra;
  if (retryAfterSeconds !== undefined) headers.set("retry-after", String(retryAfterSeconds));
  if (status === 401) headers.set("www-authenticate", "Bearer");
  const document = JSON.stringify(problemDocument(withDetail(problem), c.var.requestId));
  return c.body(document, { status, headers: Object.fromEntries(headers) });
}

/** Says the first mistakes in the sentence people read, where nothing better was said. */
function withDetail(problem: Problem): Problem {
  const { mistakes = [] } = problem.extra;
  if (mistakes.length === 0 || problem.message !== problems[problem.code].title) return problem;
  const said = mistakes.slice(0, 3).map(({ path, message }) => `${path} ${message}`);
  const more = mistakes.length > 3 ? `; and ${mistakes.length - 3} more` : "";
  return new Problem(problem.code, said.join("; ") + more, problem.extra);
}

function observe({ log, metrics, newId }: HttpOptions): MiddlewareHandler<HttpEnv> {
  const count = metrics.counter("http_requests_total", "Requests answered", ["method", "route", "status"]);
  const seconds = metrics.histogram("http_request_seconds", "From the request to its answer", ["method", "route"]);
  return async (c, next) => {
    const started = performance.now();
    const requestId = acceptedId(c.req.header("x-request-id")) ?? newId();
    const correlationId = acceptedId(c.req.header("x-correlation-id")) ?? requestId;
    c.set("requestId", requestId);
    c.set("correlationId", correlationId);
    c.set("traceparent", acceptedTraceparent(c.req.header("traceparent")));
    c.header("x-request-id", requestId);
    c.header("x-content-type-options", "nosniff");
    c.header("cache-control", "no-store");
    await next();
    // An answer made without `c` (a proxied or stored one) has not taken the headers above.
    if (!c.res.headers.has("x-request-id")) c.header("x-request-id", requestId);
    const ms = performance.now() - started;
    const pattern = routePath(c);
    const route =
      pattern === "" || pattern === "/*" || (pattern === "/v1/*" && c.res.status >= 404) ? "unmatched" : pattern;
    const { method } = c.req;
    const { status } = c.res;
    count.inc({ method: knownMethod(method), route, status });
    seconds.observe({ method: knownMethod(method), route }, ms / 1000);
    log.info("request", {
      method,
      route,
      status,
      ms: Math.round(ms * 100) / 100,
      requestId,
      ...(correlationId === requestId ? {} : { correlationId }),
      userId: c.get("identity")?.userId,
    });
  };
}

function identify({ authenticate, openPaths = [] }: HttpOptions): MiddlewareHandler<HttpEnv> {
  const open = new Set(openPaths);
  return async (c, next) => {
    if (!open.has(c.req.path)) {
      const identity = await authenticate(c.req.raw);
      if (identity.via === "cookie") refuseForeignOrigin(c.req.raw);
      c.set("identity", identity);
    }
    await next();
  };
}

function boundBody(maxBytes: number): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    if (c.req.method !== "GET" && c.req.method !== "HEAD" && c.req.raw.body !== null) {
      keepBody(c, await readBoundedBody(c.req.raw, maxBytes));
    }
    await next();
  };
}

/** The validators and `c.req.text()` read this cache. Hono declares it with the values its promises settle to. */
function keepBody(c: Context<HttpEnv>, text: string): void {
  const cache: { text?: unknown } = c.req.bodyCache;
  cache.text = Promise.resolve(text);
}

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

function nothingHere(app: HttpApp, c: Context<HttpEnv>): Problem {
  const allowed = methods.filter((method) =>
    app.router
      .match(method, c.req.path)[0]
      // What stands on every path tells nothing about this one.
      .some(([[, route]]) => route.method === method && !route.path.endsWith("*")),
  );
  return allowed.length === 0 ? new Problem("NOT_FOUND") : methodNotAllowed(c, allowed);
}

/** METHOD_NOT_ALLOWED, to throw; sets `Allow` (RFC 9110 §15.5.6). Where GET is allowed, HEAD is. */
export function methodNotAllowed(c: Context<HttpEnv>, methodsHere: readonly string[]): Problem {
  const allowed = methodsHere.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ");
  c.header("allow", allowed);
  return new Problem("METHOD_NOT_ALLOWED", `Allowed here: ${allowed}`);
}

/** Methods are a label; a stranger may send any word as one. */
function knownMethod(method: string): string {
  return method === "HEAD" || method === "OPTIONS" || methods.some((known) => known === method) ? method : "OTHER";
}

function acceptedId(id: string | undefined): string | null {
  return id !== undefined && /^[\w.:-]{1,128}$/.test(id) ? id : null;
}

/** W3C Trace Context, version 00. */
function acceptedTraceparent(header: string | undefined): string | null {
  return header !== undefined && /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/.test(header)
    ? header
    : null;
}
