import { base64Text, utf8Bytes } from "../bytes.ts";
import { checked, integer, optional, url, type Config } from "../role/config.ts";
import { proxyFor } from "../http/proxy-for.ts";
import type { Metrics } from "../role/metrics.ts";
import { allowPasswordsInClear, isReadOnTheWay, passwordInClear } from "../role/password-in-clear.ts";
import { Problem } from "../problem.ts";

export const registrySettings = checked(
  {
    /** Up to where the subjects begin: http://host:8081, or http://host:8080/apis/ccompat/v7 for Apicurio. */
    url: url("SCHEMA_REGISTRY_URL", ["http", "https"]),
    user: optional("SCHEMA_REGISTRY_USER"),
    password: optional("SCHEMA_REGISTRY_PASSWORD"),
    timeoutMs: integer("SCHEMA_REGISTRY_TIMEOUT_MS", 5000, { min: 100, max: 60_000 }),
    allowPasswordsInClear,
  },
  ({ url: address = "", user, allowPasswordsInClear: isAllowed }) =>
    (user || URL.parse(address)?.password) && isAllowed === false && isReadOnTheWay(address)
      ? [passwordInClear("SCHEMA_REGISTRY_URL with http://")]
      : [],
);

export type RegistryConfig = Omit<Config<typeof registrySettings>, "allowPasswordsInClear">;

/**
 * The Confluent API, as Redpanda's, Confluent's and Apicurio's registries speak it. Every call has a deadline and
 * rejects with Problem UNAVAILABLE when the registry cannot be reached, is not well or does not speak like one (the
 * page of a proxy, JSON of something else), with a plain Error, which has the `status`, when it refuses what was asked.
 */
export type RegistryClient = Readonly<{
  /** Where it is asked, without credentials. */
  address: string;
  /** The text of a schema; null where the registry has no such id. */
  schemaById: (id: number) => Promise<string | null>;
  /** The id and version of exactly this schema (normalized) under the subject; null where it is not registered. */
  lookup: (subject: string, schema: string) => Promise<Readonly<{ id: number; version: number }> | null>;
  /**
   * Registers a schema (normalized), or finds it where it is already there. Rejects when the registry calls it
   * incompatible.
   */
  register: (subject: string, schema: string) => Promise<Readonly<{ id: number }>>;
  /** The versions of a subject, oldest first; empty where there is no such subject. */
  versions: (subject: string) => Promise<readonly number[]>;
  version: (subject: string, version: number) => Promise<Readonly<{ id: number; schema: string }>>;
  /** The level set for this very subject; null where the global one applies. */
  compatibility: (subject: string) => Promise<string | null>;
  setCompatibility: (subject: string, level: string) => Promise<void>;
  /** Resolves when the registry answers. */
  ping: () => Promise<void>;
}>;

type RegistryAnswer = Readonly<{ status: number; body: Readonly<Record<string, unknown>>; list: readonly unknown[] }>;

