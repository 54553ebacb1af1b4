import { connect, createServer } from "node:net";

/** True when something accepts connections on 127.0.0.1:`port`. */
export function isListening(port: number, timeoutMs = 500): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => settle(false));
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}

/** True when a server could listen on 127.0.0.1:`port` now. A listener on 0.0.0.0 counts as taken on every system. */
export async function isFree(port: number): Promise<boolean> {
  if (await isListening(port)) return false;
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1" }, () => server.close(() => resolve(true)));
  });
}

/**
 * The first free port of: those `preferred`, in order, then the ones following the last of them. Ports in `taken` are
 * passed over, which keeps two parts of one run apart before either listens.
 */
export async function choosePort(
  preferred: readonly number[],
  taken: ReadonlySet<number> = new Set(),
): Promise<number> {
  const last = preferred.at(-1) ?? 20_000;
  const candidates = [...preferred, ...Array.from({ length: 200 }, (_, index) => last + 1 + index)];
  for (const port of candidates) if (port < 65_536 && !taken.has(port) && (await isFree(port))) return port;
  throw new Error(
    `No free port among ${preferred.join(", ")} and the 200 after ${last}. Stop what holds them, or set PORT.`,
  );
}
