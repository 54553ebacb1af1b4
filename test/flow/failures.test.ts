import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { openStream, signIn, type Client, type Json } from "../support/client.ts";
import { readTopic, topicEnds } from "../support/read-topic.ts";
import { settled } from "../support/settled.ts";
import { startSystem, type System } from "../support/system.ts";
import { until } from "../support/until.ts";
import { watchHandling, type Watched } from "../support/watch-handling.ts";

const long = process.env["LONG_TESTS"] === "1";
const root = join(import.meta.dir, "../..");
const group = "task-update-broadcaster";
const topic = "task-events";
/** No row of the failure table: retried, then parked. A check that fails is permanent. */
const [unknown, permanent] = ["P0001", "23514"];
const token = crypto.randomUUID();

let system: System;
let gateway: string;
let handling: Watched;
beforeAll(async () => {
  system = await startSystem({ env: { OPERATOR_TOKEN: token } });
  gateway = system.url("ui-gateway");
  handling = await watchHandling(system.env["DATABASE_URL"] ?? "");
}, 150_000);
afterAll(async () => {
  await handling?.[Symbol.asyncDispose]();
  await system?.[Symbol.asyncDispose]();
}, 30_000);

type ParkedKey = Json &
  Readonly<{ group: string; partition: number; headOffset: number; messages: number; attempts: number; error: string }>;
const opsJson = async (...args: readonly string[]): Promise<Json> => JSON.parse(await system.ops(...args, "--json"));
const parkedKey = async (key: string) => {
  const { parked } = (await opsJson("parked", "ls", "--key", key)) as Json & { parked: ParkedKey[] };
  return parked[0] ?? null;
};
const retry = (key: string) => system.ops("parked", "retry", "--group", group, "--topic", topic, "--key", key);
const deadLetters = async (key: string) => {
  const found = await opsJson("dlq", "ls", "--key", key, "--state", "all");
  return found["deadLetters"] as (Json & { partition: number; offset: number })[];
};
/** The messages of a task in their order, as the log has them. */
const eventsOf = async (taskId: string) =>
  (await readTopic(system.env, topic)).filter(({ envelope }) => envelope.subject === taskId);
const patch = (user: Client, id: string, body: unknown) => user.must("PATCH", `/v1/tasks/${id}`, body);

let doomed: string; // the task that has a dead letter, from the first test on

