import { expect, test } from "bun:test";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDotEnv, readSecret, roleEnvironment, sharedEnvironment } from "../../../dev/run/role-environment.ts";

const urls = { databaseUrl: "postgres://d", kafkaBrokers: "k:1", schemaRegistryUrl: "http://s", redisUrl: "redis://r" };
const plan = { name: "ui-gateway", instance: 2, label: "ui-gateway.2", command: "", port: 8141, metricsPort: 8341 };

test("what the user sets wins over the defaults of development, and an empty value is not set", () => {
  const env = sharedEnvironment({
    env: { AUTH_MODE: "jwt", NODE_ENV: "", TASK_SERVICE_URL: "http://mine" },
    urls,
    plans: [plan],
    authSecret: "s",
    operatorToken: "t",
  });
  expect(env).toMatchObject({
    AUTH_MODE: "jwt",
    NODE_ENV: "development",
    AUTH_SECRET: "s",
    OPERATOR_TOKEN: "t",
    TASK_SERVICE_URL: "http://mine",
    DATABASE_URL: "postgres://d",
  });
});

test("who brings a key set for tokens is not given a secret besides", () => {
  const given = { AUTH_MODE: "jwt", AUTH_JWKS_URL: "https://id/jwks" };
  const env = sharedEnvironment({ env: given, urls, plans: [plan], authSecret: "s", operatorToken: "t" });
  expect(env).toMatchObject(given);
  expect(env["AUTH_SECRET"]).toBeUndefined();
});

test("PORT means the application's to the runner and the instance's own to a role", () => {
  expect(roleEnvironment({ PORT: "8080", METRICS_PORT: "1" }, plan)).toMatchObject({
    PORT: "8141",
    METRICS_PORT: "8341",
    ROLE_INSTANCE: "2",
    HOST: "127.0.0.1",
  });
});

test("a .env file may quote, export, comment and leave empty", () => {
  expect(
    parseDotEnv(
      `# one\nA=1\nexport B="two # not a comment" # a comment\nC='3'\nD=4 # four\nEMPTY=\nnot a line\nE = five=5\n`,
    ),
  ).toEqual({
    A: "1",
    B: "two # not a comment",
    C: "3",
    D: "4",
    E: "five=5",
  });
});

test("the development secret is drawn once and readable by its owner alone", async () => {
  const directory = await mkdtemp(join(tmpdir(), "taskwire-secret-"));
  try {
    const path = join(directory, "deep", "secret");
    const first = readSecret(path);
    expect(first.length).toBeGreaterThanOrEqual(43);
    expect(readSecret(path)).toBe(first);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
