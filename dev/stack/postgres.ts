import { spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { launch, untilReady, type Launched } from "./launch.ts";
import { isListening } from "./ports.ts";
import { postgresBinaries, runsAsRoot, unprivilegedUid } from "./postgres-binaries.ts";
import { identify } from "./process-identity.ts";
import { stopProcess } from "./stop-process.ts";

export type PostgresOptions = Readonly<{
  checkout: string;
  /** Holds the data directory `data`; made when absent. */
  directory: string;
  port: number;
  logFile: string;
  recordsDirectory: string;
  maxConnections?: number;
}>;

const environment = { LC_ALL: "C", TZ: "UTC", PATH: process.env["PATH"] };

/** Starts Postgres with durable commits on 127.0.0.1 (user `postgres`, no password) and returns once it accepts connections. */
export async function startPostgres(options: PostgresOptions): Promise<Launched> {
  const binaries = postgresBinaries(options.checkout);
  const uid = runsAsRoot() ? unprivilegedUid : undefined;
  const data = join(options.directory, "data");
  if (!existsSync(data)) initialise({ binaries, data, uid });
  await clearStalePid(data);
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: String(options.maxConnections ?? 300),
    wal_level: "logical",
    log_min_messages: "warning",
    log_line_prefix: "%m [%p] ",
    // Idle sessions of killed roles would hold their locks until TCP notices; on one machine ten seconds are plenty.
    tcp_keepalives_idle: "10",
  };
  const postgres = launch({
    name: "postgres",
    command: [join(binaries, "bin", "postgres"), "-D", data, "-p", String(options.port), ...flags(settings)],
    cwd: "/",
    env: environment,
    logFile: options.logFile,
    recordsDirectory: options.recordsDirectory,
    stopSignal: "SIGINT", // fast shutdown: sessions are ended, a checkpoint is written
    uid,
  });
  const answers = async () => isReady(data, postgres.pid) && (await isListening(options.port));
  return untilReady(postgres, { what: "Postgres", answers });
}

/** initdb works in a folder of its own, renamed when complete: a run killed half-way leaves no half-made cluster. */
function initialise({
  binaries,
  data,
  uid,
}: Readonly<{ binaries: string; data: string; uid: number | undefined }>): void {
  const unfinished = `${data}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(dirname(data), { recursive: true });
  mkdirSync(unfinished, { mode: 0o700 });
  if (uid !== undefined) chownSync(unfinished, uid, uid);
  const { status, error, stderr } = spawnSync(
    join(binaries, "bin", "initdb"),
    ["-D", unfinished, "-U", "postgres", "-A", "trust", "--encoding=UTF8", "--locale=C", "--no-instructions"],
    { cwd: "/", env: environment, encoding: "utf8", ...(uid === undefined ? {} : { uid, gid: uid }) },
  );
  if (status !== 0) throw new Error(`initdb failed (${error?.message ?? `exit code ${status}`}):\n${stderr}`);
  renameSync(unfinished, data);
}

/**
 * After a kill -9 the pid file stays, and its pid may by now belong to any program: Postgres would refuse to start.
 * The caller holds this state directory alone, so a postmaster still living on it is a leftover and is stopped.
 */
async function clearStalePid(data: string): Promise<void> {
  const pid = Number(readPidFile(data)?.[0]);
  const identity = Number.isInteger(pid) && pid > 0 ? identify(pid) : undefined;
  if (identity !== undefined && runsOn(pid, data)) await stopProcess(identity, { signal: "SIGINT" });
  rmSync(join(data, "postmaster.pid"), { force: true });
}

function runsOn(pid: number, data: string): boolean {
  const { stdout } = spawnSync("ps", ["-ww", "-o", "args=", "-p", String(pid)], { encoding: "utf8" });
  return (stdout ?? "").includes(data);
}

/** Line 1 of the pid file is the postmaster's pid, line 8 its state; so the answer is about ours and no other server. */
function isReady(data: string, pid: number): boolean {
  const lines = readPidFile(data);
  return Number(lines?.[0]) === pid && lines?.[7]?.trim() === "ready";
}

function readPidFile(data: string): readonly string[] | undefined {
  try {
    return readFileSync(join(data, "postmaster.pid"), "utf8").split("\n");
  } catch {
    return undefined;
  }
}

const flags = (settings: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