test("while the handler fails for one task its later events wait in order and everyone else's flow; healed they run in order; made permanent there is one dead letter, and the key goes on", async () => {
  const ada = await signIn(gateway, "ada");
  using stream = await openStream(gateway, ada);
  const shows = (id: string, version: number) =>
    stream.waitFor(
      `${id} at version ${version}`,
      ({ data }) => data.task_id === id && data.payload.version === version,
    );
  const task = await ada.must("POST", "/v1/tasks", { title: "Failing" });
  const others: Json[] = [];
  for (let n = 0; n < 4; n++) others.push(await ada.must("POST", "/v1/tasks", { title: `Other ${n}` }));
  for (const { id } of [task, ...others]) await shows(id, 1);

  await handling.fail({ taskId: task.id, sqlstate: unknown });
  for (let version = 2; version <= 6; version++) {
    await patch(ada, task.id, { title: `Failing ${version}` });
    for (const { id } of others) await patch(ada, id, { title: `Flowing ${version}` });
  }
  for (const { id } of others) await shows(id, 6);
  await until("all five wait behind the first", async () => (await parkedKey(task.id))?.messages === 5);
  const before = await parkedKey(task.id);
  await retry(task.id);
  const parked = await until("the head was tried once more", async () => {
    const now = await parkedKey(task.id);
    return now !== null && now.attempts > (before?.attempts ?? 0) ? now : null;
  });
  const events = await eventsOf(task.id);
  expect(parked).toMatchObject({
    group,
    topic,
    messages: 5,
    class: "unknown",
    headOffset: Number(events[1]?.record.offset),
  });
  expect(await handling.folds(task.id)).toEqual([1]);
  for (const { id } of others) await patch(ada, id, { title: "Still flowing" });
  for (const { id } of others) await shows(id, 7);
  expect(await handling.folds(task.id)).toEqual([1]);

  await handling.heal();
  const healed = await handling.mark();
  await retry(task.id);
  await shows(task.id, 6);
  await until("nothing is parked", async () => (await parkedKey(task.id)) === null);
  expect(await handling.folds(task.id)).toEqual([1, 2, 3, 4, 5, 6]);
  const waited = events.slice(1).map(({ envelope }) => envelope.id);
  const ofTask = (await handling.fates(healed)).filter(
    (fate) => fate.group === group && waited.includes(fate.messageId),
  );
  expect(ofTask).toEqual(waited.map((messageId) => ({ group, messageId, fate: "done" })));
  expect(await deadLetters(task.id)).toEqual([]);

  await handling.fail({ taskId: task.id, contains: "poisonous", sqlstate: permanent });
  await patch(ada, task.id, { title: "poisonous" });
  await patch(ada, task.id, { description: "goes on" });
  await patch(ada, task.id, { description: "and on" });
  await shows(task.id, 9);
  expect((await handling.folds(task.id)).at(-1)).toBe(9);
  const [letter, ...more] = await deadLetters(task.id);
  expect(more).toEqual([]);
  const original = (await eventsOf(task.id))[6];
  expect(letter).toMatchObject({
    group,
    topic,
    key: task.id,
    partition: original?.record.partition,
    offset: Number(original?.record.offset),
    class: "permanent",
    type: "TaskUpdated",
    userId: ada.userId,
  });
  const [dead, ...besides] = await until("it is in the dead-letter topic", async () => {
    const records = await readTopic(system.env, `${group}-dlq`);
    return records.length > 0 ? records : null;
  });
  expect(besides).toEqual([]);
  expect(dead?.record.key).toBe(task.id);
  expect(Buffer.from(dead?.record.value ?? [])).toEqual(Buffer.from(original?.record.value ?? []));
  const headers = (dead?.record.headers ?? []).map(([name, value]) => [name, Buffer.from(value).toString()] as const);
  const given = (original?.record.headers ?? []).map(([name, value]) => [name, Buffer.from(value).toString()] as const);
  expect(headers).toEqual(expect.arrayContaining(given.filter(([name]) => name !== "ce_sequence")));
  const told = Object.fromEntries(headers);
  expect(told).toMatchObject({
    "x-original-topic": topic,
    "x-original-partition": String(original?.record.partition),
    "x-original-offset": String(original?.record.offset),
    "x-original-timestamp": new Date(original?.record.timestamp ?? 0).toISOString(),
    "x-group": group,
    "x-error-class": "permanent",
    "x-error-message": `the view of task ${task.id} cannot be written`,
    "x-error-stack": expect.stringMatching(/PostgresError: the view of task .*\n +at /),
    "x-error-fingerprint": expect.stringMatching(/\S/),
    "x-service-version": expect.stringMatching(/\S/),
    "x-schema-id": expect.stringMatching(/^\d+$/),
    "x-failed-at": expect.stringMatching(/Z$/),
  });
  expect(JSON.parse(told["x-attempts"] ?? "[]")).toMatchObject([{ class: "permanent" }, { class: "permanent" }]);
  await handling.heal();
  doomed = task.id;
}, 120_000);

