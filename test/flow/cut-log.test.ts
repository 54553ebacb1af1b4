import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import postgres from "postgres";
import { readConfig } from "../../shared/role/config.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { partitionOf } from "../../shared/kafka/partition.ts";
import { makeLog } from "../../shared/role/log.ts";
import { openStream, signIn } from "../support/client.ts";
import { cutLog } from "../support/cut-log.ts";
import { ownStack, skipOwnParts, type OwnStack } from "../support/own-stack.ts";
import { startSystem, type System } from "../support/system.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(240_000);
const skip = skipOwnParts();
const root = join(import.meta.dir, "../..");
const patience = { timeoutMs: 60_000 };

let own: OwnStack;
let system: System;
let sql: postgres.Sql;
beforeAll(async () => {
  if (skip) return;
  own = await ownStack(["kafka"]);
  system = await startSystem({
    stack: own.urls,
    roles: {
      "task-service": 1,
      "outbox-relay": 1,
      "task-update-broadcaster": 1,
      "reminder-scheduling-worker": 1,
      "ui-gateway": 1,
    },
  });
  sql = postgres(system.env["DATABASE_URL"] ?? "", { max: 1, onnotice: () => {} });
}, 150_000);
afterAll(async () => {
  await sql?.end({ timeout: 2 });
  await system?.[Symbol.asyncDispose]();
  await own?.[Symbol.asyncDispose]();
}, 60_000);

