import { connect, createServer, type Socket } from "node:net";

/** A TCP address that leads to one server after another, as a name that fails over does. */
export type SwitchingProxy = AsyncDisposable &
  Readonly<{
    port: number;
    /** Cuts every connection; new ones go there. `null`: they are closed at once. */
    lead: (to: number | null) => void;
  }>;

export async function openSwitchingProxy(to: number): Promise<SwitchingProxy> {
  let target: number | null = to;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    open.add(client);
    client.on("error", () => {});
    client.on("close", () => open.delete(client));
    if (target === null) {
      client.destroy();
      return;
    }
    const upstream = connect(target, "127.0.0.1");
    client.on("close", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
    upstream.on("close", () => client.destroy());
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: address.port,
    lead: (next) => {
      target = next;
      cut();
    },
    [Symbol.asyncDispose]: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
