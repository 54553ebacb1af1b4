import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stackEnvironment, type StackUrls } from "../stack/stack.ts";
import { type RolePlan, upstreamUrls } from "./plan-roles.ts";

type EnvironmentOptions = Readonly<{
  env: Readonly<Record<string, string | undefined>>;
  urls: StackUrls;
  plans: readonly RolePlan[];
  authSecret: string;
  operatorToken: string;
}>;

/**
 * What every role and command gets: development defaults, overridden by the given environment, and the stack's
 * addresses.
 */
export function sharedEnvironment({
  env,
  urls,
  plans,
  authSecret,
  operatorToken,
}: EnvironmentOptions): Record<string, string | undefined> {
  return {
    NODE_ENV: "development",
    AUTH_MODE: "dev",
    // A role refuses to verify with both.
    ...(env["AUTH_MODE"] === "jwt" && env["AUTH_JWKS_URL"] ? {} : { AUTH_SECRET: authSecret }),
    OPERATOR_TOKEN: operatorToken,
    DRAIN_SECONDS: "8",
    ...upstreamUrls(plans),
    ...withoutEmpty(env),
    ...stackEnvironment(urls),
  };
}

/** What one instance gets on top: its own port is never the PORT of the runner, which means the application's. */
export function roleEnvironment(
  shared: Readonly<Record<string, string | undefined>>,
  plan: RolePlan,
): Record<string, string | undefined> {
  const { port, metricsPort, instance } = plan;
  const ports = { PORT: String(port), METRICS_PORT: String(metricsPort) };
  return { ...shared, HOST: "127.0.0.1", ...ports, ROLE_INSTANCE: String(instance) };
}

/** A secret of development: drawn once, so that a restart ends no session and no operator signs in again. */
export function readSecret(path: string): string {
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true });
    const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
    writeFileSync(path, secret, { mode: 0o600 });
  }
  return readFileSync(path, "utf8").trim();
}

/** `process.env` with what the checkout's `.env` adds; Bun reads that file by itself only in its own directory. */
export function readEnvironment(checkout: string): Record<string, string | undefined> {
  const path = join(checkout, ".env");
  const fromFile = existsSync(path) ? parseDotEnv(readFileSync(path, "utf8")) : {};
  return { ...fromFile, ...withoutEmpty(process.env) };
}

/** `NAME=value` lines; `#` comments, `export ` and one pair of quotes are taken off. */
export function parseDotEnv(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const [, name, raw] = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined || raw === undefined) continue;
    const quoted = /^(["'])(.*)\1(?:\s+#.*)?$/.exec(raw);
    const value = quoted?.[2] ?? raw.replace(/\s+#.*$/, "");
    if (value !== "") values[name] = value;
  }
  return values;
}

const withoutEmpty = (env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ""));
