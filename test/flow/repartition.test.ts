import { afterAll, beforeAll, expect, test } from "bun:test";
import { setTimeout as sleep } from "node:timers/promises";
import { groupsPassingOverPlain, roleNames, type RoleName } from "../../shared/messages/topics.ts";
import { isPlainCreation } from "../../shared/tasks/task-traits.ts";
import { groupsOf } from "../../workers/operator/topic-drain.ts";
import { allTasks, signIn, type Client } from "../support/client.ts";
import { followLists } from "../support/follow-lists.ts";
import { readTopic } from "../support/read-topic.ts";
import { settled } from "../support/settled.ts";
import { startSystem, withoutLimits, type System } from "../support/system.ts";
import { until } from "../support/until.ts";
import { watchHandling, type Watched } from "../support/watch-handling.ts";

const isLong = process.env["LONG_TESTS"] === "1";
/** More than one of what publishes and tells users, without what does neither. */
const many: readonly RoleName[] = ["outbox-relay", "task-update-broadcaster"];
const none: readonly RoleName[] = ["notification-service", "operator"];
/**
 * In long runs three of what publishes and reads these topics. With three of every role Postgres would need 500
 * connections, and has 300.
 */
const threeOf: readonly RoleName[] = [
  ...many,
  "recurring-task-worker",
  "reminder-scheduling-worker",
  "reminder-service",
];

let system: System;
let watched: Watched;
let sql: Bun.SQL;
beforeAll(async () => {
  const count = (role: RoleName) => {
    if (isLong) return threeOf.includes(role) ? 3 : 1;
    return none.includes(role) ? 0 : many.includes(role) ? 2 : 1;
  };
  const roles = Object.fromEntries(roleNames.map((role) => [role, count(role)]));
  system = await startSystem({ env: withoutLimits, roles });
  watched = await watchHandling(system.env["DATABASE_URL"] ?? "");
  sql = new Bun.SQL(system.env["DATABASE_URL"] ?? "", { max: 1 });
}, 300_000);
afterAll(async () => {
  await watched?.[Symbol.asyncDispose]();
  await sql?.close();
  await system?.[Symbol.asyncDispose]();
}, 120_000);

type Result = Readonly<{ step: string; pauseSeconds: number }>;
const repartition = async (topic: string): Promise<Result> =>
  JSON.parse(await system.ops("topics", "repartition", topic, "--to", "12", "--apply", "--json")) as Result;
const begun = (topic: string) =>
  until(
    `the repartition of ${topic} has begun`,
    async () => {
      const rows = await sql`select from audit where action = 'topics repartition' and plan ->> 'topic' = ${topic}`;
      return rows.length > 0;
    },
    { timeoutMs: 60_000, everyMs: 20 },
  );

test("topics get from 6 to 12 partitions under load and kills: nothing lost, order per task, clients' lists right", async () => {
  const gateway = system.url("ui-gateway");
  const users = await Promise.all(["ada", "ben", "cleo"].map((name) => signIn(gateway, name)));
  const followers = await Promise.all(users.map((user) => followLists(gateway, user)));
  const load = new AbortController();
  const writers = users.flatMap((user) => [write(user, load.signal), write(user, load.signal)]);
  const published = async () => {
    const [row]: { n: number }[] = await sql`select count(*)::int as n from outbox where published_at is not null`;
    return row?.n ?? 0;
  };
  await until("some is published by the old partitions", async () => (await published()) > 100, { timeoutMs: 60_000 });

  const first = await repartition("task-events");
  await system.kill("task-update-broadcaster", 2);
  await system.restart("task-update-broadcaster", 2);

  const updates = repartition("task-updates");
  await begun("task-updates");
  await system.kill("outbox-relay", 1);
  const second = await updates;
  await system.restart("outbox-relay", 1);
  await sleep(500); // some traffic once everybody is back
  load.abort();
  const written = (await Promise.all(writers)).flat();
  await settled(system);
  console.log(`${written.length} tasks; paused for ${first.pauseSeconds} and ${second.pauseSeconds} s`);
  expect([first.step, second.step]).toEqual(["released", "released"]);

  const log = await readTopic(system.env, "task-events");
  expect(new Set(log.map(({ record }) => record.partition >= 6))).toEqual(new Set([true, false]));
  const done = Map.groupBy(await watched.fates(), ({ group }) => group);
  for (const group of groupsOf("task-events")) {
    const passesOver = ({ record }: (typeof log)[number]) =>
      groupsPassingOverPlain.includes(group) && isPlainCreation(record.headers);
    const ids = new Set(log.filter((one) => !passesOver(one)).map(({ envelope }) => envelope.id));
    const handled = (done.get(group) ?? []).filter(({ messageId, fate }) => fate === "done" && ids.has(messageId));
    expect({ group, handled: handled.length }).toEqual({ group, handled: ids.size });
  }
  const tasks = new Map((await Promise.all(users.map(allTasks))).flat().map((task) => [task.id, task]));
  expect([...tasks.keys()].toSorted()).toEqual(written.toSorted());
  // Every fold saw a newer version than the one before it: an older one that came late would repeat the newest.
  const folds = await watched.foldsOfAll();
  for (const [task, versions] of folds) {
    expect({ task, versions }).toEqual({ task, versions: [...new Set(versions)].toSorted((a, b) => a - b) });
    expect({ task, last: versions.at(-1) }).toEqual({ task, last: tasks.get(task)?.version });
  }

  for (const [index, user] of users.entries()) {
    const [mine, follower] = [await allTasks(user), followers[index]];
    await until(
      "the client shows what the lists say",
      () => mine.every((task) => Bun.deepEquals(shownOf(follower?.tasks().get(task.id)), shownOf(task))),
      { timeoutMs: 30_000 },
    );
    expect(follower?.tasks().size).toBe(mine.length);
    expect(follower?.resets).toContain("epoch");
    await follower?.stop();
  }
}, 300_000);

const shownOf = (task: Record<string, unknown> | undefined) =>
  task && [task["version"], task["title"], task["description"], task["priority"], task["status"], task["completed_at"]];

/**
 * Creates some tasks and changes one field after another of all of them, until told to stop; the ids it made. So at any
 * moment many tasks have changes that are handled, changes on their way and changes to come.
 */
async function write(user: Client, signal: AbortSignal): Promise<readonly string[]> {
  const ids: string[] = [];
  while (!signal.aborted) {
    const some: string[] = [];
    for (let n = 0; n < 8; n++)
      some.push((await user.must("POST", "/v1/tasks", { title: `Task ${ids.length + n}` })).id);
    ids.push(...some);
    for (const change of [{ description: "changed" }, { priority: "High" }, { tags: ["a"] }, { title: "Changed" }])
      for (const id of some) {
        await sleep(10); // a person's pace, not a flood
        await user.must("PATCH", `/v1/tasks/${id}`, change);
      }
    for (const id of some) await user.must("POST", `/v1/tasks/${id}/complete`);
  }
  return ids;
}
