import type { Log } from "../role/log.ts";
import type { Metrics } from "../role/metrics.ts";

type RequestRecord = Readonly<{
  method: string;
  /** The pattern of the route, never the address, which may hold a ticket; "unmatched" where none answered. */
  route: string;
  status: number;
  ms: number;
  requestId: string;
  correlationId?: string;
  userId?: string | undefined;
}>;

/** Makes the one line in the log and the one count per answered request, whoever answered it. */
export function makeRequestRecord({ log, metrics }: Readonly<{ log: Log; metrics: Metrics }>) {
  const count = metrics.counter("http_requests_total", "Requests answered", ["method", "route", "status"]);
  const seconds = metrics.histogram("http_request_seconds", "From the request to its answer", ["method", "route"]);
  return ({ method, route, status, ms, requestId, correlationId = requestId, userId }: RequestRecord): void => {
    const known = knownMethod(method);
    count.inc({ method: known, route, status });
    seconds.observe({ method: known, route }, ms / 1000);
    log.info("request", {
      method: known === "OTHER" ? method.slice(0, 32) : known,
      route,
      status,
      ms: Math.round(ms * 100) / 100,
      requestId,
      ...(correlationId === requestId ? {} : { correlationId }),
      userId,
    });
  };
}

const knownMethods: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** Methods are a label; a stranger may send any word as one. */
function knownMethod(method: string): string {
  return knownMethods.includes(method) ? method : "OTHER";
}
