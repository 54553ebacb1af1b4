import { defaultBodyLimits, readBytes } from "../../shared/http/body.ts";
import { problemAnswer } from "../../shared/http/problem-answer.ts";
import { proxyFor } from "../../shared/http/proxy-for.ts";
import { Problem } from "../../shared/problem.ts";
import { uuidV7 } from "../../shared/uuid.ts";
import { withoutOwn } from "./http/proxy.ts";

/** Answers a request; `address`: where its connection comes from, where the runtime tells it. */
export type Edge = (request: Request, address?: string | null) => Promise<Response>;

/**
 * Passes every request on to a gateway at `origin` and answers with what it says, bodies and streams piece by piece as
 * they come. Web standards alone, no connection but `send`: it runs where there is no raw TCP. It keeps nothing and
 * decides nothing: who may what is the gateway's to say, which believes `X-Forwarded-For` only as far as its
 * RATE_TRUSTED_PROXIES goes. A client that leaves ends the request to the gateway with it. Answers UNAVAILABLE where
 * the gateway cannot be reached.
 */
export function makeEdge(origin: string, send: typeof fetch = fetch): Edge {
  return async (request, address = null) => {
    const asked = new URL(request.url);
    // Set as parts, so that no path can lead to another host.
    const target = new URL(origin);
    target.pathname = asked.pathname;
    target.search = asked.search;
    const headers = withoutOwn(request.headers);
    // What is compressed would be unpacked on its way through `fetch`, and its tag would name other bytes.
    headers.set("accept-encoding", "identity");
    headers.set("x-forwarded-host", request.headers.get("host") ?? asked.host);
    if (!headers.has("x-forwarded-proto")) headers.set("x-forwarded-proto", asked.protocol.slice(0, -1));
    if (address !== null)
      headers.set("x-forwarded-for", [headers.get("x-forwarded-for"), address].filter(Boolean).join(", "));
    const { method, signal } = request;
    try {
      const hasBody = method !== "GET" && method !== "HEAD" && request.body !== null;
      const body = hasBody ? await readBytes(request, defaultBodyLimits.bytes) : null;
      const answer = await send(target, { method, headers, body, redirect: "manual", signal, ...proxyFor(target) });
      return new Response(answer.body, { status: answer.status, headers: withoutOwn(answer.headers) });
    } catch (cause) {
      signal.throwIfAborted();
      const problem = new Problem("UNAVAILABLE", "The gateway does not answer", { retryAfterSeconds: 1, cause });
      return problemAnswer(cause instanceof Problem ? cause : problem, uuidV7());
    }
  };
}
