import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { openPortClaims } from "../../dev/stack/ports.ts";
import { readConfig } from "../../shared/role/config.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { makeLog } from "../../shared/role/log.ts";
import { roleNames, type RoleName } from "../../shared/messages/topics.ts";
import { runOps } from "../../workers/operator/ops.ts";
import { freshDatabase } from "./database.ts";
import { nodeCommand } from "./node-runtime.ts";
import { stack, type StackUrls } from "./stack.ts";
import { onFailedWait, until } from "./until.ts";

/** Real role processes on the real stack, with a database, topics, groups and Redis keys of their own. */
export type System = AsyncDisposable &
  Readonly<{
    env: Readonly<Record<string, string>>;
    /** The address of an instance of a role; the gateway's is the product's. */
    url: (role: RoleName, instance?: number) => string;
    /** Where an instance tells its metrics. */
    metricsUrl: (role: RoleName, instance?: number) => string;
    /** The process of an instance that runs. */
    pid: (role: RoleName, instance?: number) => number;
    /** Starts one more instance and waits until it is ready; its number. */
    start: (
      role: RoleName,
      env?: Readonly<Record<string, string>>,
      /** What runs it, in place of Bun. */
      runtime?: readonly string[],
    ) => Promise<number>;
    /** SIGKILL: nothing is said, nothing is finished. */
    kill: (role: RoleName, instance?: number) => Promise<void>;
    /** Starts a killed or stopped instance again, at its address. */
    restart: (role: RoleName, instance?: number) => Promise<void>;
    /** SIGTERM, and how it ended. */
    stop: (role: RoleName, instance?: number) => Promise<number>;
    /** The lines an instance has written so far. */
    log: (role: RoleName, instance?: number) => readonly string[];
    ops: (...args: readonly string[]) => Promise<string>;
  }>;

type Instance = {
  role: RoleName;
  number: number;
  port: number;
  metricsPort: number;
  env: Readonly<Record<string, string>>;
  runtime: readonly string[] | null;
  child: Bun.Subprocess<"ignore", "pipe", "pipe"> | null;
  lines: string[];
  /** Whether the test itself has sent it a signal since it was started. */
  isSignalled: boolean;
};

const root = join(import.meta.dir, "../..");

export type SystemOptions = Readonly<{
  /** Roles with the number of instances to start; all roles once by default. */
  roles?: Partial<Record<RoleName, number>>;
  env?: Readonly<Record<string, string>>;
  /** Roles whose first instances run under Node 24 with the second Kafka driver; see `whyNoRdKafka`. */
  underNode?: readonly RoleName[];
  /** The one of the environment by default. */
  stack?: StackUrls;
  /** Of each role, on top of `env`. */
  roleEnv?: (role: RoleName) => Readonly<Record<string, string>>;
  /**
   * Makes topics and schemas, where this process cannot; then the broker is the test's own, and its topics go with it.
   */
  prepare?: (env: Readonly<Record<string, string>>) => Promise<unknown>;
  /** The database's address as roles are told it. */
  databaseUrl?: (url: string) => string;
}>;

/** For what writes as fast as it is answered. Quotas are looked at as ever, with more room than is used. */
export const withoutLimits = {
  RATE_USER_PER_SECOND: "off",
  QUOTA_OPEN_TASKS: "1000000",
  QUOTA_TASKS: "1000000",
} as const satisfies SystemOptions["env"];

