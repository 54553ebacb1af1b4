import { useListen } from "../../shared/http/listen/listen.ts";
import { withoutLength } from "../../shared/http/listen/without-length.ts";
import type { AnswerRequest, Listen } from "../../shared/http/listen/listener.ts";

/** What a runtime that listens by itself says of a request beside it: Deno does, others do not. */
type RequestInfo = Readonly<{ remoteAddr?: Readonly<{ hostname?: string }> }>;

/**
 * Makes a `fetch` for a runtime that listens by itself, such as `deno serve`: the role of this process answers it in
 * place of listening. Call it before the role is loaded. Requests that come before the role is there wait for it. The
 * role's place for metrics, where it has one of its own, is listened at as ever.
 */
export function serveElsewhere(listenBeside: Listen): (request: Request, info?: RequestInfo) => Promise<Response> {
  const { promise: answering, resolve } = Promise.withResolvers<AnswerRequest>();
  let isGiven = false;
  useListen((options) => {
    if (isGiven) return listenBeside(options);
    isGiven = true;
    resolve(options.answer);
    const url = new URL(`http://${options.hostname}:${options.port}/`);
    // The runtime closes connections, and ends the process when it is told to stop.
    return Promise.resolve({ url, drain: () => Promise.resolve(), close: () => Promise.resolve() });
  });
  return async (request, info) => {
    const answer = await answering;
    const response = await answer(request, { address: info?.remoteAddr?.hostname ?? null, keepOpen: () => {} });
    return request.method === "HEAD" ? withoutLength(response) : response;
  };
}
