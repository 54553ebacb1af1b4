import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { Problem, problemDocument, problems } from "../problem.ts";
import { makeRequestRecord } from "./request-record.ts";
import { readTarget } from "./request-target.ts";

/** Where a connection comes from; `null` where the system does not say. */
export type Peer = Readonly<{ address: string | null }>;
export type Fetch = (request: Request, peer: Peer) => Response | Promise<Response>;

/** The names of the conditions that do not hold. */
export type Probes = Readonly<{ unhealthy: () => readonly string[]; unready: () => readonly string[] }>;

export type Where = Readonly<{
  hostname: string;
  port: number;
  /** Where probes and metrics are told in full; `null` for the same place as everything else. */
  metrics: Readonly<{ hostname: string; port: number }> | null;
}>;

export type RoleServer = Readonly<{
  url: URL;
  metricsUrl: URL;
  /** Takes no new connections, lets running requests finish and closes the others; resolves when all are answered, bodies included. */
  drain: () => Promise<void>;
  /** Ends what is left. */
  close: () => Promise<void>;
}>;

const idleSeconds = 60;

/**
 * Listens and answers `/healthz`, `/readyz`, `/metrics` and, by `answer`, everything else. Whatever a stranger sends gets an
 * answer of ours, counted and logged: 400 where the request names no host that can be one; where `answer` rejects, the Problem it
 * rejects with, or 500 without a word of the cause. With a place of its own for metrics, the other says of the probes yes or no: it may be public.
 * Throws when it cannot listen.
 */
export function openRoleServer(
  where: Where,
  { answer, probes, log, metrics }: Readonly<{ answer: Fetch; probes: Probes; log: Log; metrics: Metrics }>,
): RoleServer {
  const record = makeRequestRecord({ log, metrics });
  const refuse = (request: Request, problem: Problem, started = performance.now()): Response => {
    const requestId = Bun.randomUUIDv7();
    const { status } = problems[problem.code];
    record({ method: request.method, route: "unmatched", status, ms: performance.now() - started, requestId });
    return problemAnswer(problem, requestId);
  };
  const answerSafely = async (request: Request, peer: Peer): Promise<Response> => {
    const started = performance.now();
    try {
      return await answer(request, peer);
    } catch (error) {
      if (error instanceof Problem) return refuse(request, error, started);
      log.error("request_failed", { error });
      return refuse(request, new Problem("INTERNAL"), started);
    }
  };
  const tell = async (path: string): Promise<Response | null> => {
    if (path === "/healthz") return probeAnswer(probes.unhealthy());
    if (path === "/readyz") return probeAnswer(probes.unready());
    if (path !== "/metrics") return null;
    return new Response(await metrics.text(), { headers: { "content-type": "text/plain; version=0.0.4" } });
  };
  const tellStrangers = async (path: string): Promise<Response | null> => {
    const told = path === "/metrics" ? null : await tell(path);
    return told && new Response(told.ok ? "ok\n" : "not now\n", { status: told.status });
  };
  const listen = (at: Readonly<{ hostname: string; port: number }>, telling: typeof tell, answerRest: Fetch) =>
    Bun.serve({
      hostname: at.hostname,
      port: at.port,
      idleTimeout: idleSeconds,
      // Its own answer to an exception shows source lines and paths to whoever made it happen.
      development: false,
      error: (error) => {
        log.error("request_failed", { error });
        return problemAnswer(new Problem("INTERNAL"), Bun.randomUUIDv7());
      },
      fetch: async (received, bun) => {
        const target = readTarget(received);
        if (target === null) return refuse(received, new Problem("MALFORMED_REQUEST"));
        // Asked at once: of a connection that has ended it is not known any more.
        const peer = { address: bun.requestIP(received)?.address ?? null };
        const response = (await telling(target.path)) ?? (await answerRest(target.request, peer));
        if (received.method === "HEAD") return withoutLength(response);
        return isStream(response) ? keepOpen(response, received, bun) : response;
      },
    });
  const server = listen(where, where.metrics === null ? tell : tellStrangers, answerSafely);
  const nothingElse = (request: Request) => refuse(request, new Problem("NOT_FOUND"));
  const beside = where.metrics;
  const told = beside === null ? server : listenBeside(server, () => listen(beside, tell, nothingElse));
  return {
    url: server.url,
    metricsUrl: told.url,
    drain: () => server.stop(),
    close: async () => void (await Promise.all([server.stop(true), told.stop(true)])),
  };
}

/** A second listener; the first is closed where the second cannot listen. */
function listenBeside<S extends Readonly<{ stop: (now: boolean) => Promise<void> }>>(first: S, listen: () => S): S {
  try {
    return listen();
  } catch (error) {
    void first.stop(true);
    throw error;
  }
}

/** The answer for a problem that comes up where no app is asked. */
function problemAnswer(problem: Problem, requestId: string): Response {
  const { retryAfterSeconds } = problem.extra;
  return new Response(JSON.stringify(problemDocument(problem, requestId)), {
    status: problems[problem.code].status,
    headers: {
      "content-type": "application/problem+json",
      "x-request-id": requestId,
      ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
    },
  });
}

function probeAnswer(failing: readonly string[]): Response {
  return failing.length === 0
    ? new Response("ok\n")
    : new Response(`waiting for: ${failing.join(", ")}\n`, { status: 503 });
}

function isStream({ status, body, headers }: Response): boolean {
  return status === 200 && body !== null && headers.get("content-type")?.startsWith("text/event-stream") === true;
}

/** Bun says `Content-Length: 0` of an answer to HEAD without a body, which is wrong where GET would stream (RFC 9110 §8.6). */
function withoutLength(response: Response): Response {
  const isKnown = response.body !== null || response.headers.has("content-length");
  return isKnown
    ? response
    : new Response(new ReadableStream({ pull: (out) => out.close() }, { highWaterMark: 0 }), response);
}

/**
 * Lets a stream be silent for longer than other answers. The allowance is of the connection, not of the request, so it is given
 * only to a stream that was opened, and the connection ends with it.
 */
function keepOpen(response: Response, received: Request, bun: Bun.Server<undefined>): Response {
  bun.timeout(received, 0);
  response.headers.set("connection", "close");
  return response;
}
