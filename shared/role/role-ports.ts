import type { RoleName } from "../messages/topics.ts";

/**
 * Where each role listens unless PORT says otherwise, so that a Procfile runs as it stands. `bun run dev` begins with
 * the same, and the gateway looks for the others there. A port of another server would be sent the tokens of users:
 * 8081 and 8085 are the registry's and the console's.
 */
export const rolePorts = {
  "ui-gateway": 8080,
  operator: 8090,
  "task-service": 8100,
  "recurring-task-worker": 8120,
  "reminder-scheduling-worker": 8140,
  "reminder-service": 8160,
  "notification-service": 8180,
  "task-update-broadcaster": 8200,
  "outbox-relay": 8220,
} as const satisfies Readonly<Record<RoleName, number>>;

/**
 * Where the gateway on a port tells probes and metrics, unless METRICS_PORT says otherwise: 8280 for 8080. 0 is any
 * free one.
 */
export function metricsPortBeside(port: number): number {
  return port === 0 ? 0 : port + 200;
}
