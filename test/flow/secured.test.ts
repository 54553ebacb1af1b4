import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Admin } from "@platformatic/kafka";
import { Redis } from "ioredis";
import { readConfig } from "../../shared/role/config.ts";
import { openAclAdmin, type Acl } from "../../shared/kafka/acls.ts";
import { implied } from "../../shared/kafka/call-needs.ts";
import { openBroker } from "../../shared/kafka/kafka-broker.ts";
import { clientOptions, kafkaSettings } from "../../shared/kafka/settings.ts";
import { makeLog } from "../../shared/role/log.ts";
import { openDb } from "../../shared/postgres/db.ts";
import { openRegistry, registrySettings } from "../../shared/avro/registry.ts";
import { groupNames, roleNames, type RoleName } from "../../shared/messages/topics.ts";
import { wantedAcls, type WantedAcl } from "../../workers/operator/acls/wanted-acls.ts";
import { runOps } from "../../workers/operator/ops.ts";
import { openAttempts, outcomeOf, type Attempt, type KnownTopic } from "../support/broker-attempts.ts";
import { openStream, signIn, type Json } from "../support/client.ts";
import { nodeCommand, whyNoRdKafka } from "../support/node-runtime.ts";
import { skipOwnParts } from "../support/own-stack.ts";
import { securedStack, type BrokerUser, type SecuredStack } from "../support/secured-stack.ts";
import { stack as sharedStack } from "../support/stack.ts";
import { opsWith, startSystem, type System } from "../support/system.ts";
import { until } from "../support/until.ts";

const skip = skipOwnParts();
const whyNoDriver = skip ? null : await whyNoRdKafka();
let stack: SecuredStack;
let system: System;
let gateway: string;

/** The command line in this process, which takes Postgres' certificate without verifying it. */
async function ops(user: BrokerUser, ...args: readonly string[]): Promise<string> {
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  const databaseUrl = (system.env["DATABASE_URL"] ?? "").replace("sslmode=verify-full", "sslmode=require");
  const env = { ...system.env, ...stack.brokerUser(user), DATABASE_URL: databaseUrl };
  const code = await runOps(args, { env, print, log: makeLog({}, "error") }, print);
  if (code !== 0) throw new Error(`ops ${args.join(" ")} ended with ${code}\n${lines.join("\n")}`);
  return lines.join("\n");
}
const asAdmin = (...args: readonly string[]) => ops("admin", ...args);

beforeAll(async () => {
  if (skip) return;
  stack = await securedStack(sharedStack());
  system = await startSystem({
    stack: stack.urls,
    env: { ...stack.env, ...stack.brokerUser("operator") },
    roleEnv: stack.brokerUser,
    databaseUrl: (url) => url.replace("sslmode=require", "sslmode=verify-full"),
    prepare: async (env) => {
      await opsWith({ ...env, ...stack.brokerUser("admin") }, "acls", "apply");
      await Promise.all([opsWith(env, "topics", "apply"), opsWith(env, "schemas", "apply")]);
    },
  });
  gateway = system.url("ui-gateway");
}, 300_000);
afterAll(async () => {
  await system?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
}, 60_000);

const configOf = (user: BrokerUser) => readConfig(kafkaSettings, { ...system.env, ...stack.brokerUser(user) });
const openAcls = () => openAclAdmin(configOf("admin"), { clientId: "test", log: makeLog({}, "error") });
const wanted = () => wantedAcls({ principal: "User:{role}", prefix: system.env["KAFKA_PREFIX"] ?? "" });
/** Several roles are at work in what is waited for. */
const patience = { timeoutMs: 40_000 };
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();

test.skipIf(skip)(
  "over TLS, with passwords, a user for each role and its ACLs alone, a task is created, streamed and reminded of",
  async () => {
    const ada = await signIn(gateway, "ada");
    using updates = await openStream(gateway, ada);
    const task = await ada.must("POST", "/v1/tasks", { title: "Sealed", due_date: inSeconds(2) });
    await updates.waitFor("the creation", ({ data }) => data.task_id === task.id && data.change_type === "created");
    await until(
      "the notification is delivered",
      async () => {
        const { items } = await ada.must<Json>("GET", "/v1/notifications");
        return items.filter((item) => item["task_id"] === task.id && item["status"] === "delivered").length === 2;
      },
      patience,
    );
  },
);

