import { createRoute, z } from "@hono/zod-openapi";
import type { AuthConfig } from "../../../shared/http/auth.ts";
import { readCredential, sessionCookie } from "../../../shared/http/credential.ts";
import { readFailures, writeFailures } from "../../../shared/http/failures.ts";
import type { HttpApp } from "../../../shared/http/http-app.ts";
import { Problem } from "../../../shared/problem.ts";

export type SignInDeps = Readonly<{
  auth: Pick<AuthConfig, "mode">;
  /** Where people get a token; `null` where the page cannot tell. */
  signInUrl: string | null;
  now: () => Date;
}>;

/** Browsers drop longer cookies in silence: 4,096 bytes with the name and the attributes. */
const longestToken = 3_800;

const howToSignIn = createRoute({
  method: "get",
  path: "/v1/sign-in",
  summary: "How people sign in here",
  security: [],
  responses: {
    200: {
      description:
        "`name`: any name makes a session (development). `token`: with a token of the identity provider, from `url`",
      content: {
        "application/json": { schema: z.object({ by: z.enum(["name", "token"]), url: z.string().nullable() }) },
      },
    },
    ...readFailures(),
  },
});
const keepSession = createRoute({
  method: "post",
  path: "/v1/session/cookie",
  summary: "Keep the bearer token of this request as the cookie of a browser, until it expires",
  description:
    "For a page: it need not keep the token itself, and an EventSource, which can send no headers, has it too.",
  security: [{ bearer: [] }],
  responses: {
    200: {
      description: "Whose session it is",
      content: {
        "application/json": { schema: z.object({ user_id: z.uuid(), expires_at: z.iso.datetime() }) },
      },
    },
    ...writeFailures(422),
  },
});

/** How a browser gets a session where the server makes none. */
export function addSignInRoutes(app: HttpApp, { auth, signInUrl, now }: SignInDeps): void {
  app.openapi(howToSignIn, (c) => c.json({ by: auth.mode === "dev" ? "name" : "token", url: signInUrl } as const, 200));

  app.openapi(keepSession, (c) => {
    const { userId, expiresAt } = c.var.identity;
    const { token, via } = readCredential(c.req.raw);
    if (via !== "bearer") throw new Problem("UNAUTHENTICATED", "Send the token: Authorization: Bearer <token>");
    if (token.length > longestToken)
      throw new Problem("INVALID_REQUEST", `A token of more than ${longestToken} bytes does not fit into a cookie`);
    const seconds = Math.floor((expiresAt.getTime() - now().getTime()) / 1000);
    c.header("set-cookie", sessionCookie(c.req.raw, token, seconds));
    return c.json({ user_id: userId, expires_at: expiresAt.toISOString() }, 200);
  });
}
