import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Auth } from "../../shared/http/auth.ts";
import { etagHeader } from "../../shared/http/answer-parts.ts";
import { bodyFailures, readFailures } from "../../shared/http/failures.ts";
import { makeHttpApp, type HttpApp, type HttpEnv } from "../../shared/http/http-app.ts";
import { etagOf, matches, readIfMatch, readIfNoneMatch } from "../../shared/http/if-match.ts";
import { ifMatchHeader, ifNoneMatchHeader } from "../../shared/http/match-headers.ts";
import { mistakesOf } from "../../shared/http/problem-response.ts";
import type { Log } from "../../shared/role/log.ts";
import type { Metrics } from "../../shared/role/metrics.ts";
import {
  defaultPreferences,
  preferencesInput,
  preferencesPatch,
  type Preferences,
} from "../../shared/preferences/preferences.ts";
import { Problem } from "../../shared/problem.ts";
import { admitPreferences, showPreferences } from "./admit-preferences.ts";
import type { StoredPreferences, PreferencesChange } from "./keep-preferences.ts";
import { mergePatch } from "./merge-patch.ts";

type SchedulingAppOptions = Readonly<{
  /** `null` for a user who never said anything. */
  readPreferences: (userId: string) => Promise<StoredPreferences | null>;
  /** Resolves with what they are now; throws VERSION_MISMATCH. */
  changePreferences: (change: PreferencesChange) => Promise<StoredPreferences>;
  /** Whether people's webhooks may lead to addresses that are not public. */
  allowPrivate: boolean;
  authenticate: Auth["authenticate"];
  newId: () => string;
  log: Log;
  metrics: Metrics;
}>;

const content = { "application/json": { schema: preferencesInput } };

/** The routes of preferences. Runs wherever `fetch` handlers do. */
export function buildApp({ readPreferences, changePreferences, allowPrivate, ...http }: SchedulingAppOptions): HttpApp {
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
        200: { description: "The preferences, every choice filled in", headers: etagHeader, content },
        304: { description: "Still the version of If-None-Match", headers: etagHeader },
        ...readFailures(422),
      },
    }),
    async (c) => {
      const found = await readPreferences(c.var.identity.userId);
      const { settings, version } = found ?? { settings: defaultPreferences, version: 0 };
      c.header("etag", etagOf(version));
      const known = readIfNoneMatch(c.req.valid("header")["if-none-match"]);
      return matches(known, version) ? c.body(null, 304) : c.json(showPreferences(settings), 200);
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
        200: { description: "The preferences as they now are", headers: etagHeader, content },
        ...bodyFailures(412),
      },
    }),
    async (c) => {
      const wanted = c.req.valid("json");
      const change = (before: Preferences) => admitPreferences(wanted, before, { allowPrivate });
      const ifMatch = readIfMatch(c.req.valid("header")["if-match"]);
      const { settings, version } = await changePreferences({ ...askedBy(c), change, ifMatch });
      c.header("etag", etagOf(version));
      return c.json(showPreferences(settings), 200);
    },
  );
  app.openapi(
    createRoute({
      method: "patch",
      path,
      summary: "Change some of your preferences",
      description:
        "A JSON Merge Patch (RFC 7396): what is missing stays as it is, null is the default again, the list of channels is replaced as " +
        "a whole. Otherwise as PUT.",
      request: {
        headers: z.object(ifMatchHeader),
        body: { required: true, content: { "application/json": { schema: preferencesPatch } } },
      },
      responses: {
        200: { description: "The preferences as they now are", headers: etagHeader, content },
        ...bodyFailures(412),
      },
    }),
    async (c) => {
      // As it was sent: what was made of it has defaults for what is missing.
      const text = await c.req.text();
      const patch: unknown = text === "" ? {} : JSON.parse(text);
      const change = (before: Preferences) => {
        const merged = preferencesInput.safeParse(mergePatch(before, patch));
        if (!merged.success)
          throw new Problem("INVALID_REQUEST", undefined, { mistakes: mistakesOf(merged.error, "body") });
        return admitPreferences(merged.data, before, { allowPrivate });
      };
      const ifMatch = readIfMatch(c.req.valid("header")["if-match"]);
      const { settings, version } = await changePreferences({ ...askedBy(c), change, ifMatch });
      c.header("etag", etagOf(version));
      return c.json(showPreferences(settings), 200);
    },
  );
  return app;
}

function askedBy(c: Context<HttpEnv>): Pick<PreferencesChange, "userId" | "correlationId" | "traceparent"> {
  const { identity, correlationId, traceparent } = c.var;
  return { userId: identity.userId, correlationId, traceparent };
}
