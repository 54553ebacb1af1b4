import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createConnection } from "node:net";
import { findDebianProgram, type Program } from "./debian-program.ts";
import { freePort } from "./own-redis.ts";
import { until } from "./until.ts";

/** The one on PATH, else Debian's; `null` where there is neither. */
export const findPgBouncer = (): Program | null =>
  findDebianProgram("pgbouncer", { at: "usr/sbin/pgbouncer", packages: ["pgbouncer", "libc-ares2"] });

/** In transaction mode before a Postgres, with one server connection for each two clients; its URL. */
export async function startPgBouncer(
  { program, env }: Program,
  { databaseUrl, more = [] }: Readonly<{ databaseUrl: string; more?: readonly string[] }>,
): Promise<AsyncDisposable & Readonly<{ url: string }>> {
  const target = new URL(databaseUrl);
  const directory = mkdtempSync(join(tmpdir(), "taskwire-pgbouncer-"));
  const port = await freePort();
  const name = target.pathname.slice(1);
  const password = target.password === "" ? "" : ` password=${decodeURIComponent(target.password)}`;
  const lines = [
    "[databases]",
    `${name} = host=${target.hostname} port=${target.port || 5432} dbname=${name} user=${target.username}${password}`,
    "[pgbouncer]",
    "listen_addr = 127.0.0.1",
    `listen_port = ${port}`,
    "auth_type = any",
    "pool_mode = transaction",
    "default_pool_size = 4",
    "unix_socket_dir =",
    ...more,
  ];
  const file = join(directory, "pgbouncer.ini");
  writeFileSync(file, lines.join("\n"));
  const asRoot = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  if (asRoot.length > 0) Bun.spawnSync(["chmod", "-R", "a+rX", directory]);
  const child = Bun.spawn([program, "-q", ...asRoot, file], {
    env: { ...process.env, ...env },
    stdout: "ignore",
    stderr: "pipe",
  });
  await until("PgBouncer listens", () => listens(port));
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${port}`;
  return {
    url: url.href,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
