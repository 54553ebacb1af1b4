import { makeHttpApp, type HttpApp, type HttpOptions } from "../../shared/http/http-app.ts";
import { servePage, type PageFiles } from "../../shared/http/page.ts";
import type { Limiter } from "../../shared/limits/limiter.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import { makeBrake } from "./http/brake-guesses.ts";
import type { Tools } from "./action.ts";
import { actions } from "./commands.ts";
import { addActionRoutes } from "./http/action-routes.ts";
import { requireToken } from "./http/operator-token.ts";
import { addTailRoutes, type TailDeps } from "./http/tail-routes.ts";

/** What the routes work with. `codec` opens at its first use, so that the page is there while the registry is not. */
type OperatorDeps = TailDeps &
  Pick<Tools, "env" | "registry" | "readSchemas"> &
  Readonly<{ db: Db; topicSettings: ReturnType<Tools["topicSettings"]>; now: () => Date }>;

type BuildApp = Readonly<{
  http: Omit<HttpOptions, "title" | "description" | "authenticate" | "admit" | "body">;
  /** OPERATOR_TOKEN; null closes `/api`. */
  token: string | null;
  /** Counts wrong tokens by address; null for no limit. */
  guesses: Limiter | null;
  trustedProxies: number;
  page: PageFiles;
  deps: OperatorDeps;
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
  addActionRoutes(app, actions, { tools: toolsOf(deps), jobs: deps.jobs });
  addTailRoutes(app, deps);
  app.get("/*", (c) => {
    const answer = servePage(page, c.req.raw);
    if (answer === null) throw new Problem("NOT_FOUND");
    return answer;
  });
  return app;
}

function toolsOf({ db, broker, topicSettings, now, ...deps }: OperatorDeps) {
  return {
    ...deps,
    db: () => Promise.resolve(db),
    broker: () => Promise.resolve(broker),
    topicSettings: () => topicSettings,
    now: () => Promise.resolve(now()),
  };
}
