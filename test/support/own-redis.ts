import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.ts";

/** A Redis server of a test's own, for what would hurt its neighbours: flushing, killing, restoring. */
export type OwnRedis = AsyncDisposable &
  Readonly<{
    url: string;
    /** One command, answered as redis-cli would get it. */
    send: (command: string, ...args: string[]) => Promise<unknown>;
    start: () => Promise<void>;
    /** SIGKILL. */
    kill: () => Promise<void>;
    /** SIGSTOP: connections stay open and nothing answers, as behind a cut network. */
    freeze: () => void;
    thaw: () => void;
    /** What it would start from: the folder of its snapshot and append-only file. */
    directory: string;
  }>;

/** The program of the stack's own Redis, as that tells it; `null` where the server is not a local one. */
export async function redisProgram(url: string | undefined): Promise<string | null> {
  const onPath = Bun.which("redis-server") ?? Bun.which("valkey-server");
  if (onPath !== null || url === undefined) return onPath;
  using redis = openClient(url);
  const program = /^executable:(\S+)/m.exec(String(await redis.send("INFO", ["server"])))?.[1];
  return program !== undefined && existsSync(program) ? program : null;
}

export async function ownRedis(program: string, settings: Readonly<Record<string, string>> = {}): Promise<OwnRedis> {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), "taskwire-redis-"));
  const url = `redis://127.0.0.1:${port}`;
  const all = {
    port: String(port),
    bind: "127.0.0.1",
    dir: directory,
    hz: "500",
    "maxmemory-policy": "noeviction",
    save: "",
    loglevel: "warning",
    ...settings,
  };
  let server: Bun.Subprocess | null = null;
  const send: OwnRedis["send"] = async (command, ...args) => {
    using redis = openClient(url);
    return await redis.send(command, args);
  };
  const kill = async () => {
    server?.kill("SIGKILL");
    await server?.exited;
    server = null;
  };
  const start = async () => {
    server = Bun.spawn([program, ...Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])], {
      cwd: directory,
      stdout: "ignore",
      stderr: "ignore",
    });
    await until("Redis answers", () =>
      send("PING").then(
        () => true,
        () => false,
      ),
    );
  };
  await start();
  return {
    url,
    send,
    start,
    kill,
    freeze: () => void server?.kill("SIGSTOP"),
    thaw: () => void server?.kill("SIGCONT"),
    directory,
    [Symbol.asyncDispose]: async () => {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function openClient(url: string) {
  const redis = new Bun.RedisClient(url, { autoReconnect: false, connectionTimeout: 5_000 });
  return Object.assign(redis, { [Symbol.dispose]: () => redis.close() });
}

/** A port nobody listened on a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === "object" ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