test.skipIf(skip)("`ops acls` has every ACL as wanted, and nothing too much", async () => {
  const { acls } = JSON.parse(await asAdmin("acls", "plan", "--json")) as { acls: readonly Json[] };
  expect(acls.filter(({ state }) => state !== "as wanted")).toEqual([]);
  expect(acls).toHaveLength(wanted().length);
});

test.skipIf(skip)(
  "no role was refused anything it tried, and consumers and the gateway have no ACL that they do not use",
  async () => {
    const decisions = stack.decisions();
    expect(decisions.filter(({ user, allowed }) => !allowed && roleNames.some((role) => role === user))).toEqual([]);
    const isUsed = ({ role, resource, name, operation }: ReturnType<typeof wanted>[number]) =>
      decisions.some(
        (one) => one.user === role && one.resource === resource && one.name === name && one.operation === operation,
      );
    // The relay may write what nothing here has gone wrong enough for; the operator's commands are people's.
    const watched = wanted().filter(({ role }) => role !== "outbox-relay" && role !== "operator");
    expect(watched.length).toBeGreaterThan(30);
    expect(watched.filter((acl) => !isUsed(acl))).toEqual([]);
  },
);

/** Every topic of the product, and one of somebody else's, with its id. */
async function knownTopics(): Promise<readonly KnownTopic[]> {
  const admin = new Admin(clientOptions(configOf("admin"), "test"));
  try {
    const foreign = `${system.env["KAFKA_PREFIX"]}of-somebody-else`;
    await admin.createTopics({ topics: [foreign], partitions: 1, replicas: 1 });
    const names = [...new Set(wanted().flatMap(({ resource, name }) => (resource === "TOPIC" ? [name] : []))), foreign];
    return await until("the new topic is known", async () => {
      const { topics } = await admin
        .metadata({ topics: names, forceUpdate: true })
        .catch(() => ({ topics: new Map() }));
      return topics.size === names.length && names.map((name) => ({ name, id: topics.get(name).id }));
    });
  } finally {
    await admin.close();
  }
}

function allows({ resource, name, operation }: Acl, attempt: Attempt): boolean {
  const covers = operation === attempt.operation || (implied[operation]?.includes(attempt.operation) ?? false);
  return covers && resource === attempt.resource && name === attempt.name;
}

test.skipIf(skip)(
  "each role's user is refused, on every topic and group and on the cluster, all that the table does not give it",
  async () => {
    const topics = await knownTopics();
    const groups = groupNames.map((group) => `${system.env["KAFKA_PREFIX"]}${group}`);
    const tried = await Promise.all(
      roleNames.map(async (role) => {
        await using attempts = openAttempts(configOf(role), { topics, groups, node: 1 });
        const own = wanted().filter((acl) => acl.role === role);
        const forbidden = attempts.all.filter((attempt) => !own.some((acl) => allows(acl, attempt)));
        const outcomes: string[] = [];
        for (const attempt of forbidden)
          outcomes.push(`${role}: ${attempt.what}, ${attempt.name}: ${await outcomeOf(attempt)}`);
        return { outcomes, isOwn: attempts.all.length - forbidden.length };
      }),
    );
    expect(tried.flatMap(({ outcomes }) => outcomes.filter((outcome) => !outcome.endsWith(": refused")))).toEqual([]);
    // Nobody may do nothing, and all of them together little of all there is.
    expect(tried.filter(({ isOwn }) => isOwn === 0)).toEqual([]);
    expect(tried.flatMap(({ outcomes }) => outcomes).length).toBeGreaterThan(1_500);
  },
  180_000,
);

/** Takes from a role what it may do on a topic or group, by the table's own line. */
async function revoke(role: RoleName, operation: Acl["operation"], name: string): Promise<WantedAcl> {
  const found = wanted().find(
    (acl) => acl.role === role && acl.operation === operation && acl.name.endsWith(`.${name}`),
  );
  if (found === undefined) throw new Error(`${role} has no ${operation} on ${name}`);
  await using acls = openAcls();
  await acls.remove([found]);
  return found;
}

/** Waits until a role has said, since `from`, what it lacks. */
async function untilItSays(role: RoleName, { operation, resource, name }: WantedAcl, from: number): Promise<void> {
  // Whichever call comes first: one that needs DESCRIBE alone lacks it without the operation that brings it.
  const words = ["DESCRIBE", operation].map(
    (lacking) => `does not let User:${role} do this, it needs ${lacking} on ${resource.toLowerCase()} ${name}:`,
  );
  const lines = () => system.log(role).slice(from);
  await until(`${role} says what it lacks`, () => lines().some((line) => words.some((text) => line.includes(text))), {
    describe: () => lines().slice(-3).join("\n").slice(-3_000),
    timeoutMs: 40_000,
  });
}

