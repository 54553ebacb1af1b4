import { withoutLength } from "./without-length.ts";
import { idleSeconds, type HttpListener, type ListenOptions } from "./listener.ts";

/** Throws when it cannot listen. */
export function listenWithBun({ hostname, port, answer, refuse }: ListenOptions): HttpListener {
  const server = Bun.serve({
    hostname,
    port,
    idleTimeout: idleSeconds,
    // Its own answer to an exception shows source lines and paths to whoever made it happen.
    development: false,
    error: refuse,
    fetch: async (request, bun) => {
      // Asked at once: of a connection that has ended it is not known any more.
      const address = bun.requestIP(request)?.address ?? null;
      const response = await answer(request, { address, keepOpen: () => bun.timeout(request, 0) });
      return request.method === "HEAD" ? withoutLength(response) : response;
    },
  });
  return { url: server.url, drain: () => server.stop(), close: () => server.stop(true) };
}
