import { afterAll, beforeAll, expect, test } from "bun:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openStream, signIn, type Client } from "../support/client.ts";
import { readTopic } from "../support/read-topic.ts";
import { settled } from "../support/settled.ts";
import { startSystem, withoutLimits, type System } from "../support/system.ts";
import { until } from "../support/until.ts";

let system: System;
beforeAll(async () => {
  // Written as fast as it is answered.
  system = await startSystem({ env: withoutLimits });
}, 150_000);
afterAll(() => system?.[Symbol.asyncDispose](), 30_000);

test("with three members of one group joining, leaving and killed under load, every change is told once and in order", async () => {
  const gateway = system.url("ui-gateway");
  const user = await signIn(gateway, "ada");
  using stream = await openStream(gateway, user);
  const load = new AbortController();
  const writing = Promise.all([write(user, load.signal), write(user, load.signal)]);

  const group = "task-update-broadcaster";
  await system.start(group);
  await system.start(group);
  await system.stop(group, 1);
  await system.restart(group, 1);
  await system.kill(group, 2);
  await system.restart(group, 2);
  expect(await system.stop(group, 3)).toBe(0);
  await system.restart(group, 3);
  load.abort();
  const versions = new Map((await writing).flat());
  await settled(system);

  // What the group wrote, in the topic: the views of a task in order (a number is left out where neighbouring changes
  // were merged).
  const told = new Map<string, number[]>();
  for (const { envelope } of await readTopic(system.env, "task-updates"))
    told.set(envelope.subject, [...(told.get(envelope.subject) ?? []), envelope.sequence]);
  for (const [id, views] of told) {
    const firsts = views.filter((view, at) => views.indexOf(view) === at);
    expect({ id, views: firsts }).toEqual({ id, views: firsts.toSorted((a, b) => a - b) });
  }
  expect([...told.keys()].toSorted()).toEqual([...versions.keys()].toSorted());
  expect(versions.size).toBeGreaterThan(10);
  await until("the stream has told the newest version of every task", () =>
    [...versions].every(([id, version]) =>
      stream.changes().some(({ data }) => data.task_id === id && data.payload.version === version),
    ),
  );
  // And to the one who watches, none was told twice or late.
  const seen = new Map<string, number>();
  for (const { data } of stream.changes()) {
    const view = Number(data.payload["view_version"]);
    expect(view).toBeGreaterThan(seen.get(data.task_id) ?? 0);
    seen.set(data.task_id, view);
  }
  expect(await readTopic(system.env, `${group}-dlq`)).toEqual([]);
}, 240_000);

/** Makes tasks and changes each four times until told to stop; their ids and last versions. */
async function write(user: Client, signal: AbortSignal): Promise<readonly (readonly [string, number])[]> {
  const made: (readonly [string, number])[] = [];
  while (!signal.aborted) {
    const task = await user.must("POST", "/v1/tasks", { title: `Task ${made.length}` });
    let version = 1;
    for (let n = 1; n <= 4; n++)
      ({ version } = await user.must("PATCH", `/v1/tasks/${task.id}`, { description: `changed ${n}` }));
    made.push([task.id, version]);
    await sleep(20); // a person's pace, not a flood
  }
  return made;
}
