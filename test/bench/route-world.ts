import { authSettings, issueDevToken } from "../../shared/http/auth.ts";
import { readConfig } from "../../shared/role/config.ts";
import type { RoleName } from "../../shared/messages/topics.ts";
import { startSystem } from "../support/system.ts";
import { until } from "../support/until.ts";

/** Looked into freely, as what `JSON.parse` gives. */
type Json = ReturnType<JSON["parse"]>;
export type Sent = Readonly<{ status: number; body: Json; bytes: number }>;
export type Send = (
  role: ServingRole,
  method: string,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<Sent>;

/** Those that answer requests of people, but for the gateway, which passes them on. */
export const servingRoles = [
  "task-service",
  "recurring-task-worker",
  "reminder-service",
  "notification-service",
  "reminder-scheduling-worker",
] as const satisfies readonly RoleName[];
export type ServingRole = (typeof servingRoles)[number];

/** Real roles, asked directly, and what each request costs the role that answers it. */
export async function openRouteWorld() {
  const roles = Object.fromEntries([...servingRoles, "outbox-relay"].map((role) => [role, 1]));
  const system = await startSystem({ roles, env: { NOTIFY_ALLOW_PRIVATE_ADDRESSES: "true" } });
  const auth = readConfig(authSettings, system.env);

  const as = async (user: string): Promise<Send> => {
    const asked = { name: user, sessionId: user, now: new Date(), lifetimeSeconds: 86_400 };
    const { token } = await issueDevToken(auth, asked);
    return async (role, method, path, body, headers = {}) => {
      const answer = await fetch(`${system.url(role)}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
        signal: AbortSignal.timeout(60_000),
      });
      const text = await answer.text();
      const isJson = answer.headers.get("content-type")?.includes("json") ?? false;
      return { status: answer.status, body: isJson && text !== "" ? JSON.parse(text) : text, bytes: text.length };
    };
  };
  /** ms of CPU a role has used so far. */
  const cpuOf = async (role: ServingRole): Promise<number> => {
    const text = await (await fetch(`${system.url(role)}/metrics`)).text();
    return 1000 * Number(/^process_cpu_seconds_total\S* (\S+)/m.exec(text)?.[1]);
  };
  return {
    as,
    /**
     * ms of CPU that a role spends while it answers one request: what it does anyhow meanwhile, some 20 ms a second, is
     * in it.
     */
    cost: async (role: ServingRole, request: () => Promise<Sent>): Promise<Readonly<{ ms: number; sent: Sent }>> => {
      const before = await cpuOf(role);
      const sent = await request();
      return { ms: (await cpuOf(role)) - before, sent };
    },
    /** Waits until the role is busy with nothing but its rhythm. */
    quiet: async (role: ServingRole) => {
      await until(
        `${role} is quiet`,
        async () => {
          const before = await cpuOf(role);
          await Bun.sleep(300);
          return (await cpuOf(role)) - before < 60;
        },
        { timeoutMs: 240_000, everyMs: 100 },
      );
    },
    /** `METHOD /path` of every route a role describes. */
    routesOf: async (role: ServingRole): Promise<readonly string[]> => {
      const { paths } = (await (await fetch(`${system.url(role)}/openapi.json`)).json()) as {
        paths: Record<string, Record<string, unknown>>;
      };
      return Object.entries(paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
      );
    },
    [Symbol.asyncDispose]: () => system[Symbol.asyncDispose](),
  };
}
export type RouteWorld = Awaited<ReturnType<typeof openRouteWorld>>;
