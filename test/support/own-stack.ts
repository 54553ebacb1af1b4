import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findJava, javaNeeded, listJavas } from "../../dev/stack/java.ts";
import { startKafka } from "../../dev/stack/kafka.ts";
import type { LaunchedProcess } from "../../dev/stack/launch.ts";
import { fetchMavenParts } from "../../dev/stack/maven-parts.ts";
import { openPortClaims } from "../../dev/stack/ports.ts";
import { postgresDirectory, removePostgresOutside } from "../../dev/stack/postgres-directory.ts";
import { startPostgres } from "../../dev/stack/postgres.ts";
import { registryPath, startRegistry } from "../../dev/stack/registry.ts";
import { ownRecords } from "./own-records.ts";
import { stack, type StackUrls } from "./stack.ts";

export type OwnPart = "postgres" | "kafka" | "registry";

/** A stack whose own parts may be stopped; the others, Redis in any case, are those of all tests. */
export type OwnStack = AsyncDisposable &
  Readonly<{
    urls: StackUrls;
    /** SIGKILL, and gone until it is started again, on its port and with its data. */
    kill: (part: OwnPart) => void;
    start: (part: OwnPart) => Promise<void>;
    /** Starts a killed Kafka with its data at another port, as a broker that was replaced; the port. */
    moveKafka: () => Promise<number>;
    /**
     * SIGSTOP, children too: connections stay open and are made, nothing on them is answered, as with a machine that
     * has stalled or a network that drops packets.
     */
    freeze: (part: OwnPart) => void;
    /** SIGCONT: goes on with what it was in the middle of. */
    thaw: (part: OwnPart) => void;
    /** Where Kafka keeps a partition. */
    partitionFolder: (physicalTopic: string, partition: number) => string;
  }>;

const checkout = join(import.meta.dir, "../..");

/**
 * Whether tests of parts of their own are skipped: this machine lacks the programs, and nobody asked for everything.
 * Says so.
 */
export function skipOwnParts(): boolean {
  const canRun = (listJavas()[0]?.major ?? 0) >= javaNeeded && Bun.which("mvn") !== null;
  const skip = !canRun && process.env["REQUIRE_ALL"] !== "1";
  if (skip) console.log(`skipped: parts that can be stopped need Java ${javaNeeded} and Maven`);
  return skip;
}

/** The registry keeps its schemas in this stack's Postgres: it is asked for with that. */
export async function ownStack(owned: readonly OwnPart[] = ["postgres", "kafka", "registry"]): Promise<OwnStack> {
  const directory = await mkdtemp(join(tmpdir(), "taskwire-outage-"));
  const { recordsDirectory, release } = ownRecords(directory);
  const claims = openPortClaims();
  const ports: number[] = [];
  for (const usual of [36_432, 37_092, 37_192, 37_292, 37_392]) ports.push(await claims.choose([usual]));
  const [postgresPort = 0, firstKafkaPort = 0, controllerPort = 0, registryPort = 0, managementPort = 0] = ports;
  let kafkaPort = firstKafkaPort;
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
  const running = new Map<OwnPart, LaunchedProcess>();
  const starters: Readonly<Record<OwnPart, () => Promise<LaunchedProcess>>> = {
    postgres: () =>
      startPostgres({
        ...common("postgres"),
        checkout,
        directory: postgresDirectory(directory),
        port: postgresPort,
        database: "taskwire",
        // Three of every role have room.
        maxConnections: 500,
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
  const shared = stack();
  const owns = (part: OwnPart) => owned.includes(part);
  const own: OwnStack = {
    urls: {
      databaseUrl: owns("postgres") ? `postgres://postgres@127.0.0.1:${postgresPort}/taskwire` : shared.databaseUrl,
      kafkaBrokers: owns("kafka") ? `127.0.0.1:${firstKafkaPort}` : shared.kafkaBrokers,
      schemaRegistryUrl: owns("registry")
        ? `http://127.0.0.1:${registryPort}${registryPath}`
        : shared.schemaRegistryUrl,
      redisUrl: shared.redisUrl,
    },
    kill: (part) => void process.kill(pidOf(part), "SIGKILL"),
    start,
    moveKafka: async () => {
      kafkaPort = await claims.choose([37_492]);
      await start("kafka");
      return kafkaPort;
    },
    // The parent first: frozen, it makes no further ones.
    freeze: (part) => {
      process.kill(pidOf(part), "SIGSTOP");
      signal(part, "SIGSTOP");
    },
    thaw: (part) => signal(part, "SIGCONT"),
    partitionFolder: (topic, partition) => join(directory, "kafka", "log", `${topic}-${partition}`),
    [Symbol.asyncDispose]: async () => {
      // One that is stopped would not hear that it has to end.
      for (const [part] of running) signal(part, "SIGCONT");
      await Promise.all([running.get("kafka")?.stop(1_000), running.get("registry")?.stop(1_000)]);
      await running.get("postgres")?.stop(5_000);
      release();
      removePostgresOutside(directory);
      claims.release();
      await rm(directory, { recursive: true, force: true });
    },
  };
  try {
    const startOwn = async (part: OwnPart) => (owns(part) ? start(part) : undefined);
    await Promise.all([startOwn("kafka"), startOwn("postgres").then(() => startOwn("registry"))]);
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