const readiness = async (role: RoleName) => {
  const answer = await fetch(`${system.metricsUrl(role)}/readyz`);
  return { status: answer.status, text: await answer.text() };
};

/** What was given up on or put off: nothing may be. */
async function expectNothingSpent(): Promise<void> {
  const [letters, parked] = await Promise.all([
    ops("operator", "dlq", "ls", "--json"),
    ops("operator", "parked", "ls", "--json"),
  ]);
  expect([letters, parked].map((text) => JSON.parse(text))).toEqual([{ deadLetters: [] }, { parked: [] }]);
}

test.skipIf(skip)(
  "a role that may not read its topic says so at its start and is not ready; when it may, it does what waited",
  async () => {
    const bea = await signIn(gateway, "bea");
    await system.stop("notification-service");
    const from = system.log("notification-service").length;
    const lacking = await revoke("notification-service", "READ", "reminders");
    const back = system.restart("notification-service");
    back.catch(() => {}); // a failure before it is awaited is told by the test itself
    const task = await bea.must("POST", "/v1/tasks", { title: "Waits", due_date: inSeconds(1) });
    await untilItSays("notification-service", lacking, from);
    expect(await readiness("notification-service")).toMatchObject({ status: 503 });
    await asAdmin("acls", "apply");
    await back;
    await until(
      "the notification is delivered",
      async () => {
        const { items } = await bea.must<Json>("GET", "/v1/notifications");
        return items.some((item) => item["task_id"] === task.id && item["status"] === "delivered");
      },
      patience,
    );
  },
);

test.skipIf(skip)(
  "roles that lose what they may do say so, wait without a restart, and go on when they have it again",
  async () => {
    const cid = await signIn(gateway, "cid");
    using updates = await openStream(gateway, cid);
    const roles = ["outbox-relay", "task-update-broadcaster"] as const;
    const [relayLines = 0, broadcasterLines = 0] = roles.map((role) => system.log(role).length);
    const writing = await revoke("outbox-relay", "WRITE", "task-events");
    const reading = await revoke("task-update-broadcaster", "READ", "task-update-broadcaster");
    const task = await cid.must("POST", "/v1/tasks", { title: "Buffered" });
    await Promise.all([
      untilItSays("outbox-relay", writing, relayLines),
      untilItSays("task-update-broadcaster", reading, broadcasterLines),
    ]);
    for (const role of roles)
      await until(`${role} tells it`, async () => (await readiness(role)).text.includes("kafka (refusing)"), patience);
    await asAdmin("acls", "apply");
    await updates.waitFor("the creation", ({ data }) => data.task_id === task.id, 40_000);
    for (const role of roles) {
      await until(`${role} is well`, async () => !(await readiness(role)).text.includes("kafka (refusing)"), patience);
      expect(system.log(role).filter((line) => line.includes(`"event":"starting"`))).toHaveLength(1);
    }
    await expectNothingSpent();
  },
);

/** Every message of a failure, of its causes and its parts. */
function wordsOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error) || depth > 8) return String(error);
  const parts: readonly unknown[] = "errors" in error && Array.isArray(error.errors) ? error.errors : [];
  const inner = [error.cause, ...parts].filter((one) => one !== undefined).map((one) => wordsOf(one, depth + 1));
  return [error.message, "code" in error ? String(error.code) : "", ...inner].join(" ");
}

const failureOf = (work: Promise<unknown>) => work.then(() => "it worked", wordsOf);
const byAddress = (text: string | undefined = "") => text.replace("localhost", "127.0.0.1");
const otherPassword = (text: string | undefined = "") => text.replace(/:[0-9a-f]{36}@/, ":not-the-password@");
const unknownAuthority = /unable to verify|UNABLE_TO_VERIFY/;
const otherName = /ALTNAME_INVALID/;

