import { chownSync, copyFileSync, mkdtempSync, rmSync, writeFileSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findJava } from "../../dev/stack/java.ts";
import { startKafka } from "../../dev/stack/kafka.ts";
import { fetchMavenParts } from "../../dev/stack/maven-parts.ts";
import { openPortClaims } from "../../dev/stack/ports.ts";
import { runsAsRoot, unprivilegedUid } from "../../dev/stack/postgres-binaries.ts";
import { direct } from "../../shared/http/proxy-for.ts";
import { roleNames, type RoleName } from "../../shared/messages/topics.ts";
import { openAuthority, type Authority } from "./certificates.ts";
import { openPostgresServers } from "./postgres-servers.ts";
import { ownRecords } from "./own-records.ts";
import { redisProgram } from "./own-redis.ts";
import type { StackUrls } from "./stack.ts";
import { until } from "./until.ts";

/** Who the broker knows: the roles, and one who may do everything. */
export type BrokerUser = RoleName | "admin";

/**
 * Postgres, Kafka, Redis and the registry as in production: each takes TLS alone, with a certificate for `localhost` of
 * an authority that nobody else trusts, and a password.
 */
export type SecuredStack = AsyncDisposable &
  Readonly<{
    authority: Authority;
    /** Of another authority, which has certified nothing here. */
    otherCaFile: string;
    /** Of this process, which does not know the authority: the connection to Postgres is sealed and not verified. */
    urls: StackUrls;
    /** What a role is told; its own user is in `brokerUser`. */
    env: Readonly<Record<string, string>>;
    brokerUser: (user: BrokerUser) => Readonly<Record<string, string>>;
    /** Every password there is, none of which a log may hold. */
    passwords: readonly string[];
    /** What the broker's authorizer has decided so far. */
    decisions: () => readonly Decision[];
  }>;

type Decision = Readonly<{ user: string; allowed: boolean; operation: string; resource: string; name: string }>;

/** Below the ports that outgoing connections take: a server that starts slowly would find one of those gone. */
const firstPort = () => 12_000 + Math.floor(Math.random() * 15_000);
const checkout = join(import.meta.dir, "../..");

