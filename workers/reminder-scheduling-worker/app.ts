import { createRoute, z } from "@hono/zod-openapi";
import type { Auth } from "../../shared/http/auth.ts";
import { bodyFailures, readFailures } from "../../shared/http/failures.ts";
import { makeHttpApp, type HttpApp } from "../../shared/http/http-app.ts";
import { etagOf, matches, readIfMatch, readIfNoneMatch } from "../../shared/http/if-match.ts";
import { ifMatchHeader, ifNoneMatchHeader } from "../../shared/http/match-headers.ts";
import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import { defaultPreferences, preferencesInput, type Preferences } from "../../shared/preferences/preferences.ts";
import type { Put } from "./keep-preferences.ts";

export type AppOptions = Readonly<{
  /** `null` for a user who never said anything. */
  readPreferences: (userId: string) => Promise<Readonly<{ settings: Preferences; version: number }> | null>;
  /** Resolves with the version; throws VERSION_MISMATCH. */
  putPreferences: (put: Put) => Promise<number>;
  authenticate: Auth["authenticate"];
  newId: () => string;
  log: Log;
  metrics: Metrics;
}>;

const etag = { ETag: { description: "The version, quoted.", schema: { type: "string", example: '"3"' } } } as const;
const content = { "application/json": { schema: preferencesInput } };

/** The routes of preferences. Runs wherever `fetch` handlers do. */
export function buildApp({ readPreferences, putPreferences, ...http }: AppOptions): HttpApp {
  const app = makeHttpApp({ title: "Taskwire preferences", version: "1", ...http });
  const path = "/v1/preferences";
  app.openapi(
    createRoute({
      method: "get",
      path,
      summary: "Your preferences",
      description: 'The defaults, with the ETag "0", where you never said any.',
      request: { headers: z.object(ifNoneMatchHeader) },
      responses: {
        200: { description: "The preferences, every choice filled in", headers: etag, content },
        304: { description: "Still the version of If-None-Match" },
        ...readFailures(422),
      },
    }),
    async (c) => {
      const found = await readPreferences(c.var.identity.userId);
      const { settings, version } = found ?? { settings: defaultPreferences, version: 0 };
      c.header("etag", etagOf(version));
      const known = readIfNoneMatch(c.req.valid("header")["if-none-match"]);
      return matches(known, version) ? c.body(null, 304) : c.json(settings, 200);
    },
  );
  app.openapi(
    createRoute({
      method: "put",
      path,
      summary: "Change your preferences",
      description:
        "The whole of them: what is missing takes its default. Putting what is there changes nothing. A change of zone, all_day_at " +
        "or default_reminders moves the reminders of your open tasks, within seconds.",
      request: {
        headers: z.object(ifMatchHeader),
        body: { required: true, content },
      },
      responses: {
        200: { description: "The preferences as they now are", headers: etag, content },
        ...bodyFailures(412),
      },
    }),
    async (c) => {
      const settings = c.req.valid("json");
      const ifMatch = readIfMatch(c.req.valid("header")["if-match"]);
      const version = await putPreferences({ userId: c.var.identity.userId, settings, ifMatch });
      c.header("etag", etagOf(version));
      return c.json(settings, 200);
    },
  );
  return app;
}
