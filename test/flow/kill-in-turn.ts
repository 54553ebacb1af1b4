import { expect } from "bun:test";
import { setTimeout as sleep } from "node:timers/promises";
import { groupNames, type RoleName } from "../../shared/messages/topics.ts";
import { allTasks, signIn, type Client } from "../support/client.ts";
import { follow } from "../support/follow.ts";
import { readTopic } from "../support/read-topic.ts";
import { settled } from "../support/settled.ts";
import type { System } from "../support/system.ts";
import { until } from "../support/until.ts";

type World = Readonly<{ system: System; gateway: string }>;

/** Three that are down at about the same time; with `--long` one after the other. */
const atOnce = process.env["LONG_TESTS"] === "1" ? 1 : 3;

/**
 * Kills each of the roles with -9 in turn under load: no version is lost or doubled, order is kept, and the stream
 * tells the same as the API.
 */
export async function killInTurn({ system, gateway }: World, roles: readonly RoleName[]): Promise<void> {
  // Nobody who has tasks already: followers are told of what comes.
  const users = await Promise.all(["kay", "lou", "mia"].map((name) => signIn(gateway, `${name}-in-turn`)));
  const followers = users.map((user) => follow(gateway, user));
  const load = new AbortController();
  const writers = users.map((user) => write(user, load.signal));

  for (let done = 0; done < roles.length; done += atOnce)
    await Promise.all(
      roles.slice(done, done + atOnce).map(async (role) => {
        await sleep(Math.random() * 500);
        await system.kill(role);
        await sleep(300 + Math.random() * 500); // a crash is noticed and mended after some time, with the load going on
        await system.restart(role);
      }),
    );
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
    // A version met again is the same event published again; a new one is the next: order per task, first deliveries
    // counted.
    if (task.has(envelope.sequence)) expect(envelope.id).toBe(task.get(envelope.sequence) ?? "");
    else
      expect({ task: envelope.subject, version: envelope.sequence }).toEqual({
        task: envelope.subject,
        version: task.size + 1,
      });
    seen.set(envelope.subject, task.set(envelope.sequence, envelope.id));
  }
  for (const [id, version] of versions) expect({ id, events: seen.get(id)?.size }).toEqual({ id, events: version });
  for (const group of groupNames)
    expect({ group, dead: (await readTopic(system.env, `${group}-dlq`)).length }).toEqual({ group, dead: 0 });

  for (const [index, user] of users.entries()) {
    const follower = followers[index];
    const tasks = await allTasks(user);
    await until(
      "the stream has told the newest version of every task",
      () => tasks.every((task) => follower?.view(task.id)?.version === task.version),
      {
        describe: () =>
          JSON.stringify(
            tasks
              .filter((task) => follower?.view(task.id)?.version !== task.version)
              .map(({ id, version }) => [id, version, follower?.view(id)?.version]),
          ),
      },
    );
    // A gateway that was away tells all that came meanwhile.
    expect(follower?.resets()).toBe(0);
    await follower?.stop();
  }
}

/**
 * Creates and changes tasks until told to stop; the ids it made. Every write carries its own idempotency key and is
 * retried.
 */
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