test.skipIf(skip)(
  "a broker of another authority, of another name, or that does not know the password is told from one another",
  async () => {
    const own = configOf("task-service");
    const ask = async (change: Partial<typeof own>) => {
      await using broker = await openBroker(
        { ...own, ...change },
        { clientId: "test", log: makeLog({}, "error", () => {}) },
      );
      return await failureOf(broker.admin.groups());
    };
    const brokers = own.brokers.map(byAddress);
    const told = await Promise.all([
      ask({ tlsCaFile: null }),
      ask({ brokers }),
      ask({ saslPassword: "not-the-password" }),
      ask({ tls: false }),
      ask({}),
    ]);
    expect(told).toEqual([
      expect.stringMatching(unknownAuthority),
      expect.stringMatching(otherName),
      expect.stringContaining("SASL authentication failed"),
      expect.stringMatching(/PLT_KFK_(NETWORK|AUTHENTICATION)/),
      "it worked",
    ]);
  },
);

test.skipIf(skip)("Postgres, Redis and the registry of an authority that nobody told of are not believed", async () => {
  // This process was not told of it, as the roles were.
  const log = makeLog({}, "error", () => {});
  const database = {
    url: system.env["DATABASE_URL"] ?? "",
    directUrl: null,
    statementMs: 10_000,
  };
  const redis = new Redis(system.env["REDIS_URL"] ?? "", {
    lazyConnect: true,
    retryStrategy: () => null,
  });
  const said: string[] = [];
  redis.on("error", (error) => said.push(wordsOf(error)));
  const [ofPostgres, ofRegistry] = await Promise.all([
    failureOf(openDb(database, { role: "test", log })),
    failureOf(openRegistry(readConfig(registrySettings, system.env)).ping()),
    failureOf(redis.connect()),
  ]);
  redis.disconnect();
  for (const words of [ofPostgres, ofRegistry, said.join(" ")]) expect(words).toMatch(unknownAuthority);
});

/** A role that starts asks the registry itself only where none has done so within half a minute. */
async function forgetConfirmed(): Promise<void> {
  const url = (system.env["DATABASE_URL"] ?? "").replace("sslmode=verify-full", "sslmode=require");
  const database = { url, directUrl: null, statementMs: 10_000 };
  await using db = await openDb(database, { role: "test", log: makeLog({}, "error") });
  await db.sql`update registry_turns set confirmed_at = null`;
}

/** Starts a role beside the others until it has said all of `words`, or ended; what it wrote. */
async function startWrongly(
  change: Readonly<Record<string, string>>,
  words: readonly RegExp[],
  role: RoleName = "reminder-service",
): Promise<string> {
  const runtime = change["KAFKA_DRIVER"] === "librdkafka" ? nodeCommand() : [process.execPath];
  const child = Bun.spawn([...runtime, `workers/${role}/main.ts`], {
    env: { ...system.env, ...stack.brokerUser(role), PORT: "0", ...change },
    stdout: "pipe",
    stderr: "inherit",
  });
  let text = "";
  const reading = (async () => {
    for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (words.every((word) => word.test(text))) return;
    }
  })();
  await Promise.race([reading, Bun.sleep(60_000)]); // a role that says nothing of it fails the expectation
  child.kill("SIGKILL");
  await child.exited;
  return text;
}

test.skipIf(skip)(
  "a role says which part has another name than its certificate, or does not take the password, and tells no password",
  async () => {
    const { DATABASE_URL, REDIS_URL, SCHEMA_REGISTRY_URL } = system.env;
    const wrongs: readonly (readonly [change: Record<string, string>, words: readonly RegExp[]])[] = [
      [{ DATABASE_URL: byAddress(DATABASE_URL) }, [/"event":"failed".*ALTNAME_INVALID/]],
      [{ DATABASE_URL: otherPassword(DATABASE_URL) }, [/"event":"failed".*password authentication failed/]],
      [{ DATABASE_URL: (DATABASE_URL ?? "").replace(/\?.*/, "") }, [/"event":"failed".*no encryption/]],
      [
        { REDIS_URL: byAddress(REDIS_URL), SCHEMA_REGISTRY_PASSWORD: "not-the-password" },
        [/"event":"redis_error".*ALTNAME_INVALID/, /registry.*401/],
      ],
      [
        {
          REDIS_URL: otherPassword(REDIS_URL),
          SCHEMA_REGISTRY_URL: byAddress(SCHEMA_REGISTRY_URL),
        },
        [/"event":"redis_error".*WRONGPASS/, /registry.*ALTNAME_INVALID/],
      ],
    ];
    await forgetConfirmed();
    const said = await Promise.all(wrongs.map(([change, words]) => startWrongly(change, words)));
    for (const [index, [, words]] of wrongs.entries()) for (const word of words) expect(said[index]).toMatch(word);
    expect([...stack.passwords, "not-the-password"].filter((password) => said.join("").includes(password))).toEqual([]);
  },
);