/** Starts a system and waits until every role is ready. Dispose it: roles are stopped, the database is given back. */
export async function startSystem(options: SystemOptions = {}): Promise<System> {
  const name = `t${randomBytes(5).toString("hex")}`;
  const urls = options.stack ?? stack();
  const database = await freshDatabase({ server: urls.databaseUrl });
  const env: Record<string, string> = {
    PATH: process.env["PATH"] ?? "",
    HOME: process.env["HOME"] ?? "",
    TZ: "UTC",
    DATABASE_URL: options.databaseUrl?.(database.url) ?? database.url,
    KAFKA_BROKERS: urls.kafkaBrokers,
    SCHEMA_REGISTRY_URL: urls.schemaRegistryUrl,
    REDIS_URL: urls.redisUrl,
    KAFKA_PREFIX: `${name}.`,
    REDIS_PREFIX: name,
    AUTH_MODE: "dev",
    AUTH_SECRET: randomBytes(32).toString("hex"),
    NODE_ENV: "test",
    HOST: "127.0.0.1",
    ...options.env,
  };
  const ports = openPortClaims();
  const instances: Instance[] = [];
  const wanted = options.roles ?? Object.fromEntries(roleNames.map((role) => [role, 1]));
  const find = (role: RoleName, number = 1): Instance => {
    const found = instances.find((instance) => instance.role === role && instance.number === number);
    if (!found) throw new Error(`no instance ${number} of ${role} in this system`);
    return found;
  };
  const url = (role: RoleName, number = 1) => `http://127.0.0.1:${find(role, number).port}`;
  const metricsUrl = (role: RoleName, number = 1) => `http://127.0.0.1:${find(role, number).metricsPort}`;
  const run = (instance: Instance) => {
    const usual = instance.env["KAFKA_DRIVER"] === "librdkafka" ? nodeCommand() : [process.execPath];
    const runtime = instance.runtime ?? usual;
    instance.isSignalled = false;
    instance.child = Bun.spawn([...runtime, `workers/${instance.role}/main.ts`], {
      cwd: root,
      env: {
        ...env,
        ...upstreams(instances),
        PORT: String(instance.port),
        METRICS_PORT: String(instance.metricsPort),
        ROLE_INSTANCE: String(instance.number),
        ...options.roleEnv?.(instance.role),
        ...instance.env,
      },
      stdout: "pipe",
      stderr: "pipe",
    });
    for (const stream of [instance.child.stdout, instance.child.stderr]) void collect(stream, instance.lines);
  };
  const ready = (instance: Instance) =>
    until(
      `${instance.role} is ready`,
      async () => {
        if (instance.child?.exitCode !== null)
          throw new Error(`it ended with ${instance.child?.exitCode}\n${instance.lines.slice(-30).join("\n")}`);
        return (await fetch(`http://127.0.0.1:${instance.port}/readyz`).catch(() => null))?.ok ?? false;
      },
      { timeoutMs: 80_000, describe: () => instance.lines.slice(-5).join("\n").slice(-4_000) },
    );
  const add = async (
    role: RoleName,
    extra: Readonly<Record<string, string>> = {},
    runtime: readonly string[] | null = null,
  ): Promise<Instance> => {
    const number = instances.filter((instance) => instance.role === role).length + 1;
    const port = await ports.choose([firstPort()]);
    const instance: Instance = {
      role,
      number,
      port,
      metricsPort: role === "ui-gateway" ? await ports.choose([firstPort()]) : port,
      env: extra,
      runtime,
      child: null,
      lines: [],
      isSignalled: false,
    };
    instances.push(instance);
    return instance;
  };
  const end = async (instance: Instance, signal: "SIGTERM" | "SIGKILL"): Promise<number> => {
    const { child } = instance;
    if (!child || child.exitCode !== null) return child?.exitCode ?? 0;
    instance.isSignalled = true;
    child.kill(signal);
    return await child.exited;
  };

  const forget = onFailedWait(() => complaints(instances).join("\n"));
  const system: System = {
    env,
    url,
    metricsUrl,
    pid: (role, number) => {
      const { child } = find(role, number);
      if (child === null) throw new Error(`${role} was not started`);
      return child.pid;
    },
    ops: (...args) => opsWith(env, ...args),
    start: async (role, extra, runtime) => {
      const instance = await add(role, extra, runtime);
      run(instance);
      await ready(instance);
      return instance.number;
    },
    kill: async (role, number) => void (await end(find(role, number), "SIGKILL")),
    stop: (role, number) => end(find(role, number), "SIGTERM"),
    restart: async (role, number) => {
      const instance = find(role, number);
      run(instance);
      await ready(instance);
    },
    log: (role, number) => find(role, number).lines,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(
        instances.map(async (instance) => {
          const timer = setTimeout(() => instance.child?.kill("SIGKILL"), 14_000);
          await end(instance, "SIGTERM");
          clearTimeout(timer);
        }),
      );
      forget();
      ports.release();
      if (options.prepare === undefined) await deleteTopics(env);
      await database[Symbol.asyncDispose]();
    },
  };
  try {
    if (options.prepare !== undefined) await options.prepare(env);
    else for (const what of ["topics", "schemas"]) await setUp(what, env);
    for (const role of roleNames) {
      const extra = options.underNode?.includes(role) ? { KAFKA_DRIVER: "librdkafka" } : {};
      for (let count = wanted[role] ?? 0; count > 0; count--) await add(role, extra);
    }
    for (const instance of instances) run(instance);
    await Promise.all(instances.map(ready));
    return system;
  } catch (error) {
    await system[Symbol.asyncDispose]();
    throw error;
  }
}

