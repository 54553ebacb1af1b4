import { withoutLength } from "./without-length.ts";
import type { HttpListener, ListenOptions } from "./listener.ts";

/** What is used of Deno; its types are not at hand where Bun's are. */
type DenoServer = Readonly<{
  addr: Readonly<{ port: number }>;
  shutdown: () => Promise<void>;
  finished: Promise<void>;
}>;
type ServeOptions = Readonly<{
  hostname: string;
  port: number;
  signal: AbortSignal;
  onListen: () => void;
  onError: (error: unknown) => Response;
}>;
type ServeHandler = (
  request: Request,
  info: Readonly<{ remoteAddr: Readonly<{ hostname?: string }> }>,
) => Promise<Response>;
type DenoRuntime = Readonly<{ serve: (options: ServeOptions, handler: ServeHandler) => DenoServer }>;

/** Throws when it cannot listen. Deno closes no connection that is idle for long: what stands in front must. */
export function listenWithDeno({ hostname, port, answer, refuse }: ListenOptions): HttpListener {
  const { Deno } = globalThis as typeof globalThis & { Deno: DenoRuntime };
  const end = new AbortController();
  const server = Deno.serve(
    { hostname, port, signal: end.signal, onListen: () => {}, onError: refuse },
    async (request, { remoteAddr }) => {
      const response = await answer(request, { address: remoteAddr.hostname ?? null, keepOpen: () => {} });
      return request.method === "HEAD" ? withoutLength(response) : response;
    },
  );
  let isOver = false;
  return {
    url: new URL(`http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${server.addr.port}/`),
    drain: async () => {
      await server.shutdown();
      isOver = true;
    },
    close: async () => {
      // Of a server that has shut down Deno throws it, where nobody can catch it.
      if (!isOver) end.abort();
      await server.finished;
    },
  };
}
