import type { Context } from "hono";
import {
  answerOtherMethod,
  describeApp,
  makeHttpApp,
  type HttpEnv,
  type HttpOptions,
} from "../../shared/http/http-app.ts";
import type { ReadDocument } from "./document/api-document.ts";
import { makeApiPages } from "./document/api-pages.ts";
import { compressAnswers } from "./http/compress-answers.ts";
import { allowOrigins } from "./http/cors.ts";
import type { Peer } from "../../shared/http/role-server.ts";
import { takeEvents } from "../../shared/limits/events-made.ts";
import { Problem } from "../../shared/problem.ts";
import type { Gzip } from "../../shared/http/gzip.ts";
import type { AnswerMcp } from "./mcp/open-mcp.ts";
import { servePage, type PageFiles } from "../../shared/http/page.ts";
import { limitRequests } from "./limits/limit-requests.ts";
import type { RequestLimits } from "./limits/open-limits.ts";
import type { Proxy } from "./http/proxy.ts";
import { addSessionRoutes, refuseWithoutDevelopment, type SessionDeps } from "./sign-in/session-routes.ts";
import { addStreamRoutes, type StreamDeps } from "./stream/stream-routes.ts";
import { addSignInRoutes, type SignInDeps } from "./sign-in/sign-in-routes.ts";
import { upstreamOf } from "./http/upstreams.ts";

export type GatewayDeps = Readonly<{
  http: Omit<HttpOptions, "title" | "description" | "openPaths">;
  session: Omit<SessionDeps, "authenticate" | "newId">;
  signInUrl: SignInDeps["signInUrl"];
  stream: StreamDeps;
  proxy: Proxy;
  /** The stream position of a user now; `null` while there is none to promise. */
  cursorOf: (userId: string) => string | null;
  /** The page's files and the descriptions that no route makes. */
  page: PageFiles;
  limits: RequestLimits;
  /** How answers are compressed; by Web standards alone where it is left out. */
  gzip?: Gzip;
  /** Whose pages may call the API from a browser. */
  corsOrigins: readonly string[];
  /** Answers assistants. */
  mcp: AnswerMcp;
  /** The OpenAPI documents of the roles behind; `null` for one that does not answer. */
  readDocument: ReadDocument;
}>;

export type Gateway = Readonly<{ fetch: (request: Request, peer?: Peer) => Promise<Response> }>;

/**
 * One origin for page, API and stream: sessions and streams are answered here, the rest of `/v1` by the role it belongs
 * to.
 */
export function buildApp(deps: GatewayDeps): Gateway {
  const { http, proxy, cursorOf, page } = deps;
  const limit = limitRequests(() => deps.limits, http.metrics);
  const about = {
    title: "Taskwire",
    description: "Tasks, recurrence, reminders and live updates.",
    version: http.version,
  };
  const app = makeHttpApp({
    ...http,
    describe: (c) => pages.document(c.req.raw),
    ...about,
    openPaths: ["POST /v1/session", "DELETE /v1/session", "OPTIONS /v1/session", "/v1/sign-in"],
    around: [allowOrigins(deps.corsOrigins), compressAnswers(deps.gzip), limit.byAddress],
    known: [limit.byUser],
    alsoKnown: ["/mcp"],
    elsewhere: (path) => upstreamOf(path) !== null,
    admit: (request, path) => {
      if (path === "/v1/session" && request.method === "POST") refuseWithoutDevelopment(deps.session.auth);
      return false;
    },
  });
  addSessionRoutes(app, { ...deps.session, authenticate: http.authenticate, newId: http.newId });
  addSignInRoutes(app, { ...deps.session, signInUrl: deps.signInUrl });
  // A poll waits for up to a minute, in which its session may have ended. Streams are ended by themselves.
  app.use("/v1/sync", async (c, next) => {
    await next();
    await http.authenticate(c.req.raw);
  });
  addStreamRoutes(app, deps.stream);

  app.all("/v1/*", async (c) => {
    const upstream = upstreamOf(c.req.path);
    if (upstream === null) return c.notFound();
    const { userId, token } = c.var.identity;
    // A ticket opens a stream and nothing else, so it cannot come here.
    if (token === undefined) throw new Problem("UNAUTHENTICATED");
    const isRead = c.req.method === "GET" || c.req.method === "HEAD";
    // Taken before the read: a change that falls between the two is then streamed again instead of missed.
    const cursor = isRead ? cursorOf(userId) : null;
    const hasBody = !isRead && c.req.raw.body !== null;
    const response = await proxy({
      upstream,
      // Asked as GET, which is what the length of the answer to HEAD is taken from.
      request: c.req.method === "HEAD" ? asGet(c.req.raw) : c.req.raw,
      body: hasBody ? await c.req.text() : null,
      token,
      headers: forwardedFor(c),
    });
    limit.settle(c, takeEvents(response.headers));
    response.headers.set("x-request-id", c.var.requestId);
    if (cursor !== null && response.status < 400) response.headers.set("x-stream-cursor", cursor);
    return response;
  });

  // By a bearer token alone: a page of another origin could send the cookie.
  app.all("/mcp", async (c) => {
    const { token, via } = c.var.identity;
    if (token === undefined || via !== "bearer") throw new Problem("UNAUTHENTICATED");
    const { url, method, headers, signal } = c.req.raw;
    const body = method === "GET" || method === "HEAD" ? {} : { body: await c.req.text() };
    const peer = { address: c.env.address ?? null };
    const send = async (request: Request) => await app.fetch(request, peer);
    return deps.mcp(new Request(url, { method, headers, signal, ...body }), { token, send });
  });

  const pages = makeApiPages(() => describeApp(app, about), deps.readDocument);
  app.get("/docs", (c) => pages.docs(c.req.raw));
  app.all("*", (c) => {
    const found = servePage(page, c.req.raw);
    if (found === null && page.has(c.req.path)) return answerOtherMethod(c, ["GET"]);
    return found ?? c.notFound();
  });

  return { fetch: async (request, peer = { address: null }) => await app.fetch(request, peer) };
}

/** Made of its parts: what Node's adapter hands over is no Request that another could be made of. */
function asGet({ url, headers, signal }: Request): Request {
  return new Request(url, { headers, signal });
}

function forwardedFor(c: Context<HttpEnv>): Record<string, string> {
  const { url, headers } = c.req.raw;
  const { host, protocol } = new URL(url);
  return {
    "x-request-id": c.var.requestId,
    "x-correlation-id": c.var.correlationId,
    traceparent: c.var.traceparent,
    // What the role compares an Origin with; the host it is asked by is ours.
    "x-forwarded-host": headers.get("x-forwarded-host") ?? headers.get("host") ?? host,
    "x-forwarded-proto": headers.get("x-forwarded-proto") ?? protocol.slice(0, -1),
  };
}
