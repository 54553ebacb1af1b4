import { chownSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { launch, untilReady, type LaunchedProcess } from "../../dev/stack/launch.ts";
import { openPortClaims } from "../../dev/stack/ports.ts";
import { postgresBinaries, runsAsRoot, unprivilegedUid } from "../../dev/stack/postgres-binaries.ts";
import { ensureDatabase } from "../../dev/stack/postgres.ts";
import { runCommand } from "../../dev/stack/run-command.ts";
import { ownRecords } from "./own-records.ts";

/** Where a server keeps its data, and what it is called in its folder. */
type DataDirectory = Readonly<{ path: string }>;

/**
 * Postgres servers that belong together: one primary, copies of it, replicas. All listen on 127.0.0.1 as `postgres`.
 */
type PostgresServers = AsyncDisposable &
  Readonly<{
    /** A cluster with the database `taskwire` in it. */
    create: () => Promise<DataDirectory>;
    /** Starts a server on a directory; resolves when it answers. */
    start: (data: DataDirectory, settings?: Readonly<Record<string, string>>) => Promise<PostgresServer>;
    /** A base backup of a server that runs, as `pg_basebackup` makes it; no server runs on it yet. */
    backUp: (server: PostgresServer) => Promise<DataDirectory>;
    /** Makes a backup one that recovers when it is started: a replica, or a database as it was at some time. */
    recovering: (data: DataDirectory, how: "standby" | "recovery", settings: Readonly<Record<string, string>>) => void;
    /** A folder of the server's own user. */
    folder: (name: string) => string;
  }>;

export type PostgresServer = Readonly<{
  port: number;
  url: string;
  data: DataDirectory;
  /** Runs one statement as superuser, on the database `taskwire` unless another is named. */
  run: <T extends object = Record<string, unknown>>(statement: string, database?: string) => Promise<readonly T[]>;
  /** `immediate` is a crash: nothing is written any more. */
  stop: (how?: "fast" | "immediate") => Promise<void>;
}>;

const checkout = join(import.meta.dir, "../..");
const environment = { LC_ALL: "C", TZ: "UTC", PATH: process.env["PATH"] };

export function openPostgresServers(): PostgresServers {
  const root = mkdtempSync(join(runsAsRoot() ? "/var/tmp" : tmpdir(), "taskwire-servers-"));
  const uid = runsAsRoot() ? unprivilegedUid : undefined;
  if (uid !== undefined) chownSync(root, uid, uid);
  const { recordsDirectory, release } = ownRecords(root);
  const binaries = postgresBinaries(checkout);
  const claims = openPortClaims();
  const running = new Set<LaunchedProcess>();
  let made = 0;
  const own = (path: string) => {
    if (uid !== undefined) chownSync(path, uid, uid);
  };
  const folder = (name: string) => {
    const path = join(root, `${name}-${++made}`);
    mkdirSync(path, { mode: 0o700 });
    own(path);
    return path;
  };
  return {
    folder,
    create: async () => {
      const path = folder("data");
      const flags = ["-U", "postgres", "-A", "trust", "--encoding=UTF8", "--locale=C", "--no-instructions"];
      const { ended, output } = await runCommand({
        command: [join(binaries, "bin", "initdb"), "-D", path, ...flags],
        cwd: "/",
        env: environment,
        uid,
        record: { name: "initdb", directory: recordsDirectory },
      });
      if (ended !== 0) throw new Error(`initdb failed (${ended}):\n${output}`);
      return { path };
    },
    start: async (data, settings = {}) => {
      const port = await claims.choose([30_000 + Math.floor(Math.random() * 2_000)]);
      const all = {
        listen_addresses: "127.0.0.1",
        unix_socket_directories: "",
        max_connections: "200",
        // What is asked for is speed: no machine is switched off here, and a lost replica is the subject.
        fsync: "off",
        log_min_messages: "warning",
        ...settings,
      };
      const flags = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
      const server = launch({
        name: `postgres-${port}`,
        command: [join(binaries, "bin", "postgres"), "-D", data.path, "-p", String(port), ...flags],
        cwd: "/",
        env: environment,
        logFile: join(root, `${port}.log`),
        recordsDirectory,
        stopSignal: "SIGINT",
        uid,
      });
      running.add(server);
      const url = `postgres://postgres@127.0.0.1:${port}/taskwire`;
      const ask = async <T>(database: string, statement: string) => {
        const sql = postgres(`postgres://postgres@127.0.0.1:${port}/${database}`, {
          max: 1,
          onnotice: () => {},
          fetch_types: false,
        });
        try {
          return (await sql.unsafe(statement)) as unknown as readonly T[];
        } finally {
          await sql.end({ timeout: 1 });
        }
      };
      await untilReady(server, {
        what: "Postgres",
        answers: async () => (await ask("postgres", "select 1")).length === 1,
      });
      const [state] = await ask<{ replica: boolean }>("postgres", "select pg_is_in_recovery() as replica");
      if (state?.replica === false) await ensureDatabase(port, "taskwire");
      return {
        port,
        url,
        data,
        run: (statement, database = "taskwire") => ask(database, statement),
        stop: async (how = "fast") => {
          if (how === "immediate") process.kill(server.pid, "SIGQUIT");
          else await server.stop();
          await server.exited;
          running.delete(server);
        },
      };
    },
    backUp: async (server) => {
      const path = folder("backup");
      const sql = postgres(server.url, { max: 1, onnotice: () => {} });
      try {
        await sql`select pg_backup_start('test', true)`;
        copyLive(server.data.path, path);
        const [stopped] = await sql<{ labelfile: string }[]>`select labelfile from pg_backup_stop(false)`;
        writeFileSync(join(path, "backup_label"), stopped?.labelfile ?? "");
        // What was written while it was copied is in the segments of now.
        copyLive(join(server.data.path, "pg_wal"), join(path, "pg_wal"));
      } finally {
        await sql.end();
      }
      if (uid !== undefined) Bun.spawnSync(["chown", "-R", `${uid}:${uid}`, path]);
      return { path };
    },
    recovering: ({ path }, how, settings) => {
      writeFileSync(join(path, `${how}.signal`), "");
      const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'`);
      writeFileSync(join(path, "postgresql.auto.conf"), `${lines.join("\n")}\n`);
      for (const name of [`${how}.signal`, "postgresql.auto.conf"]) own(join(path, name));
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...running].map((server) => server.stop(3_000)));
      release();
      claims.release();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** What a base backup leaves out: the server's own state, and what its archiver has still to do. */
const leftOut = /^(postmaster\.(pid|opts)|(pg_replslot|pg_stat_tmp|archive_status)\/.*)$/;

/**
 * Copies a directory that a server writes to. A file that is gone when its turn comes was of no use to the server
 * either.
 */
function copyLive(from: string, to: string, folder = ""): void {
  mkdirSync(to, { recursive: true, mode: 0o700 });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (leftOut.test(`${folder}${entry.name}`)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    try {
      if (entry.isDirectory()) copyLive(source, target, `${entry.name}/`);
      else copyFileSync(source, target);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
  }
}