/** The operator's command line as a process; rejects with what it said where it fails. */
export async function opsWith(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<string> {
  const child = Bun.spawn([process.execPath, "workers/operator/ops.ts", ...args], {
    cwd: root,
    env,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`ops ${args.join(" ")} ended with ${code}\n${out}${err}`);
  return out;
}

const upstreamNames: Partial<Record<RoleName, string>> = {
  "task-service": "TASK_SERVICE_URL",
  "reminder-service": "REMINDER_SERVICE_URL",
  "recurring-task-worker": "RECURRING_TASK_WORKER_URL",
  "reminder-scheduling-worker": "REMINDER_SCHEDULING_WORKER_URL",
  "notification-service": "NOTIFICATION_SERVICE_URL",
};

function upstreams(instances: readonly Instance[]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(upstreamNames).map(([role, variable]) => [
      variable,
      instances
        .filter((instance) => instance.role === role)
        .map((instance) => `http://127.0.0.1:${instance.port}`)
        .join(",") || "http://127.0.0.1:9",
    ]),
  );
}

/** What the instances of a system have complained of lately, and which of them ended by themselves. */
function complaints(instances: readonly Instance[]): readonly string[] {
  return instances.flatMap(({ role, number, child, lines, isSignalled }) => {
    const ended = child !== null && !isSignalled ? (child.exitCode ?? child.signalCode) : null;
    const told = lines.filter((line) => !line.includes('"level":"info"')).slice(-5);
    return [
      ...(ended === null ? [] : [`${role} ${number} has ended by itself with ${ended}: ${lines.at(-1) ?? ""}`]),
      ...told.map((line) => `${role} ${number}: ${line.slice(0, 500)}`),
    ];
  });
}

async function collect(stream: ReadableStream<Uint8Array>, lines: string[]): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    const parts = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
  }
}

/** What `ops` does, without the second that a process of it takes to start. */
async function setUp(what: string, env: Readonly<Record<string, string>>): Promise<void> {
  const lines: string[] = [];
  const terminal = {
    env,
    print: (text: string) => void lines.push(text),
    log: makeLog({}, "error"),
    now: () => new Date(),
  };
  const code = await runOps([what, "apply"], terminal, terminal.print);
  if (code !== 0) throw new Error(`ops ${what} apply ended with ${code}\n${lines.join("\n")}`);
}

/** Below the ports that outgoing connections take, and far apart for systems that start at once. */
const firstPort = () => 12_000 + Math.floor(Math.random() * 15_000);

async function deleteTopics(env: Readonly<Record<string, string>>): Promise<void> {
  await using broker = await openBroker(readConfig(kafkaSettings, env), {
    clientId: "test",
    log: makeLog({}, "error"),
  });
  for (const { name } of await broker.admin.topics()) await broker.admin.deleteTopic(name);
}
