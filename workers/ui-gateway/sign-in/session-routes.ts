import { createRoute, z } from "@hono/zod-openapi";
import { issueDevToken, type AuthConfig, type Identity } from "../../../shared/http/auth.ts";
import { sessionCookie } from "../../../shared/http/credential.ts";
import { bodyFailures, readFailures, writeFailures } from "../../../shared/http/failures.ts";
import type { HttpApp } from "../../../shared/http/http-app.ts";
import { refuseForeignOrigin } from "../../../shared/http/origin.ts";
import { Problem } from "../../../shared/problem.ts";
import { visibleLine } from "../../../shared/tasks/visible-text.ts";
import { refuseForeignHost } from "./refuse-foreign-host.ts";
import type { Sessions } from "./sessions.ts";

export type SessionDeps = Readonly<{
  auth: AuthConfig;
  authenticate: (request: Request) => Promise<Identity>;
  sessions: Pick<Sessions, "begin" | "end">;
  sessionSeconds: number;
  newId: () => string;
  now: () => Date;
}>;

const session = z.object({ user_id: z.uuid(), expires_at: z.iso.datetime() }).openapi("Session");
/** In NFC: however a keyboard makes an "é", the name is one user. */
const signIn = z.strictObject({ user: visibleLine(64, { composed: true }) });
const cookieHeader = {
  "Set-Cookie": {
    description: "Sets or removes `taskwire_session`, over https `__Host-taskwire_session`",
    schema: { type: "string" as const },
  },
};
const json = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { "application/json": { schema } },
});

const makeSession = createRoute({
  method: "post",
  path: "/v1/session",
  summary: "Sign in by name (development only)",
  security: [],
  request: {
    body: {
      required: true,
      content: { "application/json": { schema: signIn } },
    },
  },
  responses: {
    201: {
      ...json(session.extend({ token: z.string() }).openapi("NewSession"), "The session; also as a cookie for a page"),
      headers: cookieHeader,
    },
    ...bodyFailures(404),
  },
});
const readSession = createRoute({
  method: "get",
  path: "/v1/session",
  summary: "Who am I",
  responses: { 200: json(session, "The session of the token or cookie"), ...readFailures() },
});
const endSession = createRoute({
  method: "delete",
  path: "/v1/session",
  summary: "Sign out: the token is refused from now on, its streams end",
  responses: { 204: { description: "Signed out", headers: cookieHeader }, ...writeFailures() },
});

/** Throws NOT_FOUND where sessions are not made here; to be asked before a body is read that a stranger sends. */
export function refuseWithoutDevelopment({ mode }: Pick<AuthConfig, "mode">): void {
  if (mode !== "dev")
    throw new Problem("NOT_FOUND", "Sessions are made by the identity provider; send its token as a bearer token");
}

/**
 * `/v1/session`. Making and ending one is open to all: each says itself who may, and no limit of a user, which others
 * with a stolen token can use up, stands before signing out.
 */
export function addSessionRoutes(app: HttpApp, deps: SessionDeps): void {
  const { auth, authenticate, sessions, sessionSeconds, newId, now } = deps;

  app.openapi(makeSession, async (c) => {
    refuseForeignOrigin(c.req.raw);
    refuseWithoutDevelopment(auth);
    refuseForeignHost(c.req.raw, auth.devHosts);
    const id = newId();
    const { token, userId, expiresAt } = await issueDevToken(auth, {
      name: c.req.valid("json").user,
      sessionId: id,
      now: now(),
      lifetimeSeconds: sessionSeconds,
    });
    await sessions.begin({ id, userId, expiresAt });
    c.header("set-cookie", sessionCookie(c.req.raw, token, sessionSeconds));
    return c.json({ token, user_id: userId, expires_at: expiresAt.toISOString() }, 201);
  });

  app.openapi(readSession, (c) => {
    const { userId, expiresAt } = c.var.identity;
    return c.json({ user_id: userId, expires_at: expiresAt.toISOString() }, 200);
  });

  app.openapi(endSession, async (c) => {
    refuseForeignOrigin(c.req.raw);
    const { sessionId, userId, expiresAt } = await authenticate(c.req.raw);
    await sessions.end({ id: sessionId, userId, expiresAt });
    c.header("set-cookie", sessionCookie(c.req.raw, "", 0));
    return c.body(null, 204);
  });
}
