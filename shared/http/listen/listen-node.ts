import { createServer, type IncomingMessage } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { idleSeconds, type HttpListener, type ListenOptions } from "./listener.ts";

/** Rejects when it cannot listen. */
export async function listenWithNode({ hostname, port, answer, refuse }: ListenOptions): Promise<HttpListener> {
  const handle = getRequestListener(
    async (request, { incoming }) => {
      const message = incoming as IncomingMessage;
      const { socket } = message;
      const connection = { address: socket.remoteAddress ?? null, keepOpen: () => void socket.setTimeout(0) };
      const response = await answer(request, connection);
      if (!message.complete && !(await readRest(request))) response.headers.set("connection", "close");
      return response;
    },
    // The adapter would cut the connection of a body that is not read after half a second, answer or not.
    { hostname: "localhost", errorHandler: refuse, overrideGlobalObjects: false, autoCleanupIncoming: false },
  );
  const server = createServer(
    { keepAliveTimeout: idleSeconds * 1000, requireHostHeader: false },
    (incoming, outgoing) => void handle(incoming, outgoing),
  );
  server.setTimeout(idleSeconds * 1000);
  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(port, hostname, resolve);
  await listening;
  const address = server.address();
  const taken = typeof address === "object" && address !== null ? address.port : port;
  const closed = new Promise<void>((settle) => server.once("close", settle));
  return {
    url: new URL(`http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${taken}/`),
    drain: () => {
      server.close();
      return closed;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
      return closed;
    },
  };
}

/** What is read at most of a body that was refused, and for how long; then the connection is cut. */
const rest = { bytes: 4 * 1024 * 1024, ms: 5_000 } as const;

/**
 * Reads what nobody has read of a body before its answer is sent. Clients that hear of the answer while they send
 * (Bun's `fetch`) use the connection again, and what they ask next would be taken for the rest of the body. False where
 * that could still happen.
 */
async function readRest({ method, body, bodyUsed }: Request): Promise<boolean> {
  if (method === "GET" || method === "HEAD" || body === null) return true;
  // Begun and left.
  if (bodyUsed || body.locked) return false;
  const reader = body.getReader();
  let isLeft = false;
  const give = () => {
    isLeft = true;
    reader.cancel().catch(() => {}); // it is cut off either way
  };
  const timer = setTimeout(give, rest.ms);
  try {
    for (let left: number = rest.bytes; left > 0;) {
      const { done, value } = await reader.read();
      if (done) return !isLeft;
      left -= value.byteLength;
    }
    give();
    return false;
  } catch {
    return false; // It has left; there is nobody to answer.
  } finally {
    clearTimeout(timer);
  }
}
