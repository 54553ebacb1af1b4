// What the roles need around them, however it is provided.
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const partNames = ["postgres", "kafka", "registry", "redis"] as const;
export type PartName = (typeof partNames)[number];

export type StackUrls = Readonly<{
  databaseUrl: string;
  kafkaBrokers: string;
  schemaRegistryUrl: string;
  redisUrl: string;
}>;

/** `pid` and `port` are null for a part that runs elsewhere or is just being restarted. */
export type PartStatus = Readonly<{ name: PartName; pid: number | null; port: number | null }>;

export type Stack = Readonly<{
  kind: "embedded" | "compose" | "external";
  /** One sentence: why this kind. */
  why: string;
  urls: StackUrls;
  parts: () => readonly PartStatus[];
  /** More addresses for the banner, such as a console. */
  extras: readonly (readonly [label: string, address: string])[];
  stop: (graceMs: number) => Promise<void>;
}>;

/** The variable that names each part, which wins over anything started here. */
export const urlVariables = {
  postgres: "DATABASE_URL",
  kafka: "KAFKA_BROKERS",
  registry: "SCHEMA_REGISTRY_URL",
  redis: "REDIS_URL",
} as const satisfies Record<PartName, string>;

export type GivenUrls = Readonly<Partial<Record<PartName, string>>>;

/** What the environment already provides. Empty values count as not given. */
export function readGivenUrls(env: Readonly<Record<string, string | undefined>>): GivenUrls {
  const given: Partial<Record<PartName, string>> = {};
  for (const part of partNames) {
    const value = env[urlVariables[part]];
    if (value) given[part] = value;
  }
  return given;
}

/** The four variables as every role reads them. */
export function stackEnvironment(urls: StackUrls): Readonly<Record<string, string>> {
  return {
    DATABASE_URL: urls.databaseUrl,
    KAFKA_BROKERS: urls.kafkaBrokers,
    SCHEMA_REGISTRY_URL: urls.schemaRegistryUrl,
    REDIS_URL: urls.redisUrl,
  };
}

/** Remembered ports of an earlier run, so that addresses stay the same over restarts; empty when there are none. */
export function readRememberedPorts(stateDirectory: string): Readonly<Record<string, number>> {
  try {
    return JSON.parse(readFileSync(join(stateDirectory, "ports.json"), "utf8")) as Record<string, number>;
  } catch {
    return {}; // first run
  }
}
