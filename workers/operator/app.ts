import { makeHttpApp, type HttpApp, type HttpOptions } from "../../shared/http/http-app.ts";
import { servePage, type Page } from "../../shared/http/page.ts";
import type { Limiter } from "../../shared/limits/limiter.ts";
import { Problem } from "../../shared/problem.ts";
import { makeBrake } from "./http/brake-guesses.ts";
import { addDeadLetterRoutes } from "./http/dead-letter-routes.ts";
import { addGroupRoutes } from "./http/group-routes.ts";
import { requireToken } from "./http/operator-token.ts";
import { addOutboxRoutes } from "./http/outbox-routes.ts";
import { addTailRoutes } from "./http/tail-routes.ts";
import { addTopicRoutes, type TopicDeps } from "./http/topic-routes.ts";

export type BuildApp = Readonly<{
  http: Omit<HttpOptions, "title" | "description" | "authenticate" | "admit" | "body">;
  /** OPERATOR_TOKEN; null closes `/api`. */
  token: string | null;
  /** Counts wrong tokens by address; null for no limit. */
  guesses: Limiter | null;
  trustedProxies: number;
  page: Page;
  deps: TopicDeps;
}>;

/** The operator's interface: a page, and below `/api` what the command line does, for whoever brings the token. */
export function buildApp({ http, token, guesses, trustedProxies, page, deps }: BuildApp): HttpApp {
  const brake = makeBrake(guesses, { trustedProxies, metrics: http.metrics });
  const app = makeHttpApp({
    ...http,
    title: "Taskwire operator",
    // An edited record comes whole, and its texts may hold JSON; a filter may name 10,000 ids.
    body: { bytes: 2 * 1024 * 1024, values: 20_000, textLength: 1024 * 1024 },
    authenticate: () => Promise.reject(new Problem("NOT_FOUND")),
    admit: (request, path, address) => {
      if (!/^\/api(?:\/|$)/.test(path)) return false;
      brake(request, address, () => requireToken(request, token));
      return true;
    },
  });
  addGroupRoutes(app, deps);
  addDeadLetterRoutes(app, deps);
  addOutboxRoutes(app, deps);
  addTopicRoutes(app, deps);
  addTailRoutes(app, deps);
  app.get("/*", (c) => {
    const answer = servePage(page, c.req.raw);
    if (answer === null) throw new Problem("NOT_FOUND");
    return answer;
  });
  return app;
}
