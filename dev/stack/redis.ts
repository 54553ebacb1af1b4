import { mkdirSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { launch, untilReady, type LaunchedProcess } from "./launch.ts";
import { missingError } from "./missing.ts";

type RedisOptions = Readonly<{
  binary: string;
  directory: string;
  port: number;
  logFile: string;
  recordsDirectory: string;
}>;

/** A Redis or Valkey server on PATH; else the one for this platform among those in the folder that Maven filled. */
export function findRedis(folder: () => Promise<string>): Promise<string> {
  const onPath = Bun.which("redis-server") ?? Bun.which("valkey-server");
  return onPath === null ? folder().then(pickForPlatform) : Promise.resolve(onPath);
}

function pickForPlatform(folder: string): string {
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const name = readdirSync(folder).find((file) => file.endsWith(`-${process.platform}-${architecture}`));
  if (name !== undefined) return join(folder, name);
  throw missingError({
    what: "A Redis server",
    why: `there is none on PATH and none for ${process.platform} ${architecture} among the fetched ones`,
    how: "install redis or valkey, or set REDIS_URL",
  });
}

/** Starts Redis with an append-only file and without eviction: a job that Redis may forget would fire late or never. */
export async function startRedis(options: RedisOptions): Promise<LaunchedProcess> {
  const { binary, directory, port } = options;
  mkdirSync(directory, { recursive: true });
  const settings = {
    port: String(port),
    bind: "127.0.0.1",
    dir: directory,
    appendonly: "yes",
    "maxmemory-policy": "noeviction",
    save: "",
    hz: "500", // delayed jobs are promoted by a timer of Redis; at the default 10 they are 50 ms late
    daemonize: "no",
  };
  const redis = launch({
    name: "redis",
    command: [binary, ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])],
    cwd: directory,
    env: { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" },
    logFile: options.logFile,
    recordsDirectory: options.recordsDirectory,
  });
  // INFO names the process that answers, so another Redis on the same port is not taken for ours.
  const answers = async () => {
    const information = await ask({ port, command: "INFO server\r\nPING\r\n", until: "+PONG" });
    return information.includes(`process_id:${redis.pid}\r\n`);
  };
  return untilReady(redis, { what: "Redis", answers });
}

/** Sends inline commands and resolves with what came back up to `until`. Rejects on an error reply or after 2 s. */
function ask({
  port,
  host = "127.0.0.1",
  command,
  until,
}: Readonly<{ port: number; host?: string; command: string; until: string }>): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port }, () => socket.write(command));
    let received = "";
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(2_000, () => fail(new Error("Redis did not answer within 2 s")));
    socket.once("error", fail);
    socket.once("close", () => reject(new Error("Redis closed the connection")));
    socket.on("data", (chunk) => {
      received += chunk.toString();
      if (received.startsWith("-")) return fail(new Error(received.trim()));
      if (!received.includes(until)) return;
      resolve(received);
      socket.destroy();
    });
  });
}
