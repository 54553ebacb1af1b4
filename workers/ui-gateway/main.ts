// Serves page, API and stream on one origin. Reads all of task-updates without a group; writes sessions and tickets.
// Many may run, each reads everything. Replay is safe: a change is a whole view, and clients keep the newest version.
import "../../shared/role/catch-signals.ts";
import { authSettings, openAuth } from "../../shared/http/auth.ts";
import { openCodec } from "../../shared/avro/codec.ts";
import { integer, optionalUrl } from "../../shared/role/config.ts";
import { databaseSettings, openDb } from "../../shared/postgres/db.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { openRegistry, registrySettings } from "../../shared/avro/registry.ts";
import { runRole } from "../../shared/role/role.ts";
import { buildApp } from "./app.ts";
import { makeAuthenticate } from "./sign-in/authenticate.ts";
import { corsOrigins } from "./http/cors.ts";
import { nativeGzip } from "./http/native-gzip.ts";
import { openFiles } from "./http/open-files.ts";
import { uuidV7 } from "../../shared/uuid.ts";
import { limitSettings } from "./limits/limit-settings.ts";
import { openLimits } from "./limits/open-limits.ts";
import { makeMcp } from "./mcp/open-mcp.ts";
import { readDocumentFrom } from "./document/read-document.ts";
import { makeProxy } from "./http/proxy.ts";
import { openSessions, keepSessions } from "./sign-in/sessions.ts";
import { issueTicket, redeemTicket } from "./sign-in/tickets.ts";
import { upstreamSettings } from "./http/upstreams.ts";
import { openUpdates, updateSettings } from "./stream/updates.ts";

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
  const page = await openFiles();
  await using db = await openDb(config.database, { role: name, poolSize: 8, log, metrics, starting: role });
  await using broker = await openBroker(config.kafka, { clientId: name, log, metrics });
  const codec = await openCodec({ registry: openRegistry(config.registry, metrics), db, log, signal: role.signal });
  using updates = openUpdates({ settings: config.updates, broker, codec, db }, role);
  const { hub, streams, follow, freshness } = updates;
  await using sessions = await openSessions(db, { log, now, onEnded: streams.endSessions, starting: role });
  using limits = openLimits(config.limits, role);
  const app = buildApp({
    http: {
      version: "1",
      authenticate: makeAuthenticate({
        authenticate,
        isOver: sessions.isOver,
        redeemTicket: (ticket) => redeemTicket(db, ticket),
      }),
      newId: uuidV7,
      log,
      metrics,
    },
    session: { auth: config.auth, sessions, sessionSeconds: config.sessionSeconds, now },
    signInUrl: config.signInUrl,
    stream: { streams, follow, freshness, stopping: role.signal, issueTicket: (who) => issueTicket(db, who) },
    proxy: makeProxy(config.upstreams, { timeoutMs: config.proxyMs }),
    cursorOf: hub.cursorOf,
    page,
    gzip: nativeGzip,
    limits,
    corsOrigins: config.corsOrigins,
    mcp: makeMcp("1"),
    readDocument: readDocumentFrom(config.upstreams),
  });
  await Promise.all([updates.run(), role.serve(app.fetch), keepSessions(db, role)]);
});
