import type { Log } from "../role/log.ts";
import type { Metrics } from "../role/metrics.ts";
import { Problem, problems } from "../problem.ts";
import { uuidV7 } from "../uuid.ts";
import { listen } from "./listen/listen.ts";
import type { ClientConnection, HttpListener } from "./listen/listener.ts";
import { problemAnswer } from "./problem-answer.ts";
import { makeRequestRecord } from "./request-record.ts";
import { readTarget } from "./request-target.ts";

/** Where a connection comes from; `null` where the system does not say. */
export type Peer = Readonly<{ address: string | null }>;
export type Fetch = (request: Request, peer: Peer) => Response | Promise<Response>;

/**
 * The names of the conditions that do not hold, what a role that may be ready all the same waits for, and what else a
 * person should know of it.
 */
type Probes = Readonly<{
  unhealthy: () => readonly string[];
  unready: () => readonly string[];
  waiting: () => readonly string[];
  notes?: () => readonly string[];
}>;

export type ListenAddresses = Readonly<{
  hostname: string;
  port: number;
  /** Where probes and metrics are told in full; `null` for the same place as everything else. */
  metrics: Readonly<{ hostname: string; port: number }> | null;
}>;

export type RoleServer = Readonly<{
  url: URL;
  metricsUrl: URL;
  /**
   * Takes no new connections, lets running requests finish and closes the others; resolves when all are answered,
   * bodies included.
   */
  drain: () => Promise<void>;
  /** Ends what is left. */
  close: () => Promise<void>;
}>;

/**
 * Listens and answers `/healthz`, `/readyz`, `/metrics` and, by `answer`, everything else. Whatever a stranger sends
 * gets an answer of ours, counted and logged: 400 where the request names no host that can be one; where `answer`
 * rejects, the Problem it rejects with, or 500 without a word of the cause. With a place of its own for metrics, the
 * other says of the probes yes or no: it may be public. Rejects when it cannot listen.
 */
export async function openRoleServer(
  where: ListenAddresses,
  { answer, probes, log, metrics }: Readonly<{ answer: Fetch; probes: Probes; log: Log; metrics: Metrics }>,
): Promise<RoleServer> {
  const record = makeRequestRecord({ log, metrics });
  const refuse = (problem: Problem, method = "unknown", started = performance.now()): Response => {
    const requestId = uuidV7();
    const { status } = problems[problem.code];
    record({ method, route: "unmatched", status, ms: performance.now() - started, requestId });
    return problemAnswer(problem, requestId);
  };
  const answerSafely = async (request: Request, peer: Peer): Promise<Response> => {
    const started = performance.now();
    try {
      return await answer(request, peer);
    } catch (error) {
      if (error instanceof Problem) return refuse(error, request.method, started);
      log.error("request_failed", { error });
      return refuse(new Problem("INTERNAL"), request.method, started);
    }
  };
  const tell = async (path: string): Promise<Response | null> => {
    if (path === "/healthz") return probeAnswer(probes.unhealthy());
    if (path === "/readyz") return probeAnswer(probes.unready(), probes.waiting(), probes.notes?.());
    if (path !== "/metrics") return null;
    return new Response(await metrics.text(), { headers: { "content-type": "text/plain; version=0.0.4" } });
  };
  const tellStrangers = async (path: string): Promise<Response | null> => {
    const told = path === "/metrics" ? null : await tell(path);
    return told && new Response(told.ok ? "ok\n" : "not now\n", { status: told.status, headers: plain });
  };
  const listenAt = (at: Readonly<{ hostname: string; port: number }>, telling: typeof tell, answerRest: Fetch) =>
    listen({
      ...at,
      refuse: (error) => {
        // Node's adapter refuses an address that no URL parser takes before it asks anybody.
        if (error instanceof Error && error.name === "RequestError") return refuse(new Problem("MALFORMED_REQUEST"));
        log.error("request_failed", { error });
        return refuse(new Problem("INTERNAL"));
      },
      answer: async (received, connection) => {
        const target = readTarget(received);
        if (target === null) return refuse(new Problem("MALFORMED_REQUEST"), received.method);
        const response =
          (await telling(target.path)) ?? (await answerRest(target.request, { address: connection.address }));
        if (received.method === "HEAD" || !isStream(response)) return response;
        return keepOpen(response, connection);
      },
    });
  const server = await listenAt(where, where.metrics === null ? tell : tellStrangers, answerSafely);
  const nothingElse: Fetch = ({ method }) => refuse(new Problem("NOT_FOUND"), method);
  const beside = where.metrics;
  const told = beside === null ? server : await listenBeside(server, () => listenAt(beside, tell, nothingElse));
  return {
    url: server.url,
    metricsUrl: told.url,
    drain: server.drain,
    close: async () => void (await Promise.all([server.close(), told.close()])),
  };
}

/** A second listener; the first is closed where the second cannot listen. */
async function listenBeside(first: HttpListener, open: () => Promise<HttpListener>): Promise<HttpListener> {
  try {
    return await open();
  } catch (error) {
    void first.close();
    throw error;
  }
}

const plain = { "content-type": "text/plain; charset=utf-8" };

function probeAnswer(
  failing: readonly string[],
  outages: readonly string[] = [],
  notes: readonly string[] = [],
): Response {
  const down = [...outages.map((outage) => `down: ${outage}\n`), ...notes.map((note) => `${note}\n`)].join("");
  return failing.length === 0
    ? new Response(`ok\n${down}`, { headers: plain })
    : new Response(`waiting for: ${failing.join(", ")}\n${down}`, { status: 503, headers: plain });
}

function isStream({ status, body, headers }: Response): boolean {
  return status === 200 && body !== null && headers.get("content-type")?.startsWith("text/event-stream") === true;
}

/**
 * Lets a stream be silent for longer than other answers. The allowance is of the connection, not of the request, so it
 * is given only to a stream that was opened, and the connection ends with it.
 */
function keepOpen(response: Response, connection: ClientConnection): Response {
  connection.keepOpen();
  response.headers.set("connection", "close");
  return response;
}
