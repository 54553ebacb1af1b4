// Serves page, API and stream on one origin; reads all of task-updates without a group, writes sessions and stream tickets.
// Many may run, each reads everything itself. Replay is safe: a change is a whole view, and clients keep the highest version.
import { authSettings, openAuth } from "../../shared/http/auth.ts";
import { openCodec } from "../../shared/codec.ts";
import { integer, optionalUrl } from "../../shared/config.ts";
import { databaseSettings, openDb } from "../../shared/postgres/db.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { openRegistry, registrySettings } from "../../shared/registry.ts";
import { runRole } from "../../shared/role.ts";
import { buildApp } from "./app.ts";
import { makeAuthenticate } from "./authenticate.ts";
import { corsOrigins } from "./cors.ts";
import { openPage } from "../../shared/http/page.ts";
import { direct } from "../../shared/http/proxy-for.ts";
import { limitSettings } from "./limit-settings.ts";
import { openLimits } from "./open-limits.ts";
import { makeProxy } from "./proxy.ts";
import { openSessions } from "./sessions.ts";
import { issueTicket, redeemTicket } from "./tickets.ts";
import { upstreamSettings } from "./upstreams.ts";
import { openUpdates, updateSettings } from "./updates.ts";

const settings = {
  database: databaseSettings,
  kafka: kafkaSettings,
  registry: registrySettings,
  auth: authSettings,
  updates: updateSettings,
  upstreams: upstreamSettings,
  sessionSeconds: integer("SESSION_SECONDS", 86_400, { min: 1, max: 31_536_000 }),
  corsOrigins,
  /** Where people get the token they sign in with; the page links to it. */
  signInUrl: optionalUrl("SIGN_IN_URL", ["https", "http"]),
  limits: limitSettings,
  proxyMs: integer("PROXY_TIMEOUT_MS", 20_000, { min: 100, max: 300_000 }),
};

await runRole("ui-gateway", settings, async (role, config) => {
  const { log, metrics, name, now } = role;
  const { authenticate } = openAuth(config.auth, now);
  const page = await openPage(`${import.meta.dirname}/page`);
  await using db = await openDb(config.database, { role: name, poolSize: 8, log, metrics });
  await using broker = await openBroker(config.kafka, { clientId: name, log });
  const codec = await openCodec({ registry: openRegistry(config.registry, metrics), db, log, signal: role.signal });
  using updates = openUpdates({ settings: config.updates, broker, codec, db }, role);
  const { hub, streams, follow } = updates;
  await using sessions = await openSessions(db, { log, onEnded: streams.endSessions });

  using limits = openLimits(config.limits, role);

  const app = buildApp({
    http: {
      version: "1",
      authenticate: makeAuthenticate({
        authenticate,
        isOver: sessions.isOver,
        redeemTicket: (ticket) => redeemTicket(db, ticket),
      }),
      newId: () => Bun.randomUUIDv7(),
      log,
      metrics,
    },
    session: { auth: config.auth, sessions, sessionSeconds: config.sessionSeconds, now },
    signInUrl: config.signInUrl,
    stream: { streams, follow, stopping: role.signal, issueTicket: (who) => issueTicket(db, who) },
    proxy: makeProxy(config.upstreams, { timeoutMs: config.proxyMs }),
    cursorOf: hub.cursorOf,
    page,
    limits,
    corsOrigins: config.corsOrigins,
    readDocument: async (upstream) => {
      const [address = ""] = config.upstreams[upstream];
      const signal = AbortSignal.timeout(2_000);
      return (await fetch(new URL("/openapi.json", address), { signal, ...direct })).json();
    },
  });
  await Promise.all([updates.run(), role.serve(app.fetch)]);
});
