import { expect, test } from "bun:test";
import type { Acl } from "../../../shared/kafka/acls.ts";
import {
  consumerGroups,
  deadLetterTopic,
  deadLetterTopics,
  groupNames,
  roleNames,
  topicNames,
} from "../../../shared/messages/topics.ts";
import { planAcls } from "../../../workers/operator/acls/plan-acls.ts";
import { aclCommands, userCommands } from "../../../workers/operator/acls/print-acls.ts";
import { readPrincipal, wantedAcls } from "../../../workers/operator/acls/wanted-acls.ts";
import { runOps } from "../../../workers/operator/ops.ts";
import { makeLog } from "../../../shared/role/log.ts";

const deployment = { principal: "User:{role}", prefix: "a." };
const wanted = wantedAcls(deployment);

/** As "READ topic a.task-events", sorted. */
function allowed(principal: string): readonly string[] {
  return wanted
    .filter((acl) => acl.principal === principal)
    .map(({ operation, resource, name }) => `${operation} ${resource.toLowerCase()} ${name}`)
    .toSorted();
}

test("the relay alone may write: every topic and every dead-letter topic, and nothing else", () => {
  expect(wanted.filter(({ operation }) => operation === "WRITE").map(({ principal }) => principal)).toEqual(
    Array<string>(topicNames.length + deadLetterTopics.length).fill("User:outbox-relay"),
  );
  const all = [...topicNames, ...deadLetterTopics];
  expect(allowed("User:outbox-relay")).toEqual(all.map((name) => `WRITE topic a.${name}`).toSorted());
});

test("a consumer may read its topics and its group, and see how long they and its dead letters are kept", () => {
  for (const group of groupNames)
    expect(allowed(`User:${group}`)).toEqual(
      [
        ...consumerGroups[group].flatMap((topic) => [`READ topic a.${topic}`, `DESCRIBE_CONFIGS topic a.${topic}`]),
        `DESCRIBE topic a.${deadLetterTopic(group)}`,
        `DESCRIBE_CONFIGS topic a.${deadLetterTopic(group)}`,
        `READ group a.${group}`,
      ].toSorted(),
    );
});

test("the gateway may read task-updates and belongs to no group", () => {
  expect(allowed("User:ui-gateway")).toEqual(["READ topic a.task-updates"]);
});

test("the operator makes, mends and reads topics and moves groups, and deletes nothing", () => {
  const all = [...topicNames, ...deadLetterTopics];
  expect(allowed("User:operator")).toEqual(
    [
      ...all.flatMap((name) =>
        ["READ", "CREATE", "ALTER", "ALTER_CONFIGS"].map((operation) => `${operation} topic a.${name}`),
      ),
      ...groupNames.map((group) => `READ group a.${group}`),
    ].toSorted(),
  );
});

test("every role has ACLs, each on one literal name of this deployment and with its reason; nobody has any on the cluster", () => {
  expect(new Set(wanted.map(({ role }) => role))).toEqual(new Set(roleNames));
  for (const { name, pattern, resource, permission, why } of wanted) {
    expect(name.startsWith("a.") && !name.includes("*")).toBe(true);
    expect([pattern, permission]).toEqual(["LITERAL", "ALLOW"]);
    expect(["TOPIC", "GROUP"]).toContain(resource);
    expect(why.length).toBeGreaterThan(0);
  }
});

const bare = ({ principal, host, resource, name, pattern, operation, permission }: Acl): Acl => ({
  principal,
  host,
  resource,
  name,
  pattern,
  operation,
  permission,
});

test("the plan keeps what is there, creates what is missing and calls extra what no role needs", () => {
  const [first, ...rest] = wanted;
  if (first === undefined) throw new Error("nothing is wanted");
  const planted: Acl = { ...bare(first), operation: "DELETE" };
  const forbidding: Acl = { ...bare(first), permission: "DENY" };
  const plan = planAcls(wanted, [...rest.map(bare), planted, forbidding], deployment);
  expect(plan.filter(({ kind }) => kind === "create").map(({ acl }) => acl)).toEqual([first]);
  expect(plan.filter(({ kind }) => kind === "keep")).toHaveLength(rest.length);
  expect(plan.filter(({ kind }) => kind === "extra").map(({ acl }) => acl)).toEqual([planted, forbidding]);
});

test("the plan says nothing of other principals and other deployments, unless a rule reaches into this one", () => {
  const of = (change: Partial<Acl>): Acl => ({
    principal: "User:task-service",
    host: "*",
    resource: "TOPIC",
    name: "b.task-events",
    pattern: "LITERAL",
    operation: "READ",
    permission: "ALLOW",
    ...change,
  });
  const reaching = [
    of({ name: "*" }),
    of({ name: "b.", pattern: "PREFIXED" }),
    of({ resource: "CLUSTER", name: "kafka-cluster" }),
  ];
  const others = [of({}), of({ principal: "User:somebody", name: "a.task-events" })];
  const plan = planAcls([], [...others, ...reaching], deployment);
  expect(plan.map(({ acl }) => acl)).toEqual(reaching);
});

test("as commands, each ACL appears once, under a comment that says why", () => {
  for (const tool of ["rpk", "kafka"] as const) {
    const lines = aclCommands(tool, wanted);
    const commands = lines.filter((line) => !line.startsWith("#"));
    expect(lines).toHaveLength(2 * commands.length);
    const names = commands.flatMap((line) =>
      [...line.matchAll(/--(?:topic|group) (\S+)/g)].flatMap(([, name = ""]) => name.split(",")),
    );
    expect(names).toHaveLength(wanted.length);
  }
  expect(aclCommands("rpk", wanted)).toContain(
    "rpk security acl create --allow-principal User:ui-gateway --operation read --resource-pattern-type literal --topic a.task-updates",
  );
  expect(aclCommands("kafka", wanted).join("\n")).toContain(
    "--operation DescribeConfigs --topic a.task-commands --topic a.task-service-dlq",
  );
});

test("principals that a shell would read otherwise are quoted", () => {
  const named = wantedAcls({ principal: "User:CN={role},O=Example $Inc", prefix: "" });
  expect(aclCommands("rpk", named)[1]).toContain("--allow-principal 'User:CN=task-service,O=Example $Inc' ");
  expect(() => readPrincipal("User:taskwire")).toThrow("{role}");
});

test("commands for users take passwords from the environment", () => {
  const lines = userCommands("rpk", "User:{role}", "SCRAM-SHA-512");
  expect(lines).toHaveLength(roleNames.length);
  for (const line of lines) expect(line).toMatch(/--mechanism SCRAM-SHA-512 --password "\$[A-Z_]+_PASSWORD"$/);
});

test("ops acls prints commands without any broker, and refuses half a wish", async () => {
  const run = async (...args: string[]) => {
    const printed: string[] = [];
    const print = (text: string) => void printed.push(text);
    const code = await runOps(args, { env: { KAFKA_PREFIX: "x." }, print, log: makeLog({}, "error") }, print);
    return { code, text: printed.join("\n") };
  };
  expect(await run("acls", "plan", "--rpk")).toEqual({
    code: 0,
    text: aclCommands("rpk", wantedAcls({ principal: "User:{role}", prefix: "x." })).join("\n"),
  });
  for (const args of [
    ["plan", "--prune"],
    ["apply", "--rpk"],
    ["plan", "--rpk", "--kafka"],
    ["plan", "--principal", "User:x"],
  ])
    expect((await run("acls", ...args)).code).toBe(2);
});