/** The commands a section of a runbook shows, as they stand there, and what it wants set before. */
function runbook(name: string, section: string): readonly string[] {
  const text = readFileSync(join(root, "redpanda/monitoring/runbooks", `${name}.md`), "utf8");
  const part = text.split(/^## /m).find((one) => one.startsWith(section)) ?? "";
  return [...part.matchAll(/```sh\n([^`]*)```/g)].flatMap(([, block = ""]) => block.trim().split("\n"));
}

/** What a person types into a shell, in the checkout. */
async function type(line: string, variables: Readonly<Record<string, string>>) {
  const child = Bun.spawn(["sh", "-c", line], {
    cwd: root,
    env: { ...system.env, PATH: `${join(root, "node_modules/.bin")}:${process.env["PATH"]}`, ...variables },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}

test.skipIf(skip)(
  "a log that lost its end on the broker's disk: the partition stands, streams are told, and the runbook's commands bring back all",
  async () => {
    const config = readConfig({ kafka: kafkaSettings }, system.env);
    await using broker = await openBroker(config.kafka, { clientId: "test", log: makeLog({}, "error") });
    const { admin } = broker;
    const count = (await admin.offsets("task-events", "end")).size;
    const ada = await signIn(system.url("ui-gateway"), "ada");
    using stream = await openStream(system.url("ui-gateway"), ada);
    const made: string[] = [];
    const make = async (title: string) => {
      const task = await ada.must<{ id: string }>("POST", "/v1/tasks", {
        title,
        due_date: "2099-01-01T00:00:00Z",
        remind: ["PT0S"],
      });
      made.push(task.id);
      return task.id;
    };
    const seen = (id: string, n = 1) =>
      until(
        `${id} on the stream`,
        () => stream.changes().filter(({ data }) => data.task_id === id).length >= n,
        patience,
      );
    const spareKey =
      Array.from({ length: 100 }, (_, n) => `key${n}`).find((key) => partitionOf(key, count) === 0) ?? "";
    const users = partitionOf(ada.userId, count);
    const first = await make("first");
    const partition = partitionOf(first, count);
    /** Two more of the same partition, and one of another. */
    const more = async () => {
      const there: string[] = [];
      let elsewhere: string | null = null;
      while (there.length < 2 || elsewhere === null) {
        const id = await make("more");
        if (partitionOf(id, count) === partition) there.push(id);
        else elsewhere ??= id;
      }
      return { there, elsewhere };
    };
    await seen(first);
    await until("the worker has decided", async () => (await wanted(first)) === 1, patience);
    // Who has not read what is lost cannot know of it.
    await system.stop("reminder-scheduling-worker");
    const { there } = await more();
    await Promise.all(made.map((id) => seen(id)));
    await until(
      "commits",
      async () => {
        const commit = (await admin.committed("task-update-broadcaster")).find(
          (one) => one.topic === "task-events" && one.partition === partition,
        );
        return commit?.offset === (await admin.offsets("task-events", "end")).get(partition);
      },
      patience,
    );
    // A topic nobody here reads: a tail that has read it all, and looks again only when there are other records at its
    // place.
    const spare = "series-events";
    const write = async (records: number) => {
      await using producer = await broker.producer();
      for (let n = 0; n < records; n++)
        await producer.send([
          { topic: spare, timestamp: Date.now(), key: spareKey, value: Buffer.from(`${n}`), headers: [] },
        ]);
    };
    await write(4);
    const tail = broker.tail({ topic: spare, from: new Map([[0, 0n]]), signal: AbortSignal.timeout(200_000) });
    const reading = tail[Symbol.asyncIterator]();
    for (let next = 0n; next < 4n;) {
      const { value, done } = await reading.next();
      if (done) throw new Error("the tail has ended");
      next = value.next.get(0) ?? next;
    }

    await own.kill("kafka");
    const prefix = system.env["KAFKA_PREFIX"] ?? "";
    cutLog(own.partitionFolder(`${prefix}task-events`, partition), 1n);
    cutLog(own.partitionFolder(`${prefix}task-updates`, users), 1n);
    cutLog(own.partitionFolder(`${prefix}${spare}`, 0), 1n);
    await own.start("kafka");
    expect((await admin.offsets("task-events", "end")).get(partition)).toBe(1n);
    const broadcaster = system.metricsUrl("task-update-broadcaster");
    const standing = async () =>
      (await (await fetch(`${broadcaster}/readyz`)).text()).match(/stands still at (\S+):/)?.[1];
    await until("it stands", async () => (await standing()) === `task-events/${partition}`, patience);
    await stream.waitFor("reset", ({ event }) => event === "reset", 60_000);
    // The other partitions go on.
    const { elsewhere } = await more();
    await seen(elsewhere);
    await write(5);
    const readOn = async () => {
      for (;;) if ((await reading.next()).value?.records.length !== 0) return "records of another log";
    };
    expect(await readOn().catch((error: unknown) => error)).toMatchObject({ code: "OFFSET_OUT_OF_RANGE" });
    await system.restart("reminder-scheduling-worker");

    const values = { group: "task-update-broadcaster", topic: "task-events" };
    const [lag = "", topics = ""] = runbook("ConsumerAlarm", "Look");
    expect((await type(lag, values)).out).toMatch(new RegExp(`task-events +${partition} +3 `));
    expect(await type(topics, values)).toMatchObject({ code: 0 });
    const [plan = "", reset = "", replay = "", ...others] = runbook("ConsumerAlarm", "Do");
    expect(others).toEqual([]);
    expect(await type(plan, values)).toMatchObject({ code: 0, out: expect.stringContaining("would reset") });
    expect(await type(reset, values)).toMatchObject({ code: 1, err: expect.stringContaining("stop its role first") });
    await system.stop("task-update-broadcaster");
    expect(await type(reset, values)).toMatchObject({ code: 0, out: expect.stringContaining("reset task-update") });
    await system.restart("task-update-broadcaster");
    expect(await type(replay, values)).toMatchObject({ code: 0, out: expect.stringContaining("replayed") });
    expect(await standing()).toBeUndefined();
    for (const id of there) await until("the worker has decided", async () => (await wanted(id)) === 1, patience);
    const last = await more();
    for (const id of last.there) await seen(id);
  },
);

async function wanted(id: string): Promise<number> {
  const [row] = await sql<{ n: number }[]>`select count(*)::int as n from wanted_reminders where task_id = ${id}`;
  return row?.n ?? 0;
}
