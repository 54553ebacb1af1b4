import { connect, createServer, type Socket } from "node:net";

/**
 * A way to a Kafka broker that can be cut as a dropped packet cuts it: while silent, connections are taken and nothing
 * on them is ever answered, not later either. Those made otherwise lead to the broker. Clients go on at the address the
 * broker names.
 */
export type Silence = AsyncDisposable &
  Readonly<{
    address: string;
    set: (silent: boolean) => void;
    /** Connections made in silence. */
    connections: () => number;
  }>;

export async function openSilence(brokers: string): Promise<Silence> {
  const [host = "", port = ""] = brokers.split(",")[0]?.split(":") ?? [];
  const open = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy());
    return socket;
  };
  let silent = false;
  let made = 0;
  const server = createServer((socket) => {
    keep(socket);
    if (silent) {
      made += 1;
      socket.resume();
      return;
    }
    const onward = keep(connect(Number(port), host));
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("the server has no port");
  return {
    address: `127.0.0.1:${bound.port}`,
    set: (now) => {
      silent = now;
    },
    connections: () => made,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