/** No connection is made before the first call. Calls are counted in `metrics`, where given, by how they ended. */
export function openRegistry(config: RegistryConfig, metrics?: Metrics): RegistryClient {
  const count = makeCount(metrics);
  const base = config.url.replace(/\/+$/, "");
  const headers: Record<string, string> = {
    accept: "application/vnd.schemaregistry.v1+json, application/json",
    "content-type": "application/json",
    ...(config.user === null
      ? {}
      : { authorization: `Basic ${base64Text(utf8Bytes(`${config.user}:${config.password ?? ""}`))}` }),
  };
  const call = (method: string, path: string, body?: unknown): Promise<RegistryAnswer> =>
    count(ask(method, path, body));
  const ask = async (method: string, path: string, body?: unknown): Promise<RegistryAnswer> => {
    const what = `${method} ${base}${path}`;
    const answer = await fetch(base + path, {
      method,
      headers,
      signal: AbortSignal.timeout(config.timeoutMs),
      ...proxyFor(base),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((error: unknown) => unavailable(`${what}: ${error instanceof Error ? error.message : String(error)}`));
    const said = await answer.text().catch((error: unknown) => unavailable(`${what}: ${String(error)}`));
    // Credentials are mended by an operator, like an outage; nothing that was asked is at fault.
    if (answer.status >= 500 || [401, 403, 408, 429].includes(answer.status))
      unavailable(`${what}: ${answer.status} ${said.slice(0, 300)}`);
    const json = parseAnswer(said);
    // A registry's own refusals have a code of their own beside the status; anything else was said by something on the
    // way.
    const isOfRegistry = json !== undefined && (answer.ok || typeof Object(json).error_code === "number");
    if (!isOfRegistry)
      unavailable(`${what}: ${answer.status} ${said.slice(0, 200)}`, "what answers is not a schema registry");
    if (answer.status >= 400 && answer.status !== 404)
      throw Object.assign(
        new Error(`${what}: ${answer.status} ${String(Object(json).message ?? said).slice(0, 1000)}`),
        {
          status: answer.status,
        },
      );
    return { status: answer.status, body: Object(json), list: Array.isArray(json) ? json : [] };
  };
  const at = (subject: string) => `/subjects/${encodeURIComponent(subject)}`;
  return {
    address: withoutCredentials(base),
    schemaById: async (id) => {
      const { status, body } = await call("GET", `/schemas/ids/${id}`);
      return status === 404 ? null : textOf(body, "schema");
    },
    lookup: async (subject, schema) => {
      const { status, body } = await call("POST", `${at(subject)}?normalize=true`, { schema });
      return status === 404 ? null : { id: numberOf(body, "id"), version: numberOf(body, "version") };
    },
    register: async (subject, schema) => {
      const { body } = await call("POST", `${at(subject)}/versions?normalize=true`, { schema });
      return { id: numberOf(body, "id") };
    },
    versions: async (subject) => {
      const { list } = await call("GET", `${at(subject)}/versions`);
      return list.map(Number).sort((a, b) => a - b);
    },
    version: async (subject, version) => {
      const { body } = await call("GET", `${at(subject)}/versions/${version}`);
      return { id: numberOf(body, "id"), schema: textOf(body, "schema") };
    },
    compatibility: async (subject) => {
      const { status, body } = await call("GET", `/config/${encodeURIComponent(subject)}`);
      return status === 404 ? null : textOf(body, "compatibilityLevel", "compatibility");
    },
    setCompatibility: async (subject, level) => {
      const set = () => call("PUT", `/config/${encodeURIComponent(subject)}`, { compatibility: level });
      // Of two who set the first level of a subject at once, Apicurio refuses the later one; asked again it changes the
      // level.
      await set().catch((error: Readonly<{ status?: number }>) => {
        if (error.status === 409) return set();
        throw error;
      });
    },
    ping: async () => {
      await call("GET", "/schemas/types");
    },
  };
}

function makeCount(metrics: Metrics | undefined): <T>(asked: Promise<T>) => Promise<T> {
  if (metrics === undefined) return (asked) => asked;
  const calls = metrics.counter("registry_calls_total", "Calls of the schema registry", ["outcome"]);
  for (const outcome of ["answered", "refused", "unreachable"]) calls.inc({ outcome }, 0);
  return async (asked) => {
    try {
      const answer = await asked;
      calls.inc({ outcome: "answered" });
      return answer;
    } catch (error) {
      calls.inc({ outcome: error instanceof Problem ? "unreachable" : "refused" });
      throw error;
    }
  };
}

function withoutCredentials(address: string): string {
  const url = new URL(address);
  url.username = url.password = "";
  return url.href;
}

function unavailable(why: string, detail = "the schema registry is not reachable"): never {
  throw new Problem("UNAVAILABLE", detail, { cause: new Error(why) });
}

function parseAnswer(said: string): unknown {
  try {
    return said === "" ? {} : JSON.parse(said);
  } catch {
    return undefined;
  }
}

function numberOf(body: RegistryAnswer["body"], name: string): number {
  const value = body[name];
  if (typeof value !== "number") unavailable(`the schema registry's answer has no number "${name}"`);
  return value;
}

function textOf(body: RegistryAnswer["body"], ...names: readonly string[]): string {
  const value = names.map((name) => body[name]).find((found) => typeof found === "string");
  if (typeof value !== "string") unavailable(`the schema registry's answer has no text "${names.join('" or "')}"`);
  return value;
}
