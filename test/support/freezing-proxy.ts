import { connect, createServer, type Socket } from "node:net";

type FreezingProxy = AsyncDisposable &
  Readonly<{
    url: string;
    /**
     * From now on nothing goes through, and nothing is closed: every connection there is stays dead for ever, new ones
     * too.
     */
    freeze: () => void;
    /** New connections work again; the old ones stay as dead as they are. */
    thaw: () => void;
  }>;

type Pair = { sockets: readonly Socket[]; isDead: boolean };

/** A TCP proxy before an address that can turn into a black hole, as a VPN, a sleeping NAT or a pulled cable is one. */
export async function openFreezingProxy(target: string): Promise<FreezingProxy> {
  const { hostname, port } = new URL(target);
  const pairs = new Set<Pair>();
  let isFrozen = false;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    const pair: Pair = { sockets: [client, upstream], isDead: isFrozen };
    pairs.add(pair);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on("data", (bytes) => void (pair.isDead || to.write(bytes)));
      from.on("error", () => {});
      from.on("close", () => {
        if (pair.isDead) return;
        pairs.delete(pair);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    freeze: () => {
      isFrozen = true;
      for (const pair of pairs) pair.isDead = true;
    },
    thaw: () => {
      isFrozen = false;
    },
    [Symbol.asyncDispose]: async () => {
      for (const { sockets } of pairs) for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
