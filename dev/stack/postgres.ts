import { spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { launch, untilReady, type LaunchedProcess } from "./launch.ts";
import { isListening } from "./ports.ts";
import { postgresBinaries, runsAsRoot, unprivilegedUid } from "./postgres-binaries.ts";
import { identify } from "./process-identity.ts";
import { runCommand } from "./run-command.ts";
import { stopProcess } from "./stop-process.ts";

type PostgresOptions = Readonly<{
  checkout: string;
  /** Holds the data directory `data`; made when absent. */
  directory: string;
  port: number;
  logFile: string;
  recordsDirectory: string;
  maxConnections?: number;
  /** Created when it is not there. */
  database: string;
}>;

const environment = { LC_ALL: "C", TZ: "UTC", PATH: process.env["PATH"] };

/**
 * Starts Postgres with durable commits on 127.0.0.1 (user `postgres`, no password) and returns once it accepts
 * connections.
 */
export async function startPostgres(options: PostgresOptions): Promise<LaunchedProcess> {
  const binaries = postgresBinaries(options.checkout);
  const uid = runsAsRoot() ? unprivilegedUid : undefined;
  const data = join(options.directory, "data");
  if (!existsSync(data)) await initialise({ binaries, data, uid, recordsDirectory: options.recordsDirectory });
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
  await untilReady(postgres, { what: "Postgres", answers });
  await ensureDatabase(options.port, options.database);
  return postgres;
}

/** Creates a database on a Postgres of ours when it is not there yet. */
export async function ensureDatabase(port: number, name: string): Promise<void> {
  const sql = new Bun.SQL(`postgres://postgres@127.0.0.1:${port}/postgres`, { max: 1 });
  try {
    const existing = await sql`select 1 from pg_database where datname = ${name}`;
    if (existing.length === 0) await sql.unsafe(`create database "${name}"`);
  } finally {
    await sql.close();
  }
}

/** initdb works in a folder of its own, renamed when complete: a run killed half-way leaves no half-made cluster. */
async function initialise({
  binaries,
  data,
  uid,
  recordsDirectory,
}: Readonly<{ binaries: string; data: string; uid: number | undefined; recordsDirectory: string }>): Promise<void> {
  const unfinished = `${data}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  mkdirSync(dirname(data), { recursive: true });
  mkdirSync(unfinished, { mode: 0o700 });
  if (uid !== undefined) chownSync(unfinished, uid, uid);
  const initdb = join(binaries, "bin", "initdb");
  const flags = ["-U", "postgres", "-A", "trust", "--encoding=UTF8", "--locale=C", "--no-instructions"];
  const { ended, output } = await runCommand({
    command: [initdb, "-D", unfinished, ...flags],
    cwd: "/",
    env: environment,
    uid,
    record: { name: "initdb", directory: recordsDirectory },
  });
  if (ended !== 0) throw new Error(`initdb failed (${ended}):\n${output}`);
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

/**
 * Line 1 of the pid file is the postmaster's pid, line 8 its state; so the answer is about ours and no other server.
 */
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