export async function securedStack(shared: StackUrls): Promise<SecuredStack> {
  await using stack = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), "taskwire-secured-"));
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  const authority = await openAuthority(join(directory, "tls"));
  const { caFile: otherCaFile } = await openAuthority(join(directory, "other-tls"));
  const certificate = await authority.issue("stack");
  const passwords: string[] = [];
  const makePassword = (): string => {
    const password = Buffer.from(crypto.getRandomValues(new Uint8Array(18))).toString("hex");
    passwords.push(password);
    return password;
  };
  const users = Object.fromEntries(["admin", ...roleNames].map((name) => [name, makePassword()]));
  const parts = { directory, authority, certificate, shared, makePassword };
  const [kafka, postgres, redis, registry] = await Promise.all([
    kafkaOf(stack, parts, users),
    postgresOf(stack, parts),
    redisOf(stack, parts),
    registryOf(stack, parts),
  ]);
  const running = stack.move();
  return {
    authority,
    otherCaFile,
    urls: {
      databaseUrl: `${postgres}?sslmode=require`,
      kafkaBrokers: kafka.address,
      schemaRegistryUrl: registry.url,
      redisUrl: redis,
    },
    env: {
      KAFKA_TLS: "true",
      KAFKA_TLS_CA_FILE: authority.caFile,
      KAFKA_SASL_MECHANISM: "SCRAM-SHA-256",
      SCHEMA_REGISTRY_USER: registry.user,
      SCHEMA_REGISTRY_PASSWORD: registry.password,
      NODE_EXTRA_CA_CERTS: authority.caFile,
    },
    brokerUser: (user) => ({ KAFKA_SASL_USERNAME: user, KAFKA_SASL_PASSWORD: users[user] ?? "" }),
    passwords,
    decisions: kafka.decisions,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

type Parts = Readonly<{
  directory: string;
  authority: Authority;
  certificate: Awaited<ReturnType<Authority["issue"]>>;
  shared: StackUrls;
  makePassword: () => string;
}>;

async function kafkaOf(
  stack: AsyncDisposableStack,
  { directory, authority, certificate }: Parts,
  users: Record<string, string>,
) {
  const { recordsDirectory, release } = ownRecords(directory);
  stack.defer(release);
  const claims = openPortClaims();
  stack.defer(claims.release);
  const [port, controllerPort] = [await claims.choose([firstPort()]), await claims.choose([firstPort()])];
  const logFile = join(directory, "kafka.log");
  const { kafka: jars, archives } = await fetchMavenParts({
    checkout,
    directory: join(checkout, ".dev", "parts"),
    say: () => {},
    signal: undefined,
    recordsDirectory,
  });
  const kafka = await startKafka({
    java: findJava(),
    jars,
    archives,
    directory: join(directory, "kafka"),
    port,
    controllerPort,
    logFile,
    recordsDirectory,
    security: {
      certificateFile: certificate.both,
      caFile: authority.caFile,
      subject: "CN=stack",
      users,
      administrator: "admin",
    },
  });
  stack.defer(async () => void (await kafka.stop(1_000)));
  return { address: `localhost:${port}`, decisions: () => readDecisions(readFileSync(logFile, "utf8")) };
}

/** A line of the authorizer says who did what and how it was decided; the same is said again for every request. */
function readDecisions(log: string): readonly Decision[] {
  const line =
    /Principal = User:(\S+) is (Allowed|Denied) operation = (\w+) from \S+ = \S+ on resource = (\w+):LITERAL:(\S+) /g;
  const found = new Map<string, Decision>();
  for (const [, user = "", how, operation = "", resource = "", name = ""] of log.matchAll(line)) {
    const decision = { user, allowed: how === "Allowed", operation, resource: resource.toUpperCase(), name };
    found.set(JSON.stringify(decision), decision);
  }
  return [...found.values()];
}

/** Plain connections are turned away before any password; those over TLS need SCRAM. */
async function postgresOf(stack: AsyncDisposableStack, { certificate, makePassword }: Parts): Promise<string> {
  const servers = stack.use(openPostgresServers());
  const own = servers.folder("tls");
  const place = (from: string, name: string): string => {
    const path = join(own, name);
    copyFileSync(from, path);
    // Postgres takes a key only from a file that is its own.
    if (runsAsRoot()) chownSync(path, unprivilegedUid, unprivilegedUid);
    return path;
  };
  const data = await servers.create();
  const server = await servers.start(data, {
    ssl: "on",
    ssl_cert_file: place(certificate.certificate, "server.pem"),
    ssl_key_file: place(certificate.key, "server.key"),
  });
  const password = makePassword();
  await server.run(`alter user postgres password '${password}'`);
  writeFileSync(join(data.path, "pg_hba.conf"), "hostssl all all 127.0.0.1/32 scram-sha-256\n");
  await server.run("select pg_reload_conf()");
  return `postgres://postgres:${password}@localhost:${server.port}/taskwire`;
}

async function redisOf(
  stack: AsyncDisposableStack,
  { directory, certificate, shared, makePassword }: Parts,
): Promise<string> {
  const program = await redisProgram(shared.redisUrl);
  if (program === null) throw new Error("there is no Redis server on this machine to start");
  const claims = openPortClaims();
  stack.defer(claims.release);
  const port = await claims.choose([firstPort()]);
  const password = makePassword();
  const settings = {
    port: "0",
    "tls-port": String(port),
    "tls-cert-file": certificate.certificate,
    "tls-key-file": certificate.key,
    "tls-auth-clients": "no",
    bind: "127.0.0.1",
    dir: directory,
    requirepass: password,
    hz: "500",
    "maxmemory-policy": "noeviction",
    save: "",
  };
  const server = Bun.spawn([program, ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])], {
    cwd: directory,
    stdout: Bun.file(join(directory, "redis.log")),
  });
  stack.defer(async () => {
    server.kill();
    await server.exited;
  });
  await until("Redis listens", async () => {
    if (server.exitCode !== null) throw new Error(readFileSync(join(directory, "redis.log"), "utf8"));
    return readFileSync(join(directory, "redis.log"), "utf8").includes("Ready to accept connections");
  });
  return `rediss://:${password}@localhost:${port}`;
}

/**
 * The stack's registry, behind what ends TLS and asks for a password: as Redpanda's does, and a proxy before any other.
 */
async function registryOf(stack: AsyncDisposableStack, { certificate, shared, makePassword }: Parts) {
  const [user, password] = ["taskwire", makePassword()];
  const expected = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const inside = new URL(shared.schemaRegistryUrl);
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    development: false,
    tls: { cert: Bun.file(certificate.certificate), key: Bun.file(certificate.key) },
    fetch: async (request) => {
      if (request.headers.get("authorization") !== expected)
        return Response.json({ error_code: 401, message: "Unauthorized" }, { status: 401 });
      const { pathname, search } = new URL(request.url);
      const body = request.body === null ? {} : { body: await request.arrayBuffer() };
      const { status, headers, ...answer } = await fetch(new URL(pathname + search, inside), {
        method: request.method,
        headers: { "content-type": "application/json" },
        ...body,
        ...direct,
      }).then(async (got) => ({ status: got.status, headers: got.headers, text: await got.text() }));
      return new Response(answer.text, { status, headers: { "content-type": headers.get("content-type") ?? "" } });
    },
  });
  stack.defer(() => server.stop(true));
  return { url: `https://localhost:${server.port}${inside.pathname}`, user, password };
}
