import { afterEach, beforeEach, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isListening } from "../../dev/stack/ports.ts";
import { identify } from "../../dev/stack/process-identity.ts";
import { openDevCheckout, type DevCheckout, type DevRun } from "../support/dev-checkout.ts";
import { stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

let checkout: DevCheckout;
beforeEach(async () => {
  checkout = await openDevCheckout();
});
afterEach(() => checkout[Symbol.asyncDispose]());

const dev = (...argv: readonly string[]) => checkout.dev(...argv);
const says = (run: DevRun, words: string) => checkout.says(run, words);
const readStatus = () => checkout.readStatus();

test("one command prepares the stack, starts every role, tells every address, and leaves nothing behind", async () => {
  const run = dev("--scale", "worker=2");
  await says(run, "Ctrl-C stops everything");
  const output = run.output();
  const prepared = ["migrate on", "topics apply on", "schemas apply on", "listening as 1"].map((words) =>
    output.indexOf(words),
  );
  expect(prepared).toEqual(prepared.toSorted((a, b) => a - b));
  expect(prepared[0]).toBeGreaterThan(0);
  expect(output).toContain("external, because all four addresses come from the environment");

  const status = await readStatus();
  expect(Object.keys(status)).toEqual([
    "app",
    "operator",
    "databaseUrl",
    "kafkaBrokers",
    "schemaRegistryUrl",
    "redisUrl",
    "stack",
    "roles",
  ]);
  expect(status.stack).toEqual({ kind: "external", parts: [] });
  expect(status.roles.map(({ name, instance, ready }) => [name, instance, ready])).toEqual([
    ["worker", 1, true],
    ["worker", 2, true],
    ["ui-gateway", 1, true],
    ["operator", 1, true],
  ]);
  for (const address of [`${status.app}/docs`, status.operator ?? "", status.databaseUrl, status.redisUrl])
    expect(output).toContain(address);
  const env = (await (await fetch(status.app ?? "")).json()) as Record<string, string>;
  expect(env).toMatchObject({
    NODE_ENV: "development",
    AUTH_MODE: "dev",
    HOST: "127.0.0.1",
    KAFKA_BROKERS: status.kafkaBrokers,
  });
  expect(env["WORKER_URL"]).toBe(
    status.roles
      .slice(0, 2)
      .map((role) => `http://127.0.0.1:${role.port}`)
      .join(","),
  );
  const plain = dev("status");
  expect(await plain.exited).toBe(0);
  for (const { metricsPort } of status.roles) expect(plain.output()).toContain(`:${metricsPort}/metrics  (ready)`);

  process.kill(run.pid, "SIGINT");
  expect(await run.exited).toBe(0);
  const drained = run.output().slice(output.length);
  expect([...drained.matchAll(/^(\S+) +│ draining$/gm)].map(([, name]) => name)).toEqual([
    "operator",
    "ui-gateway",
    "worker.2",
    "worker",
  ]);
  expect(drained).not.toContain("a Ctrl-C reached a role");
  for (const { pid, port } of status.roles) {
    expect(identify(pid ?? 0)).toBeUndefined();
    expect(await isListening(port)).toBe(false);
  }
  expect(await dev("status").exited).toBe(1);
});

test("a killed role is started again at its address and its last lines are repeated", async () => {
  const run = dev("--only", "worker,ui-gateway");
  await says(run, "Ctrl-C stops everything");
  const [before] = (await readStatus()).roles;
  process.kill(before?.pid ?? 0, "SIGKILL");
  await says(run, "worker ended (signal SIGKILL). Its last lines:");
  await says(run, "worker is back");
  const [after] = (await readStatus()).roles;
  expect(after).toMatchObject({ name: "worker", port: before?.port ?? 0, ready: true });
  expect(after?.pid).not.toBe(before?.pid);
});

test("ops works on the dev that runs here, unless the environment says where", async () => {
  const ops = async (env: Readonly<Record<string, string>>): Promise<string> => {
    const child = Bun.spawn([process.execPath, "dev/ops.ts", "lag", "--json"], {
      cwd: checkout.path,
      env: { PATH: process.env["PATH"], ...env },
      stdout: "pipe",
      stderr: "pipe",
    });
    expect(await child.exited).toBe(0);
    return (await new Response(child.stdout).text()).trim();
  };
  expect(await ops({})).toBe("lag --json on undefined");
  const run = dev();
  await says(run, "Ctrl-C stops everything");
  expect(await ops({})).toBe(`lag --json on ${stack().databaseUrl}`);
  expect(await ops({ DATABASE_URL: "postgres://elsewhere" })).toBe("lag --json on postgres://elsewhere");
  // Not the database of one system with the broker of another.
  expect(await ops({ KAFKA_BROKERS: "elsewhere:9092" })).toBe("lag --json on undefined");
});

test("a second dev in the same checkout says so and changes nothing", async () => {
  const run = dev("--only", "worker");
  await says(run, "Ctrl-C stops everything");
  const second = dev();
  expect(await second.exited).toBe(1);
  expect(second.output()).toContain(`already running in this checkout (pid ${run.pid})`);
  expect((await readStatus()).roles).toMatchObject([{ name: "worker", ready: true }]);
});

test("after a kill -9 of the runner its roles are gone and the next one starts", async () => {
  const run = dev("--only", "worker");
  await says(run, "Ctrl-C stops everything");
  const [role] = (await readStatus()).roles;
  process.kill(run.pid, "SIGKILL");
  await until("the role has ended with its runner", () => identify(role?.pid ?? 0) === undefined);
  const next = dev("--only", "worker");
  await says(next, "Ctrl-C stops everything");
  expect((await readStatus()).roles).toMatchObject([{ name: "worker", ready: true }]);
});

test("a preparation that fails ends dev with its lines and starts no role", async () => {
  await writeFile(
    join(checkout.path, "workers", "operator", "ops.ts"),
    `console.error("relation exists twice"); process.exit(3);`,
  );
  const run = dev();
  expect(await run.exited).toBe(1);
  expect(run.output()).toContain("relation exists twice");
  expect(run.output()).toContain("`ops migrate` failed (exit code 3)");
  expect(run.output()).not.toContain("listening as");
});

test("a port that is taken is told with the one used instead, and a wrong one is refused", async () => {
  using taken = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  await writeFile(join(checkout.path, ".env"), `PORT=${taken.port}\n`);
  const run = dev("--only", "ui-gateway");
  await says(run, "Ctrl-C stops everything");
  expect(run.output()).toContain(
    `${taken.port} is taken; the app is on ${new URL((await readStatus()).app ?? "").port}`,
  );
  process.kill(run.pid, "SIGINT");
  expect(await run.exited).toBe(0);
  await writeFile(join(checkout.path, ".env"), "PORT=high\n");
  const wrong = dev();
  expect(await wrong.exited).toBe(1);
  expect(wrong.output()).toContain('PORT must be a whole number from 1 to 65535, not "high"');
});

test("an unknown role and an unknown flag are refused in words", async () => {
  const role = dev("--only", "gateway");
  expect(await role.exited).toBe(1);
  expect(role.output()).toContain('no role "gateway"; it has worker, ui-gateway, operator');
  const flag = dev("--fast");
  expect(await flag.exited).toBe(2);
  expect(flag.output()).toContain('"--fast" is not known here');
});
