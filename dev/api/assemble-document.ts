import { makeLog } from "../../shared/role/log.ts";
import { makeMetrics } from "../../shared/role/metrics.ts";
import { buildApp as buildNotifications } from "../../workers/notification-service/app.ts";
import { buildApp as buildSeries } from "../../workers/recurring-task-worker/app.ts";
import { buildApp as buildPreferences } from "../../workers/reminder-scheduling-worker/app.ts";
import { buildApp as buildReminders } from "../../workers/reminder-service/app.ts";
import { buildApp as buildTasks } from "../../workers/task-service/app.ts";
import type { ApiDocument } from "../../workers/ui-gateway/document/complete-document.ts";
import { buildApp as buildGateway, type Gateway, type GatewayDeps } from "../../workers/ui-gateway/app.ts";
import type { Upstream } from "../../workers/ui-gateway/http/upstreams.ts";

/**
 * The gateway's `/openapi.json`, made by the routes of every role without a database, a broker or a listening process.
 */
export async function assembleDocument(): Promise<ApiDocument> {
  const answer = await gatewayWithoutParts().fetch(new Request("http://taskwire.invalid/openapi.json"));
  // What the gateway serves is an ApiDocument; the readers below look at every part they use.
  return (await answer.json()) as ApiDocument;
}

const noLimits = { user: null, address: null, trustedProxies: 0 } as const;

/** A gateway that can describe itself and nothing else: whatever a request would need rejects. */
export function gatewayWithoutParts(overrides: Partial<GatewayDeps> = {}): Gateway {
  const roles = {
    "task-service": buildTasks(standIns()),
    "reminder-service": buildReminders(standIns()),
    "recurring-task-worker": buildSeries(standIns()),
    "reminder-scheduling-worker": buildPreferences(standIns()),
    "notification-service": buildNotifications(standIns()),
  } satisfies Record<Upstream, unknown>;
  const readDocument: GatewayDeps["readDocument"] = async (upstream) =>
    (await roles[upstream].request("/openapi.json")).json();
  return buildGateway(standIns<GatewayDeps>({ page: new Map(), readDocument, limits: noLimits, ...overrides }));
}

/**
 * Dependencies of an app of which only the description is asked: those every app needs at once are real, any other can
 * be taken apart and passed on, and rejects when it is called. So a new dependency of a role needs nothing here.
 */
function standIns<Deps extends object>(given: Partial<Deps> = {}): Deps {
  const http = {
    version: "1",
    authenticate: () => Promise.reject(new Error("there is nobody here")),
    newId: () => "description",
    log: makeLog({}, "error", () => {}),
    metrics: makeMetrics("description", { process: false }),
  };
  const known: Readonly<Record<string, unknown>> = { ...http, http, now: () => new Date(), ...given };
  return new Proxy(known, {
    get: (target, name) => (typeof name === "string" && Object.hasOwn(target, name) ? target[name] : absent()),
  }) as Deps; // nothing of it is used but what is known above
}

function absent(): unknown {
  return new Proxy(() => Promise.reject(new Error("this part is not here: only the description can be asked")), {
    get: (_, name) => (name === "then" ? undefined : absent()),
  });
}
