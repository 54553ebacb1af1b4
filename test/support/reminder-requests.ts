import { makeLog } from "../../shared/role/log.ts";
import { makeMetrics } from "../../shared/role/metrics.ts";
import { Problem } from "../../shared/problem.ts";
import { buildApp } from "../../workers/reminder-service/app.ts";
import { openReminderQuota } from "../../workers/reminder-service/reminder-quota.ts";
import type { HttpApp } from "../../shared/http/http-app.ts";
import { userId } from "./guard-messages.ts";
import type { ReminderWorld } from "./reminder-world.ts";

export type Body = Record<string, unknown> & {
  id: string;
  items: Body[];
  next_cursor: string | null;
  errors: { path: string; message: string }[];
};
type Sent = { body?: unknown; user?: string; key?: string };
export type Answer = { status: number; body: Body; replayed?: string };
export type Send = (method: string, path: string, sent?: Sent) => Promise<Answer>;

/** The HTTP side of the reminder service on a world, asked without a network; a token is the id of its user here. */
export function openReminderRequests(
  world: ReminderWorld,
  onNotify: () => void = () => {},
  most = 0,
): Readonly<{ app: HttpApp; send: Send }> {
  const app = buildApp({
    db: world.db,
    codec: world.codec,
    notify: onNotify,
    quota: openReminderQuota(most, world.db),
    authenticate: async (request) => {
      const user = request.headers.get("authorization")?.replace("Bearer ", "");
      if (!user) throw new Problem("UNAUTHENTICATED");
      return { userId: user, sessionId: "s", expiresAt: new Date(8e15), via: "bearer" };
    },
    newId: () => Bun.randomUUIDv7(),
    now: () => new Date(),
    log: makeLog({}, "error"),
    metrics: makeMetrics("test", { process: false }),
  });
  const send: Send = async (method, path, { body, user = userId, key } = {}) => {
    const answer = await app.request(path, {
      method,
      headers: {
        authorization: `Bearer ${user}`,
        "content-type": "application/json",
        ...(key === undefined ? {} : { "idempotency-key": key }),
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const replayed = answer.headers.get("idempotent-replayed");
    const text = await answer.text();
    // A 204 has no body to look at.
    const answered = (text === "" ? {} : JSON.parse(text)) as Body;
    return { status: answer.status, body: answered, ...(replayed === null ? {} : { replayed }) };
  };
  return { app, send };
}
