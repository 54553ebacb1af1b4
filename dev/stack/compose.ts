import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { explainPort } from "./explain-port.ts";
import type { PortClaims } from "./ports.ts";
import { type GivenUrls, type PartName, partNames, readRememberedPorts, type Stack } from "./stack.ts";

type ComposeOptions = Readonly<{
  checkout: string;
  stateDirectory: string;
  given: GivenUrls;
  usualPorts: Readonly<Record<PartName, number>>;
  claims: PortClaims;
  say: (line: string) => void;
}>;

/**
 * Version of the Docker engine that answers, or why there is none. Both the engine and its compose plugin are needed.
 */
export function askDocker(): Readonly<{ version: string } | { reason: string }> {
  if (Bun.which("docker") === null) return { reason: "there is no docker on PATH" };
  const engine = spawnSync("docker", ["version", "--format", "{{.Server.Version}}"], {
    encoding: "utf8",
    timeout: 5_000,
  });
  if (engine.status !== 0) return { reason: "no Docker engine answers" };
  const compose = spawnSync("docker", ["compose", "version", "--short"], { encoding: "utf8", timeout: 5_000 });
  if (compose.status !== 0) return { reason: "docker has no compose plugin" };
  return { version: engine.stdout.trim() };
}

/** Brings up `redpanda/compose.yaml` without the services that are given, and waits for the health checks. */
export async function openComposeStack(options: ComposeOptions): Promise<Omit<Stack, "why" | "kind">> {
  const { stateDirectory, given, say } = options;
  mkdirSync(stateDirectory, { recursive: true });
  const project = composeProject(stateDirectory);
  const compose = (environment: Readonly<Record<string, string>>) => runner({ ...options, project, environment });
  const missing = partNames.filter((name) => given[name] === undefined);
  const services = new Set<string>();
  for (const name of missing) {
    if (name === "kafka" || name === "registry") services.add("redpanda").add("console");
    else services.add(name);
  }
  const remembered = readRememberedPorts(stateDirectory);
  const isUp = (await compose({})(["ps", "-q"], { quiet: true })).trim() !== "";
  const choose = async (name: string, usual: number): Promise<number> => {
    const before = remembered[name];
    const port =
      before !== undefined && isUp
        ? before // taken, but by ourselves
        : await options.claims.choose([...(before === undefined ? [] : [before]), usual]);
    const why = explainPort({ what: name, port, usual: [usual], before });
    if (why !== null) say(why);
    return port;
  };
  const ports = {
    postgres: await choose("postgres", options.usualPorts.postgres),
    kafka: await choose("kafka", options.usualPorts.kafka),
    registry: await choose("registry", options.usualPorts.registry),
    redis: await choose("redis", options.usualPorts.redis),
    console: await choose("console", 8085),
    admin: await choose("admin", 9644),
  };
  writeFileSync(join(stateDirectory, "ports.json"), JSON.stringify(ports));
  const run = compose({
    POSTGRES_PORT: String(ports.postgres),
    KAFKA_PORT: String(ports.kafka),
    SCHEMA_REGISTRY_PORT: String(ports.registry),
    REDIS_PORT: String(ports.redis),
    CONSOLE_PORT: String(ports.console),
    REDPANDA_ADMIN_PORT: String(ports.admin),
  });
  say(`docker compose up: ${[...services].join(", ")} (the first time fetches their images)`);
  await run(["up", "-d", "--wait", ...services], { quiet: false });

  return {
    urls: {
      databaseUrl: given.postgres ?? `postgres://postgres@127.0.0.1:${ports.postgres}/taskwire`,
      kafkaBrokers: given.kafka ?? `127.0.0.1:${ports.kafka}`,
      schemaRegistryUrl: given.registry ?? `http://127.0.0.1:${ports.registry}`,
      redisUrl: given.redis ?? `redis://127.0.0.1:${ports.redis}`,
    },
    // The engine restarts what ends; the processes are its own.
    parts: () => missing.map((name) => ({ name, pid: null, port: ports[name] })),
    extras: services.has("console") ? [["Redpanda Console", `http://127.0.0.1:${ports.console}`]] : [],
    stop: async () => void (await run(["down", "--timeout", "8"], { quiet: true })),
  };
}

/** Removes the containers and the volumes of this state directory's project. */
export async function wipeComposeStack(
  options: Readonly<{ checkout: string; stateDirectory: string; say: (line: string) => void }>,
): Promise<void> {
  const project = composeProject(options.stateDirectory);
  await runner({ ...options, project, environment: {} })(["down", "-v", "--timeout", "5"], { quiet: true });
}

/** Two checkouts on one machine are two projects. */
const composeProject = (stateDirectory: string): string =>
  `taskwire-${createHash("sha256").update(stateDirectory).digest("hex").slice(0, 8)}`;

type Runner = (arguments_: readonly string[], mode: Readonly<{ quiet: boolean }>) => Promise<string>;

function runner({
  checkout,
  project,
  environment,
  say,
}: Readonly<{
  checkout: string;
  project: string;
  environment: Readonly<Record<string, string>>;
  say: (line: string) => void;
}>): Runner {
  return (arguments_, { quiet }) =>
    new Promise((resolve, reject) => {
      const file = join(checkout, "redpanda", "compose.yaml");
      const child = spawn("docker", ["compose", "-p", project, "-f", file, "--progress", "plain", ...arguments_], {
        env: { ...process.env, ...environment, COMPOSE_PROJECT_NAME: project },
        stdio: ["ignore", "pipe", "pipe"],
        detached: true, // Ctrl-C is for the runner, which brings the containers down in order
      });
      let output = "";
      let errors = "";
      child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => {
        errors += chunk.toString();
        if (!quiet) for (const line of chunk.toString().trimEnd().split("\n")) say(`  ${line}`);
      });
      child.once("error", reject);
      child.once("close", (code) => {
        if (code === 0) return resolve(output);
        reject(new Error(`docker compose ${arguments_[0]} failed (exit code ${code}):\n${errors.trim()}`));
      });
    });
}
