import { afterAll, beforeAll, expect, test } from "bun:test";
import { setTimeout as sleep } from "node:timers/promises";
import { roleNames } from "../../shared/topics.ts";
import { allTasks, openStream, signIn, type Client, type Stream } from "../support/client.ts";
import { readTopic } from "../support/read-topic.ts";
import { settled } from "../support/settled.ts";
import { startSystem, withoutLimits, type System } from "../support/system.ts";
import { until } from "../support/until.ts";

let system: System;
let gateway: string;
beforeAll(async () => {
  // Written as fast as it is answered.
  system = await startSystem({ env: withoutLimits });
  gateway = system.url("ui-gateway");
}, 150_000);
afterAll(() => system?.[Symbol.asyncDispose](), 30_000);

test("every role killed with -9 in turn under load: no version lost or doubled, order kept, the stream tells the same as the API", async () => {
  const users = await Promise.all(["ada", "ben", "cleo"].map((name) => signIn(gateway, name)));
  const followers = users.map((user) => follow(user));
  const load = new AbortController();
  const writers = users.map((user) => write(user, load.signal));

  for (const role of roleNames) {
    await system.kill(role);
    await sleep(300 + Math.random() * 500); // a crash is noticed and mended after some time, with the load going on
    await system.restart(role);
  }
  load.abort();
  const written = (await Promise.all(writers)).flat();
  expect(written.length).toBeGreaterThan(20);
  await settled(system);

  const versions = new Map<string, number>();
  for (const user of users) for (const task of await allTasks(user)) versions.set(task.id, task.version);
  const events = await readTopic(system.env, "task-events");
  const seen = new Map<string, Map<number, string>>();
  for (const { envelope } of events) {
    const task = seen.get(envelope.subject) ?? new Map<number, string>();
    // A version met again is the same event published again; a new one is the next: order per task, first deliveries counted.
    if (task.has(envelope.sequence)) expect(envelope.id).toBe(task.get(envelope.sequence) ?? "");
    else
      expect({ task: envelope.subject, version: envelope.sequence }).toEqual({
        task: envelope.subject,
        version: task.size + 1,
      });
    seen.set(envelope.subject, task.set(envelope.sequence, envelope.id));
  }
  for (const [id, version] of versions) expect({ id, events: seen.get(id)?.size }).toEqual({ id, events: version });
  for (const group of [
    "task-service",
    "recurring-task-worker",
    "reminder-scheduling-worker",
    "reminder-service",
    "notification-service",
    "task-update-broadcaster",
  ])
    expect({ group, dead: (await readTopic(system.env, `${group}-dlq`)).length }).toEqual({ group, dead: 0 });

  for (const [index, user] of users.entries()) {
    const follower = followers[index];
    const tasks = await allTasks(user);
    await until("the stream has told the newest version of every task", () =>
      tasks.every((task) => follower?.versions.get(task.id) === task.version),
    );
    await follower?.stop();
  }
}, 240_000);

/** Creates and changes tasks until told to stop; the ids it made. Every write carries its own idempotency key and is retried. */
async function write(user: Client, signal: AbortSignal): Promise<readonly string[]> {
  const ids: string[] = [];
  while (!signal.aborted) {
    const due = ids.length % 3 === 0 ? { due_date: new Date(Date.now() + 2_000).toISOString() } : {};
    const task = await user.must("POST", "/v1/tasks", { title: `Task ${ids.length}`, ...due });
    ids.push(task.id);
    await user.must("PATCH", `/v1/tasks/${task.id}`, { description: "changed" });
    if (ids.length % 2 === 0) await user.must("POST", `/v1/tasks/${task.id}/complete`);
    await sleep(20); // a person's pace, not a flood: three writers on a busy machine
  }
  return ids;
}

/** A client as a browser is one: reconnects with the last id it saw, folds by view_version. */
function follow(user: Client) {
  const versions = new Map<string, number>();
  const views = new Map<string, number>();
  let stopped = false;
  let current: Stream | null = null;
  const running = (async () => {
    let lastId: string | null = null;
    while (!stopped) {
      try {
        current = await openStream(gateway, user, lastId);
        let read = 0;
        for (; !stopped && !current.ended(); await sleep(20))
          // looks for new events as often as a browser would draw
          for (; read < current.events.length; read++) {
            const event = current.events[read];
            if (event?.event === "reset") throw new Error(`the stream was reset: ${JSON.stringify(event.data)}`);
            if (event?.event !== "task.changed") continue;
            const { payload } = event.data;
            const view = Number(payload["view_version"]);
            if (view <= (views.get(event.data.task_id) ?? 0)) continue;
            views.set(event.data.task_id, view);
            versions.set(event.data.task_id, payload.version);
          }
        lastId = current.lastId();
      } catch (error) {
        if (String(error).includes("reset")) throw error;
        await sleep(200); // the gateway is down: EventSource waits too
      }
    }
  })();
  return {
    versions,
    stop: async () => {
      stopped = true;
      current?.close();
      await running;
    },
  };
}
