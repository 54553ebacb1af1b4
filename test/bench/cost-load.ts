// The load of `cost.ts`, in a process of its own: users with open streams who create tasks. It obeys one line of JSON
// after another and answers each with one.
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { percentile } from "./bench.ts";
import { openStream, signIn, type Client, type Stream } from "../support/client.ts";
import { until } from "../support/until.ts";

/**
 * `rate`: creates a second of all users together; fewer where the machine cannot, since no more than 100 are ever under
 * way.
 */
export type CostLoad = Readonly<{ rate: number; seconds: number }>;
/** `p50`: from when a create was sent until its answer, ms. `perSecond`: what the machine could. */
export type CostLoadDone = Readonly<{ creates: number; perSecond: number; p50: number }>;

const users = 20;
const mostAtOnce = 100;

if (import.meta.main) {
  const base = process.argv[2] ?? "";
  const people: { client: Client; stream: Stream; created: number }[] = [];
  for (let n = 0; n < users; n++) {
    const client = await signIn(base, `cost-${n}`);
    people.push({ client, stream: await openStream(base, client), created: 0 });
  }
  process.stdout.write("ready\n");
  for await (const line of createInterface(process.stdin)) {
    // The other side of the pipe is `cost.ts`.
    const { rate, seconds } = JSON.parse(line) as CostLoad;
    const before = people.reduce((sum, { created }) => sum + created, 0);
    const times: number[] = [];
    const create = async (person: (typeof people)[number]): Promise<void> => {
      const sent = performance.now();
      const { status } = await person.client.call("POST", "/v1/tasks", { title: "buy milk" });
      if (status !== 201) throw new Error(`a create answered ${status}`);
      person.created += 1;
      times.push(performance.now() - sent);
    };
    const began = performance.now();
    const underWay = new Set<Promise<void>>();
    for (let n = 0; n < rate * seconds; n++) {
      const wait = began + (n * 1000) / rate - performance.now();
      if (wait > 0) await sleep(wait);
      if (underWay.size >= mostAtOnce) await Promise.race(underWay);
      const person = people[n % users];
      if (person === undefined) continue;
      const one: Promise<void> = create(person).finally(() => underWay.delete(one));
      underWay.add(one);
    }
    await Promise.all(underWay);
    const perSecond = times.length / ((performance.now() - began) / 1000);
    await until(
      "every change is told in its user's stream",
      () =>
        people.every(
          ({ stream, created }) => new Set(stream.changes().map(({ data }) => data.task_id)).size >= created,
        ),
      { timeoutMs: 60_000, everyMs: 100 },
    );
    const creates = people.reduce((sum, { created }) => sum + created, 0) - before;
    process.stdout.write(
      `${JSON.stringify({ creates, perSecond, p50: percentile(times, 0.5) } satisfies CostLoadDone)}\n`,
    );
  }
  process.exit(0);
}
