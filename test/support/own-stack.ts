import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findJava } from "../../dev/stack/java.ts";
import { startKafka } from "../../dev/stack/kafka.ts";
import type { Launched } from "../../dev/stack/launch.ts";
import { fetchMavenParts } from "../../dev/stack/maven-parts.ts";
import { openPortClaims } from "../../dev/stack/ports.ts";
import { postgresDirectory, removePostgresOutside } from "../../dev/stack/postgres-directory.ts";
import { startPostgres } from "../../dev/stack/postgres.ts";
import { registryPath, startRegistry } from "../../dev/stack/registry.ts";
import { stack, type StackUrls } from "./stack.ts";

export type OwnPart = "postgres" | "kafka" | "registry";

/** A stack that may be stopped: Postgres, Kafka and the registry are its own, Redis is that of all tests. */
export type OwnStack = AsyncDisposable &
  Readonly<{
    urls: StackUrls;
    /** SIGKILL, and gone until it is started again, on its port and with its data. */
    kill: (part: OwnPart) => void;
    start: (part: OwnPart) => Promise<void>;
    /**
     * SIGSTOP, children too: connections stay open and are made, nothing on them is answered, as with a machine that has stalled
     * or a network that drops packets.
     */
    freeze: (part: OwnPart) => void;
    /** SIGCONT: goes on with what it was in the middle of. */
    thaw: (part: OwnPart) => void;
  }>;

const checkout = join(import.meta.dir, "../..");

export async function ownStack(): Promise<OwnStack> {
  const directory = await mkdtemp(join(tmpdir(), "taskwire-outage-"));
  const recordsDirectory = join(directory, "processes");
  const claims = openPortClaims();
  const ports: number[] = [];
  for (const usual of [36_432, 37_092, 37_192, 37_292, 37_392]) ports.push(await claims.choose([usual]));
  const [postgresPort = 0, kafkaPort = 0, controllerPort = 0, registryPort = 0, managementPort = 0] = ports;
  const parts = await fetchMavenParts({
    checkout,
    directory: join(checkout, ".dev", "parts"),
    say: () => {},
    signal: undefined,
    recordsDirectory,
  });
  const java = findJava();
  const common = (name: OwnPart) => ({
    directory: join(directory, name),
    logFile: join(directory, "logs", `${name}.log`),
    recordsDirectory,
  });
  const running = new Map<OwnPart, Launched>();
  const starters: Readonly<Record<OwnPart, () => Promise<Launched>>> = {
    postgres: () =>
      startPostgres({
        ...common("postgres"),
        checkout,
        directory: postgresDirectory(directory),
        port: postgresPort,
        database: "taskwire",
      }),
    kafka: () =>
      startKafka({
        ...common("kafka"),
        java,
        jars: parts.kafka,
        archives: parts.archives,
        port: kafkaPort,
        controllerPort,
      }),
    registry: () =>
      startRegistry({
        ...common("registry"),
        java,
        application: parts.registry,
        archives: parts.archives,
        port: registryPort,
        managementPort,
        postgresPort,
      }),
  };
  const start = async (part: OwnPart): Promise<void> => void running.set(part, await starters[part]());
  const pidOf = (part: OwnPart): number => {
    const pid = running.get(part)?.pid;
    if (pid === undefined) throw new Error(`${part} does not run`);
    return pid;
  };
  const signal = (part: OwnPart, name: "SIGSTOP" | "SIGCONT"): void => {
    for (const pid of withChildren(pidOf(part)))
      try {
        process.kill(pid, name);
      } catch {
        // A backend may end between the listing and its turn.
      }
  };
  const own: OwnStack = {
    urls: {
      databaseUrl: `postgres://postgres@127.0.0.1:${postgresPort}/taskwire`,
      kafkaBrokers: `127.0.0.1:${kafkaPort}`,
      schemaRegistryUrl: `http://127.0.0.1:${registryPort}${registryPath}`,
      redisUrl: stack().redisUrl,
    },
    kill: (part) => void process.kill(pidOf(part), "SIGKILL"),
    start,
    // The parent first: frozen, it makes no further ones.
    freeze: (part) => {
      process.kill(pidOf(part), "SIGSTOP");
      signal(part, "SIGSTOP");
    },
    thaw: (part) => signal(part, "SIGCONT"),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([running.get("kafka")?.stop(1_000), running.get("registry")?.stop(1_000)]);
      await running.get("postgres")?.stop(5_000);
      removePostgresOutside(directory);
      claims.release();
      await rm(directory, { recursive: true, force: true });
    },
  };
  try {
    await Promise.all([start("kafka"), start("postgres").then(() => start("registry"))]);
    return own;
  } catch (error) {
    await own[Symbol.asyncDispose]();
    throw error;
  }
}

/** The process and its children, as `ps` lists them. */
function withChildren(pid: number): readonly number[] {
  const { stdout } = Bun.spawnSync(["ps", "-A", "-o", "pid=,ppid="]);
  const children = stdout
    .toString()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child = 0]) => child);
  return [pid, ...children];
}
