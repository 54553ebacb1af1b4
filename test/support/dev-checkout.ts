import { cpSync, symlinkSync, utimesSync } from "node:fs";
import { mkdtemp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "bun:test";
import { identify } from "../../dev/stack/process-identity.ts";
import type { Status } from "../../dev/run/status.ts";
import { stack } from "./stack.ts";
import { until } from "./until.ts";

const root = join(import.meta.dir, "../..");
const roleSource = `
const server = Bun.serve({ hostname: process.env.HOST, port: Number(process.env.PORT), fetch: () => Response.json(process.env) });
console.log("listening as", process.env.ROLE_INSTANCE);
process.on("SIGINT", () => console.log("a Ctrl-C reached a role"));
process.on("SIGTERM", async () => { console.log("draining"); await Bun.sleep(50); process.exit(0); });`;
const opsSource = `console.log(process.argv.slice(2).join(" "), "on", process.env.DATABASE_URL);`;

/** A command that runs in the checkout: all it has said, and its exit code. */
export type DevRun = Readonly<{ output: () => string; exited: Promise<number>; pid: number }>;

/** The runner itself, in a checkout of its own with three small roles, on the stack of the test run. */
export type DevCheckout = AsyncDisposable &
  Readonly<{
    path: string;
    dev: (...argv: readonly string[]) => DevRun;
    run: (command: readonly string[]) => DevRun;
    /** The environment of both. */
    env: Readonly<Record<string, string | undefined>>;
    says: (run: DevRun, words: string) => Promise<void>;
    readStatus: () => Promise<Status>;
  }>;

export async function openDevCheckout(): Promise<DevCheckout> {
  const path = await mkdtemp(join(tmpdir(), "taskwire-checkout-"));
  cpSync(join(root, "dev"), join(path, "dev"), { recursive: true });
  for (const file of [
    "package.json",
    "bun.lock",
    "shared/role/role-ports.ts",
    "shared/printable.ts",
    "shared/http/proxy-for.ts",
  ])
    cpSync(join(root, file), join(path, file));
  symlinkSync(join(root, "node_modules"), join(path, "node_modules"));
  await mkdir(join(path, ".dev"));
  utimesSync(join(path, "bun.lock"), 1, 1); // what is installed is never older than that
  await mkdir(join(path, "workers", "operator"), { recursive: true });
  await writeFile(join(path, "workers", "operator", "ops.ts"), opsSource);
  await writeFile(join(path, "role.ts"), roleSource);
  await writeFile(join(path, "Procfile"), "worker: bun role.ts\nui-gateway: bun role.ts\noperator: bun role.ts\n");

  const urls = stack();
  const env = {
    PATH: process.env["PATH"],
    HOME: process.env["HOME"],
    DATABASE_URL: urls.databaseUrl,
    KAFKA_BROKERS: urls.kafkaBrokers,
    SCHEMA_REGISTRY_URL: urls.schemaRegistryUrl,
    REDIS_URL: urls.redisUrl,
  };
  const runs: DevRun[] = [];
  const run = (command: readonly string[]): DevRun => {
    const child = Bun.spawn([...command], { cwd: path, env, stdout: "pipe", stderr: "pipe" });
    let text = "";
    const collect = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
      const decoder = new TextDecoder();
      for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
    };
    const read = Promise.all([collect(child.stdout), collect(child.stderr)]);
    const started: DevRun = {
      output: () => text,
      exited: child.exited.then(async (code) => (await read, code)),
      pid: child.pid,
    };
    runs.push(started);
    return started;
  };
  const dev = (...argv: readonly string[]) => run([process.execPath, "dev/main.ts", ...argv]);
  return {
    path,
    dev,
    run,
    env,
    says: async (run, words) =>
      void (await until(`dev says "${words}"`, () => run.output().includes(words), {
        timeoutMs: 60_000,
        describe: run.output,
      })),
    readStatus: async () => {
      const run = dev("status", "--json");
      expect(await run.exited).toBe(0);
      return JSON.parse(run.output());
    },
    [Symbol.asyncDispose]: async () => {
      for (const run of runs.splice(0)) {
        if (identify(run.pid) !== undefined) process.kill(run.pid, "SIGKILL");
        await run.exited;
      }
      const status = await readFile(join(path, ".dev/dev/status.json"), "utf8").catch(() => '{"roles":[]}');
      for (const { pid } of (JSON.parse(status) as Pick<Status, "roles">).roles)
        if (pid !== null) await until(`role ${pid} has ended with its runner`, () => identify(pid) === undefined);
      await rm(path, { recursive: true, force: true });
    },
  };
}
