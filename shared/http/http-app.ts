import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { Identity } from "./auth.ts";
import { defaultBodyLimits, readBoundedBody, type BodyLimits } from "./body.ts";
import { describeApi, type ApiPart } from "./describe-api.ts";
import { mistakesOf, problemOf, type MistakeSource } from "./problem-response.ts";
import type { LimitVerdict } from "../limits/limiter.ts";
import type { Log } from "../role/log.ts";
import type { Metrics } from "../role/metrics.ts";
import type { Peer } from "./role-server.ts";
import { refuseForeignOrigin } from "./origin.ts";
import { usePlainWords } from "./plain-words.ts";
import { makeRequestRecord } from "./request-record.ts";
import { refuseStrayQuery, refuseUnstorable } from "./refuse-query.ts";
import { acceptedTraceparent, newTraceparent } from "./traceparent.ts";
import { Problem, problemDocument, problems } from "../problem.ts";

/** What a route finds in `c.var`. `identity` is there on every path below `/v1/` that is not open. */
export type HttpEnv = {
  /** Whom the connection leads to, where a server says so; tests have none. */
  Bindings: Partial<Peer>;
  Variables: {
    identity: Identity;
    requestId: string;
    correlationId: string;
    traceparent: string;
    /** What a limit has said of this request last. */
    rate?: LimitVerdict;
  };
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
  /** What stands around everything but the record of the request, the first outermost. */
  around?: readonly MiddlewareHandler<HttpEnv>[];
  /** Further paths that need to know who asks. */
  alsoKnown?: readonly string[];
  /** What stands, below `/v1/`, between knowing who asks and reading the body. */
  known?: readonly MiddlewareHandler<HttpEnv>[];
  /**
   * Says before a body is read, for every path, what else may not pass; true when it knows who asks. Throws a Problem.
   */
  admit?: (request: Request, path: string, address: string | null) => boolean;
  /** Larger bodies answer 413, chunked ones as soon as they pass it. Who is not known may send 16 kB. */
  body?: Partial<BodyLimits>;
  /** Whether a path is passed on to another role, which knows what its query may hold. */
  elsewhere?: (path: string) => boolean;
  /** Answers `/openapi.json` in place of the app's own description. */
  describe?: (c: Context<HttpEnv>) => Promise<Response>;
  /**
   * Paths below `/v1/` that need no identity, such as the one that makes a session; `POST /v1/…` is open for that
   * method alone.
   */
  openPaths?: readonly string[];
}>;

/**
 * An app with what every HTTP role shares; add routes with `app.openapi(route, handler)` before the first request.
 * Answers every failure as RFC 9457 problem details (mistakes in the request: 422 with `errors: [{path, message}]`, 404
 * and 405 included), logs one line per request, counts it by route pattern, and serves `/openapi.json` (OpenAPI 3.1).
 * It stands on Web standards alone, so it runs wherever `fetch` handlers do.
 */
