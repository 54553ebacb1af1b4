import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { readRedpandaFiles } from "../../dev/redpanda/files.ts";
import { layOutImage, type ImageLayout } from "../../dev/redpanda/image/lay-out-image.ts";
import { variablesOf } from "../../dev/redpanda/kubernetes/examine-roles.ts";
import { podsOf } from "../../dev/redpanda/kubernetes/pods.ts";
import { renderOverlay } from "../../dev/redpanda/kubernetes/render-overlay.ts";
import { roleNames, type RoleName } from "../../shared/messages/topics.ts";
import { stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const checkout = join(import.meta.dir, "../..");
const files = readRedpandaFiles(checkout);
/**
 * Between them they read the page, every schema, the zone data, and load BullMQ, nodemailer and the broker's client.
 */
const tried: readonly RoleName[] =
  process.env["LONG_TESTS"] === "1" ? roleNames : ["ui-gateway", "reminder-service", "notification-service"];

test("the image holds what its roles need: they get ready as nobody in particular, with nothing they may write, by the pods' settings", async () => {
  await using database = await emptyDatabase();
  await using image = await makeImage();
  const name = `image-${randomBytes(4).toString("hex")}`;
  const own = {
    ...stackAddresses(database.url),
    KAFKA_PREFIX: `${name}.`,
    REDIS_PREFIX: name,
    HOST: "127.0.0.1",
    PORT: "0",
    METRICS_PORT: "0",
  };
  try {
    const prepared = start(image, ["prepare"], { ...podVariables("prepare"), ...own });
    expect([await prepared.exited, prepared.said()]).toEqual([
      0,
      expect.stringContaining("applied shared/0001_outbox"),
    ]);
    const roles = tried.map((role) => ({ role, run: start(image, [role], { ...podVariables(role), ...own }) }));
    await Promise.all(
      roles.map(async ({ role, run }) => {
        const ready = async () => {
          if (run.code() !== null) throw new Error(`${role} ended with ${run.code()}: ${run.said()}`);
          const url = /"metricsUrl":"([^"]+)"/.exec(run.said())?.[1];
          return url !== undefined && (await fetch(`${url}readyz`, { proxy: "" }).catch(() => null))?.ok === true;
        };
        await until(`${role} is ready`, ready, { timeoutMs: 40_000 });
      }),
    );
    for (const { role, run } of roles) {
      const status = await readFile(`/proc/${run.pid}/status`, "utf8").catch(() => null);
      if (status !== null) expect([role, /^Uid:\t0\t/m.test(status)]).toEqual([role, false]);
    }
    const page = /"url":"([^"]+)"/.exec(roles.find(({ role }) => role === "ui-gateway")?.run.said() ?? "")?.[1];
    expect((await fetch(page ?? "", { proxy: "" })).status).toBe(200);
    for (const { run } of roles) run.stop();
    expect(await Promise.all(roles.map(async ({ role, run }) => [role, await run.exited]))).toEqual(
      tried.map((role) => [role, 0]),
    );
    const wrong = start(image, ["task-servise"], {});
    expect([await wrong.exited, wrong.said()]).toEqual([2, expect.stringContaining("task-service, ")]);
  } finally {
    await start(image, ["ops", "topics", "delete", "--yes"], own).exited;
  }
});

/** What the pods of a workload have in their environment that is not secret, by the production overlay. */
function podVariables(workload: string): Readonly<Record<string, string>> {
  const objects = renderOverlay(files, "kubernetes/overlays/production");
  const pods = podsOf(objects).find(({ of }) => of.metadata.name === workload);
  const variables = pods === undefined ? [] : variablesOf(pods, objects, new Map());
  expect([workload, variables.length > 10]).toEqual([workload, true]);
  return Object.fromEntries(variables.map(({ name, value }) => [name, value ?? ""]));
}

/** The stack of the tests in the place of the cluster's, which has neither TLS nor users. */
function stackAddresses(databaseUrl: string) {
  const { kafkaBrokers, schemaRegistryUrl, redisUrl } = stack();
  return {
    DATABASE_URL: databaseUrl,
    KAFKA_BROKERS: kafkaBrokers,
    KAFKA_TLS: "false",
    KAFKA_TLS_CA_FILE: "",
    KAFKA_SASL_MECHANISM: "",
    SCHEMA_REGISTRY_URL: schemaRegistryUrl,
    SCHEMA_REGISTRY_USER: "",
    NODE_EXTRA_CA_CERTS: "",
    REDIS_URL: redisUrl,
    TOPIC_REPLICATION: "1",
  };
}

async function makeImage(): Promise<AsyncDisposable & ImageLayout> {
  const into = await mkdtemp(join(tmpdir(), "taskwire-image-"));
  const laidOut = await layOutImage({ text: files.get("Dockerfile") ?? "", checkout, into });
  await chmod(into, 0o755);
  // What root owns nobody else may write; whoever is not root owns the files, and takes that right from himself.
  if (process.getuid?.() !== 0) await setModes(laidOut.root, 0o555, 0o444);
  return { ...laidOut, [Symbol.asyncDispose]: () => remove(into) };
}

async function remove(folder: string): Promise<void> {
  if (process.getuid?.() !== 0) await setModes(folder, 0o755, 0o644);
  await rm(folder, { recursive: true });
}

async function setModes(folder: string, ofFolders: number, ofFiles: number): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const isProgram = entry.isDirectory() || entry.name === "bun";
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), isProgram ? ofFolders : ofFiles);
  }
}

/** The image's entry point with arguments, as the image's user where this process may choose one. */
function start({ root, stage }: ImageLayout, args: readonly string[], env: Readonly<Record<string, string>>) {
  const [program = "", ...first] = stage.entrypoint ?? [];
  const [user, group] = (stage.user ?? "").split(":").map(Number);
  const child = spawn(join(root, program), [...first, ...args], {
    cwd: join(root, stage.workdir),
    env: { BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0", ...stage.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(process.getuid?.() === 0 && user !== undefined && group !== undefined ? { uid: user, gid: group } : {}),
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes: Buffer) => (said += bytes.toString()));
  return {
    pid: child.pid,
    said: () => said,
    code: () => child.exitCode,
    exited: new Promise<number | null>((resolve) => child.once("close", resolve)),
    stop: () => child.kill("SIGTERM"),
  };
}

/** One that nobody has migrated. */
async function emptyDatabase(): Promise<AsyncDisposable & Readonly<{ url: string }>> {
  const admin = postgres(stack().databaseUrl, { max: 1, onnotice: () => {} });
  const name = `taskwire_image_${randomBytes(4).toString("hex")}`;
  await admin.unsafe(`create database ${name}`);
  const url = new URL(stack().databaseUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    [Symbol.asyncDispose]: async () => {
      await admin.unsafe(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}
