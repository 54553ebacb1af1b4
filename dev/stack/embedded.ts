import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { explainPort } from "./explain-port.ts";
import { findJava } from "./java.ts";
import { startKafka } from "./kafka.ts";
import type { LaunchedProcess } from "./launch.ts";
import { fetchMavenParts } from "./maven-parts.ts";
import type { PortClaims } from "./ports.ts";
import { postgresDirectory } from "./postgres-directory.ts";
import { startPostgres } from "./postgres.ts";
import { findRedis, startRedis } from "./redis.ts";
import { registryPath, startRegistry } from "./registry.ts";
import { type GivenUrls, type PartName, partNames, readRememberedPorts, type Stack } from "./stack.ts";
import { stopRecorded } from "./stop-recorded.ts";
import { supervise, type SupervisedProcess } from "./supervise.ts";

export type EmbeddedOptions = Readonly<{
  checkout: string;
  /** Holds data, logs and records of this stack alone. */
  stateDirectory: string;
  /** Downloads, shared by the stacks of this checkout. */
  partsDirectory: string;
  given: GivenUrls;
  /** First choice per part; taken ones are passed over. */
  usualPorts: Readonly<Record<PartName, number>>;
  claims: PortClaims;
  say: (line: string) => void;
  /** Gives up starting. */
  signal?: AbortSignal;
  /** A part's pid changed. */
  changed?: () => void;
}>;

/**
 * Starts the parts that are not given, in parallel, and returns when all answer. Leftovers of a killed run are stopped
 * first. A part that ends later is started again on its port. Rejects, with nothing left running, when one does not
 * start.
 */
export async function openEmbeddedStack(options: EmbeddedOptions): Promise<Omit<Stack, "why" | "kind">> {
  const { stateDirectory, given, say, changed = () => {} } = options;
  const recordsDirectory = join(stateDirectory, "processes");
  mkdirSync(stateDirectory, { recursive: true });
  const leftovers = await stopRecorded(recordsDirectory);
  if (leftovers.length > 0) say(`stopped what an earlier run left behind: ${leftovers.join(", ")}`);

  const missing = partNames.filter((name) => given[name] === undefined);
  const ports = await choosePorts(options, missing);
  const running = new Map<PartName, SupervisedProcess>();
  const giveUp = new AbortController();
  const signal = options.signal === undefined ? giveUp.signal : AbortSignal.any([options.signal, giveUp.signal]);
  const starters = makeStarters({ ...options, signal }, ports, recordsDirectory);
  const bring = async (name: PartName): Promise<void> => {
    const began = performance.now();
    const start = await starters[name]();
    signal.throwIfAborted();
    const first = await start();
    running.set(name, supervise({ name, start, running: first, say: (lines) => lines.forEach(say), changed }));
    signal.throwIfAborted();
    say(`${name} ready on port ${ports[name]} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  };
  const stop = async (graceMs: number): Promise<void> => {
    // The registry keeps its schemas in Postgres, so Postgres goes last.
    const others = [...running.values()].filter((part) => part.name !== "postgres");
    await Promise.all(others.map((part) => part.stop(graceMs)));
    await running.get("postgres")?.stop(graceMs);
    await stopRecorded(recordsDirectory, 2_000);
  };
  // Ends the parts that run and, by their records, those still starting, whose promises then reject.
  const abandon = (): Promise<void> => stop(3_000);
  const onAbort = (): void => void abandon();
  signal.addEventListener("abort", onAbort, { once: true });

  const postgres = missing.includes("postgres") ? bring("postgres") : Promise.resolve();
  const others = missing.filter((name) => name !== "postgres");
  const all = [
    postgres,
    ...others.map((name) => (name === "registry" ? postgres.then(() => bring(name)) : bring(name))),
  ];
  try {
    await Promise.all(all);
  } catch (error) {
    giveUp.abort();
    await Promise.allSettled(all);
    await abandon();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort); // from here on the caller stops the stack, after what uses it
  }

  return {
    urls: {
      databaseUrl: given.postgres ?? `postgres://postgres@127.0.0.1:${ports.postgres}/taskwire`,
      kafkaBrokers: given.kafka ?? `127.0.0.1:${ports.kafka}`,
      schemaRegistryUrl: given.registry ?? `http://127.0.0.1:${ports.registry}${registryPath}`,
      redisUrl: given.redis ?? `redis://127.0.0.1:${ports.redis}`,
    },
    parts: () => missing.map((name) => ({ name, pid: running.get(name)?.pid() ?? null, port: ports[name] })),
    extras: [],
    stop,
  };
}

type Ports = Readonly<Record<PartName | "kafkaController" | "registryManagement", number>>;

async function choosePorts(
  { claims, stateDirectory, usualPorts, say }: EmbeddedOptions,
  missing: readonly PartName[],
): Promise<Ports> {
  const remembered = readRememberedPorts(stateDirectory);
  const choose = (name: keyof Ports, usual: number): Promise<number> =>
    claims.choose([...(remembered[name] === undefined ? [] : [remembered[name]]), usual]);
  const part = async (name: PartName): Promise<number> => {
    if (!missing.includes(name)) return 0;
    const port = await choose(name, usualPorts[name]);
    const why = explainPort({ what: name, port, usual: [usualPorts[name]], before: remembered[name] });
    if (why !== null) say(why);
    return port;
  };
  // One after the other, so that neighbours fall into place in a fixed order.
  const postgres = await part("postgres");
  const kafka = await part("kafka");
  const registry = await part("registry");
  const redis = await part("redis");
  const kafkaController = kafka === 0 ? 0 : await choose("kafkaController", usualPorts.kafka + 1000);
  const registryManagement = registry === 0 ? 0 : await choose("registryManagement", usualPorts.registry + 1000);
  const ports = { postgres, kafka, registry, redis, kafkaController, registryManagement };
  writeFileSync(join(stateDirectory, "ports.json"), JSON.stringify(ports));
  return ports;
}

type Starter = () => Promise<() => Promise<LaunchedProcess>>;

/** Per part: prepare once (find, fetch), then a function that starts it as often as needed. */
function makeStarters(options: EmbeddedOptions, ports: Ports, recordsDirectory: string): Record<PartName, Starter> {
  const { checkout, stateDirectory, partsDirectory, given, say } = options;
  let fetched: ReturnType<typeof fetchMavenParts> | undefined;
  const parts = () =>
    (fetched ??= fetchMavenParts({
      checkout,
      directory: partsDirectory,
      say,
      signal: options.signal,
      recordsDirectory,
    }));
  const common = (name: PartName) => ({
    directory: join(stateDirectory, name),
    port: ports[name],
    logFile: join(stateDirectory, "logs", `${name}.log`),
    recordsDirectory,
  });
  return {
    postgres: async () => {
      const directory = postgresDirectory(stateDirectory);
      return () => startPostgres({ checkout, ...common("postgres"), directory, database: "taskwire" });
    },
    kafka: async () => {
      const java = findJava();
      const { kafka: jars, archives } = await parts();
      return () => startKafka({ java, jars, archives, ...common("kafka"), controllerPort: ports.kafkaController });
    },
    registry: async () => {
      const java = findJava();
      const { registry: application, archives } = await parts();
      const postgresPort = given.postgres === undefined ? ports.postgres : undefined;
      const managementPort = ports.registryManagement;
      return () => startRegistry({ java, application, archives, ...common("registry"), managementPort, postgresPort });
    },
    redis: async () => {
      const binary = await findRedis(async () => (await parts()).redis);
      return () => startRedis({ binary, ...common("redis") });
    },
  };
}
