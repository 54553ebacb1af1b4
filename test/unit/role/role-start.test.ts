import { expect, test } from "bun:test";
import { join } from "node:path";
import { rolePorts } from "../../../shared/role/role-ports.ts";
import { roleNames, type RoleName } from "../../../shared/messages/topics.ts";

const root = join(import.meta.dir, "../../..");

async function start(role: RoleName, env: Readonly<Record<string, string>>) {
  const child = Bun.spawn([process.execPath, "--no-env-file", `workers/${role}/main.ts`], {
    cwd: root,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { lines: out.trimEnd().split("\n"), err, code };
}

const wrong = { PORT: "high", LOG_LEVEL: "loud", DATABASE_URL: "xyz", KAFKA_BROKERS: "nonsense" };
const runner = ['PORT must be a whole number from 0 to 65535, not "high"', "LOG_LEVEL must be one of"];
const stores = ["DATABASE_URL must be a URL", 'KAFKA_BROKERS must be host:port, separated by commas, not "nonsense"'];
const secret = "AUTH_SECRET is not set: AUTH_MODE=dev signs with it";

test.each<[RoleName, Record<string, string>, readonly string[]]>([
  ["outbox-relay", {}, []],
  [
    "reminder-service",
    { REDIS_URL: "ftp://x", SCHEMA_REGISTRY_URL: "h:8081", AUTH_MODE: "dev" },
    ["SCHEMA_REGISTRY_URL must be a URL", "REDIS_URL must be a URL", secret],
  ],
  [
    "ui-gateway",
    { SCHEMA_REGISTRY_URL: "http://h", AUTH_MODE: "dev", TASK_SERVICE_URL: "task-service:8100" },
    [secret, "TASK_SERVICE_URL must be a URL"],
  ],
  [
    "ui-gateway",
    { SCHEMA_REGISTRY_URL: "http://h", AUTH_MODE: "dev", AUTH_SECRET: "s".repeat(32), HOST: "0.0.0.0" },
    ["AUTH_MODE=dev lets anyone be anyone: HOST must be"],
  ],
  [
    "task-service",
    { SCHEMA_REGISTRY_URL: "http://h", AUTH_JWKS_URL: "https://id.example/jwks" },
    ["AUTH_ISSUER is not set", "AUTH_AUDIENCE is not set"],
  ],
  ["operator", { OPERATOR_TOKEN: "1" }, ["OPERATOR_TOKEN must have at least 32 characters"]],
])("%s tells all that is wrong with its configuration in one line and a few for people", async (role, env, own) => {
  const { lines, err, code } = await start(role, { ...wrong, ...env });
  expect(code).toBe(1);
  const told = JSON.parse(lines[0] ?? "") as Readonly<{ event: string; role: string; complaints: readonly string[] }>;
  expect({ ...told, lines: lines.length }).toMatchObject({ event: "configuration_wrong", role, lines: 1 });
  const begins = [...runner, ...stores, ...own];
  expect(told.complaints.map((text, at) => text.startsWith(begins[at] ?? "nothing"))).toEqual(begins.map(() => true));
  expect(err).toBe(`${role} does not start, its configuration is wrong:\n  ${told.complaints.join("\n  ")}\n`);
});

test("a role whose port is taken says so in one line", async () => {
  using taken = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const { lines, err, code } = await start("outbox-relay", {
    PORT: String(taken.port),
    DATABASE_URL: "postgres://h/d",
    KAFKA_BROKERS: "h:1",
  });
  expect({ code, err, lines: lines.length }).toEqual({ code: 1, err: "", lines: 1 });
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ event: "cannot_listen", error: { code: "EADDRINUSE" } });
});

test("no two roles have the same port, and none that of a part of the stack", () => {
  const ports = roleNames.map((role) => rolePorts[role]);
  expect(new Set([...ports, 8081, 8085]).size).toBe(roleNames.length + 2);
});