describe.skipIf(skip || whyNoDriver !== null)(
  `with librdkafka${whyNoDriver === null ? "" : ` (skipped: ${whyNoDriver.split("\n")[0]})`}`,
  () => {
    const driver = { KAFKA_DRIVER: "librdkafka" };

    test("over TLS, with the same users and ACLs, relay and broadcaster do their work and are refused nothing", async () => {
      const roles = ["outbox-relay", "task-update-broadcaster"] as const;
      for (const role of roles) await system.stop(role);
      for (const role of roles) await system.start(role, driver);
      const dee = await signIn(gateway, "dee");
      using updates = await openStream(gateway, dee);
      const task = await dee.must("POST", "/v1/tasks", {
        title: "Sealed by another",
        due_date: inSeconds(2),
      });
      await updates.waitFor("the creation", ({ data }) => data.task_id === task.id && data.change_type === "created");
      await until(
        "the notification is delivered",
        async () => {
          const { items } = await dee.must<Json>("GET", "/v1/notifications");
          return items.some((item) => item["task_id"] === task.id && item["status"] === "delivered");
        },
        patience,
      );
      for (const role of roles) {
        const lines = system.log(role, 2).join("\n");
        expect(lines).toContain('"event":"kafka_driver"');
        expect(lines).not.toContain("does not let User:");
        expect(stack.passwords.filter((password) => lines.includes(password))).toEqual([]);
      }
      await expectNothingSpent();
    }, 120_000);

    test("a relay that may write nothing says so, and goes on without a restart when it may", async () => {
      await system.stop("outbox-relay", 2);
      const writes = wanted().filter(({ role, operation }) => role === "outbox-relay" && operation.endsWith("WRITE"));
      await using acls = openAcls();
      await acls.remove(writes);
      await system.restart("outbox-relay", 2);
      const from = system.log("outbox-relay", 2).length;
      const eve = await signIn(gateway, "eve");
      using updates = await openStream(gateway, eve);
      const task = await eve.must("POST", "/v1/tasks", { title: "Buffered by another" });
      const lines = () => system.log("outbox-relay", 2).slice(from);
      await until("it says that it is refused", () => lines().some((line) => line.includes('"event":"send_failed"')), {
        timeoutMs: 40_000,
      });
      await asAdmin("acls", "apply");
      await updates.waitFor("the creation", ({ data }) => data.task_id === task.id, 60_000);
      expect(system.log("outbox-relay", 2).filter((line) => line.includes('"event":"starting"'))).toHaveLength(2);
      await expectNothingSpent();
    }, 120_000);

    test("a role says that the broker is of another authority or name, or does not take the password, and tells no password", async () => {
      const wrongs: readonly (readonly [role: RoleName, change: Record<string, string>, words: readonly RegExp[]])[] = [
        ["outbox-relay", { KAFKA_SASL_PASSWORD: "not-the-password" }, [/authentication failure/]],
        ["task-update-broadcaster", { KAFKA_SASL_PASSWORD: "not-the-password" }, [/SASL authentication/i]],
        ["task-update-broadcaster", { KAFKA_BROKERS: byAddress(system.env["KAFKA_BROKERS"]) }, [otherName]],
        ["task-update-broadcaster", { KAFKA_TLS_CA_FILE: stack.otherCaFile }, [/certificate signature failure/]],
      ];
      const starting = Promise.all(
        wrongs.map(([role, change, words]) => startWrongly({ ...driver, ...change }, words, role)),
      );
      // The relay asks the broker for something once there is something to send in a shard that it holds.
      let isOver = false;
      const over = starting.finally(() => (isOver = true));
      for (let n = 0; !isOver; n++) {
        const person = await signIn(gateway, `person-${n}`);
        await person.must("POST", "/v1/tasks", { title: "Waits for a relay" });
        await Promise.race([over, Bun.sleep(200)]);
      }
      const said = await starting;
      for (const [index, [, , words]] of wrongs.entries()) for (const word of words) expect(said[index]).toMatch(word);
      const secrets = [...stack.passwords, "not-the-password"];
      expect(secrets.filter((password) => said.join("").includes(password))).toEqual([]);
    }, 120_000);
  },
);

test.skipIf(skip)("no password is in any role's log", () => {
  const logs = roleNames.flatMap((role) => system.log(role)).join("\n");
  expect(logs.length).toBeGreaterThan(1_000);
  expect(stack.passwords.filter((password) => logs.includes(password))).toEqual([]);
});