export function makeHttpApp(options: HttpOptions): HttpApp {
  usePlainWords();
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
  for (const middleware of options.around ?? []) app.use(middleware);
  app.use(refuseUnstorable());
  for (const paths of ["/v1/*", ...(options.alsoKnown ?? [])]) {
    app.use(paths, identify(options));
    for (const middleware of options.known ?? []) app.use(paths, middleware);
  }
  app.use(boundBody(options));
  app.use(refuseStrayQuery(app, options.elsewhere));
  app.use(refuseWrongMethod(app));
  app.notFound((c) => nothingHere(app, c));
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
  app.get("/openapi.json", options.describe ?? ((c) => c.json((described ??= describeApp(app, options)))));
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

/** The OpenAPI document of the routes an app has. */
export function describeApp(
  app: HttpApp,
  { title, description, version }: Pick<HttpOptions, "title" | "description" | "version">,
): ApiPart {
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
  const document = JSON.stringify(problemDocument(problem, c.var.requestId));
  return c.body(document, { status, headers: Object.fromEntries(headers) });
}

function observe({ log, metrics, newId }: HttpOptions): MiddlewareHandler<HttpEnv> {
  const record = makeRequestRecord({ log, metrics });
  return async (c, next) => {
    const started = performance.now();
    const requestId = acceptedId(c.req.header("x-request-id")) ?? newId();
    const correlationId = acceptedId(c.req.header("x-correlation-id")) ?? requestId;
    c.set("requestId", requestId);
    c.set("correlationId", correlationId);
    c.set("traceparent", acceptedTraceparent(c.req.header("traceparent")) ?? newTraceparent());
    c.header("x-request-id", requestId);
    c.header("x-content-type-options", "nosniff");
    c.header("cache-control", "no-store");
    await next();
    // An answer made without `c` (a proxied or stored one) has not taken the headers above.
    if (!c.res.headers.has("x-request-id")) c.header("x-request-id", requestId);
    // The server's own is up to a second old, and would lie before the times in the answer.
    c.header("date", new Date().toUTCString());
    if (c.req.method === "HEAD") await measureBody(c);
    const pattern = routePath(c);
    const { status } = c.res;
    const isUnmatched = pattern === "" || pattern === "/*" || (pattern === "/v1/*" && status >= 404);
    record({
      method: c.req.method,
      route: isUnmatched ? "unmatched" : pattern,
      status,
      ms: performance.now() - started,
      requestId,
      correlationId,
      userId: c.get("identity")?.userId,
    });
  };
}

/** Hono answers HEAD as GET and drops the body, and with it the length that GET would have had (RFC 9110 §8.6). */
async function measureBody(c: Context<HttpEnv>): Promise<void> {
  const { res } = c;
  if (res.body === null || res.headers.has("content-length")) return;
  const { byteLength } = await res.arrayBuffer();
  c.res = new Response(null, res);
  c.header("content-length", String(byteLength));
}

function identify({ authenticate, openPaths = [] }: HttpOptions): MiddlewareHandler<HttpEnv> {
  const open = new Set(openPaths);
  return async (c, next) => {
    const { method, path } = c.req;
    if (!open.has(path) && !open.has(`${method} ${path}`)) {
      const identity = await authenticate(c.req.raw);
      if (identity.via === "cookie") refuseForeignOrigin(c.req.raw);
      c.set("identity", identity);
    }
    await next();
  };
}

const maxUnknownBytes = 16 * 1024;

function boundBody({ admit = () => false, body }: HttpOptions): MiddlewareHandler<HttpEnv> {
  const limits = { ...defaultBodyLimits, ...body };
  const strangers = { ...limits, bytes: Math.min(maxUnknownBytes, limits.bytes) };
  return async (c, next) => {
    const isKnown = admit(c.req.raw, c.req.path, c.env?.address ?? null) || c.get("identity") !== undefined;
    if (c.req.method !== "GET" && c.req.method !== "HEAD" && c.req.raw.body !== null) {
      refuseEncoded(c);
      keepBody(c, await readBoundedBody(c.req.raw, isKnown ? limits : strangers));
    }
    await next();
  };
}

/** RFC 9110 §12.5.3: says by `Accept-Encoding` what would be taken instead. */
function refuseEncoded(c: Context<HttpEnv>): void {
  const encoding = c.req.header("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding === "" || encoding === "identity") return;
  c.header("accept-encoding", "identity");
  throw new Problem("UNSUPPORTED_MEDIA_TYPE", "The body must not have a Content-Encoding");
}

/** The validators and `c.req.text()` read this cache. Hono declares it with the values its promises settle to. */
function keepBody(c: Context<HttpEnv>, text: string): void {
  const cache: { text?: unknown } = c.req.bodyCache;
  cache.text = Promise.resolve(text);
}

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/**
 * The methods a path has a route for. Of a path that stands by itself, as `/v1/notifications/read-all`, not those of
 * `/{id}`.
 */
function allowedAt(app: HttpApp, path: string): readonly string[] {
  const own = app.routes.filter((route) => route.path === path && route.method !== "ALL").map(({ method }) => method);
  if (own.length > 0) return methods.filter((method) => own.includes(method));
  return methods.filter((method) =>
    app.router
      .match(method, path)[0]
      // What stands on every path tells nothing about this one.
      .some(([[, route]]) => route.method === method && !route.path.endsWith("*")),
  );
}

function refuseWrongMethod(app: HttpApp): MiddlewareHandler<HttpEnv> {
  let standing: ReadonlySet<string> | null = null;
  return async (c, next) => {
    standing ??= new Set(app.routes.filter(({ method }) => method !== "ALL").map(({ path }) => path));
    const { path, method } = c.req;
    if (standing.has(path) && !allowedAt(app, path).includes(method === "HEAD" ? "GET" : method))
      return nothingHere(app, c);
    return next();
  };
}

function nothingHere(app: HttpApp, c: Context<HttpEnv>): Response {
  const allowed = allowedAt(app, c.req.path);
  if (allowed.length === 0) return problemResponse(c, new Problem("NOT_FOUND"));
  return answerOtherMethod(c, allowed);
}

/**
 * The answer to a method a path has not: 204 with `Allow` to OPTIONS, else METHOD_NOT_ALLOWED (RFC 9110 §9.3.7,
 * §15.5.6).
 */
export function answerOtherMethod(c: Context<HttpEnv>, methodsHere: readonly string[]): Response {
  const allowed = [...methodsHere.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])), "OPTIONS"];
  c.header("allow", allowed.join(", "));
  if (c.req.method === "OPTIONS") return c.body(null, 204);
  return problemResponse(c, new Problem("METHOD_NOT_ALLOWED", `Allowed here: ${allowed.join(", ")}`));
}

function acceptedId(id: string | undefined): string | null {
  return id !== undefined && /^[\w.:-]{1,128}$/.test(id) ? id : null;
}