test("given a task's id alone, the three commands of the README name the group, the error and the position; the operator's API tells what the command line tells", async () => {
  const ben = await signIn(gateway, "ben");
  const task = await ben.must("POST", "/v1/tasks", { title: "Stuck" });
  await until("it was handled", async () => (await handling.folds(task.id)).length === 1);
  await handling.fail({ taskId: task.id, sqlstate: unknown });
  await patch(ben, task.id, { title: "Never shown" });
  const key = await until("it is parked", () => parkedKey(task.id));

  const readme = await Bun.file(join(root, "README.md")).text();
  const commands = [
    ...(/did not arrive\?[^`]*```sh\n([^`]*)```/.exec(readme)?.[1] ?? "").matchAll(/^npx bun run ops ([^#\n]+)/gm),
  ];
  expect(commands).toHaveLength(3);
  const run = async (id: string) =>
    (
      await Promise.all(commands.map(([, words = ""]) => system.ops(...words.trim().replace("ID", id).split(/\s+/))))
    ).map((said) => said.split("\n"));
  const [waiting = [], gaveUp = [], outbox = []] = await run(task.id);
  const line = waiting.find((text) => text.includes(task.id)) ?? "";
  for (const fact of [group, topic, `${key.partition}/${key.headOffset}`, "unknown", "cannot be written"])
    expect(line).toContain(fact);
  expect(gaveUp).toContain("there are none");
  expect(outbox).toContainEqual(expect.stringMatching(/^0 waiting/));
  const [letter] = await deadLetters(doomed);
  const dead = (await run(doomed))[1]?.find((text) => text.includes(doomed)) ?? "";
  for (const fact of [group, topic, `${letter?.partition}/${letter?.offset}`, "permanent", "cannot be written"])
    expect(dead).toContain(fact);
  await system.stop("outbox-relay");
  const unsent = await ben.must("POST", "/v1/tasks", { title: "Not published" });
  expect((await run(unsent.id))[2]).toContainEqual(expect.stringMatching(/^1 waiting/));
  await system.restart("outbox-relay");
  await settled(system);

  const same: readonly (readonly [path: string, ...words: string[]])[] = [
    ["groups", "groups"],
    ["parked", "parked"],
    ["dead-letters", "dlq", "ls"],
    ["dead-letters/groups", "dlq", "groups"],
    [`dead-letters/${letter?.id}`, "dlq", "show", letter?.id ?? ""],
    ["outbox", "outbox"],
    ["audit", "audit"],
  ];
  for (const [path, ...words] of same) {
    let last: unknown[] = [];
    // A try of the parked head between the two questions is told by one only.
    await until(
      `${path} and ops ${words.join(" ")} tell the same`,
      async () => {
        const answer = await fetch(`${system.url("operator")}/api/${path}`, {
          headers: { authorization: `Bearer ${token}` },
        });
        last = [answer.status, await answer.json(), await opsJson(...words)];
        return answer.status === 200 && Bun.deepEquals(last[1], last[2]);
      },
      { timeoutMs: 15_000, describe: () => JSON.stringify(last, null, 1) },
    );
  }
  await handling.heal();
  await retry(task.id).catch(async (error: unknown) => {
    // Its own next try may have come first.
    if ((await parkedKey(task.id)) !== null) throw error;
  });
  await until("it is handled", async () => (await parkedKey(task.id)) === null);
}, 120_000);

test(
  "a flood of dead letters let go by the operator is redriven: a dry run moves nothing, killed half-way it goes on, each message is handled once and by that group alone",
  async () => {
    const tasks = long ? 500 : 30;
    const messages = tasks * 2;
    const cleo = await signIn(gateway, "cleo");
    await handling.fail({ contains: "avalanche", sqlstate: permanent });
    const ids: string[] = [];
    const writers = Array.from({ length: 6 }, async (_, writer) => {
      for (let n = writer; n < tasks; n += 6) {
        const { id } = await cleo.must("POST", "/v1/tasks", { title: `avalanche ${n}` });
        ids.push(id);
        await patch(cleo, id, { title: `avalanche ${n} again` });
      }
    });
    await Promise.all(writers);
    await until("the guard holds the flood", () => system.log(group).some((line) => line.includes("flood_began")), {
      timeoutMs: 30_000,
    });
    await system.ops("consumers", "release-flood", group, "--reason", "drill");
    const filter = ["--group", group, "--user", cleo.userId];
    const dead = async (): Promise<number> => {
      const { groups } = (await opsJson("dlq", "groups", ...filter)) as Json & { groups: { count: number }[] };
      return groups.reduce((sum, { count }) => sum + count, 0);
    };
    await until("all are dead", async () => (await dead()) >= messages, {
      timeoutMs: long ? 300_000 : 60_000,
      everyMs: 200,
    });
    await settled(system);
    expect(await dead()).toBe(messages);
    await handling.heal();

    const ends = await topicEnds(system.env);
    const mark = await handling.mark();
    const plan = await opsJson("dlq", "redrive", ...filter, "--dry-run");
    expect(plan).toMatchObject({ dryRun: true, plan: { messages } });
    expect(await handling.fates(mark)).toEqual([]);
    expect(await dead()).toBe(messages);

    const command = ["workers/operator/ops.ts", "dlq", "redrive", ...filter, "--rate", long ? "100" : "5"];
    const child = Bun.spawn([process.execPath, ...command], {
      cwd: root,
      env: system.env,
      stdout: "ignore",
      stderr: "ignore",
    });
    await until(
      "a third went back",
      async () => (await handling.fates(mark)).filter(({ fate }) => fate === "done").length >= messages / 3,
      {
        timeoutMs: 60_000,
      },
    );
    child.kill("SIGKILL");
    await child.exited;
    const left = await dead();
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(messages);
    const { entries } = (await opsJson("audit")) as Json & { entries: { id: string; action: string; state: string }[] };
    const cut = entries.find(({ action }) => action === "dlq redrive");
    expect(cut).toMatchObject({ state: "running" });
    const again = await opsJson("dlq", "redrive", "--id", cut?.id ?? "", "--rate", "1000");
    expect(again).toMatchObject({ moved: messages, left: 0, complete: true });
    await until("all are handled", async () => (await opsJson("parked"))["parked"]?.toString() === "", {
      timeoutMs: 60_000,
    });

    const fates = await handling.fates(mark);
    expect(new Set(fates.map((fate) => fate.group))).toEqual(new Set([group]));
    const events = (await readTopic(system.env, topic)).filter(({ envelope }) => ids.includes(envelope.subject));
    const done = fates.filter(({ fate }) => fate === "done").map(({ messageId }) => messageId);
    expect(done.toSorted()).toEqual(events.map(({ envelope }) => envelope.id).toSorted());
    // Given back through the database, to one group: nothing is published to the topic others read.
    expect((await topicEnds(system.env))[topic]).toBe(ends[topic] ?? 0);
    for (const id of ids) expect(await handling.folds(id)).toEqual([1, 2]);
  },
  long ? 900_000 : 120_000,
);
