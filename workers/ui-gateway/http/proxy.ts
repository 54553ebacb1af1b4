import { Problem } from "../../../shared/problem.ts";
import { direct } from "../../../shared/http/proxy-for.ts";
import type { Upstream } from "./upstreams.ts";

export type Forward = Readonly<{
  upstream: Upstream;
  request: Request;
  /** Read already, and bounded: so a refused connection can be followed by another. */
  body: string | null;
  /** The credential that was verified, and the only one that is passed on: the role must not read another. */
  token: string;
  /** Set on the way there, over what the client sent. */
  headers: Readonly<Record<string, string>>;
}>;

export type Proxy = (forward: Forward) => Promise<Response>;

/** RFC 9110 §7.6.1: they belong to one connection. Length and encoding are made anew. */
const ownToConnection = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "host",
  "content-length",
  "accept-encoding",
];

/** What a client says of who it is and where it comes from; the gateway sets its own. */
const saidOfItself = /^(authorization|cookie|forwarded|x-forwarded-.*)$/;

/**
 * Passes requests on to the role's addresses in turn and answers with what it says, its body streamed. Where nobody
 * listens the next address is tried at once: nothing was sent. When a connection breaks later, only what may be sent
 * twice (reads, and writes with an idempotency key) goes to the next. Rejects with UNAVAILABLE when none answers within
 * `timeoutMs`, and with the reason of the request's signal when its client has left: what was asked of the role ends
 * then too.
 */
export function makeProxy(
  urls: Readonly<Record<Upstream, readonly string[]>>,
  { timeoutMs, send = fetch }: { timeoutMs: number; send?: typeof fetch },
): Proxy {
  const turns = new Map<Upstream, number>();
  return async ({ upstream, request, body, token, headers: set }) => {
    // It may have left while it was authenticated; the event is not repeated.
    request.signal.throwIfAborted();
    const addresses = urls[upstream];
    const turn = turns.get(upstream) ?? 0;
    turns.set(upstream, (turn + 1) % Math.max(1, addresses.length));
    const { pathname, search } = new URL(request.url);
    const headers = forwardedHeaders(request.headers, { ...set, authorization: `Bearer ${token}` });
    // By what the role will read: a client may name its own key in Connection.
    const isRepeatable = ["GET", "HEAD"].includes(request.method) || headers.has("idempotency-key");
    const cutOff = new AbortController();
    const { signal } = cutOff;
    // A timer that is cleared: AbortSignal.timeout keeps each request's signals until it fires.
    const timer = setTimeout(() => cutOff.abort(), timeoutMs);
    const leave = () => cutOff.abort();
    request.signal.addEventListener("abort", leave);
    let cause: unknown = null;
    for (let i = 0; i < addresses.length; i++) {
      const address = addresses[(turn + i) % addresses.length] ?? "";
      try {
        const response = await send(targetOf(address, pathname, search), {
          method: request.method,
          headers,
          body,
          redirect: "manual",
          signal,
          ...direct,
        });
        clearTimeout(timer);
        return new Response(response.body, { status: response.status, headers: withoutOwn(response.headers) });
      } catch (error) {
        cause = error;
        if (signal.aborted || !(isRepeatable || isRefused(error))) break;
      }
    }
    clearTimeout(timer);
    request.signal.removeEventListener("abort", leave);
    request.signal.throwIfAborted();
    throw new Problem("UNAVAILABLE", `${upstream} does not answer`, { retryAfterSeconds: 1, cause });
  };
}

/** Set as parts, so that no path can lead to another host. */
function targetOf(address: string, pathname: string, search: string): URL {
  const target = new URL(address);
  target.pathname = pathname;
  target.search = search;
  return target;
}

function forwardedHeaders(from: Headers, set: Readonly<Record<string, string>>): Headers {
  const headers = withoutOwn(from);
  const said = [...headers.keys()].filter((name) => saidOfItself.test(name));
  for (const name of said) headers.delete(name);
  // Answers are passed on as they are; compressing between our own processes costs more than it saves.
  headers.set("accept-encoding", "identity");
  for (const [name, value] of Object.entries(set)) headers.set(name, value);
  return headers;
}

/** The headers that are of the message, not of the connection it came by. */
export function withoutOwn(from: Headers): Headers {
  const headers = new Headers(from);
  const named = (from.get("connection") ?? "").split(",").map((name) => name.trim().toLowerCase());
  for (const name of [...ownToConnection, ...named.filter((name) => /^[\w-]+$/.test(name))]) headers.delete(name);
  return headers;
}

/** Bun says ConnectionRefused, Node wraps ECONNREFUSED. */
function isRefused(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 3) return false;
  const code = "code" in error ? error.code : null;
  return code === "ConnectionRefused" || code === "ECONNREFUSED" || isRefused(error.cause, depth + 1);
}
