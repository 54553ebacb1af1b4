import { setTimeout as sleep } from "node:timers/promises";
import { createParser } from "eventsource-parser";
import type { Client } from "../support/client.ts";
import type { System } from "../support/system.ts";

/**
 * Sends creates at a fixed rate, whatever the answers do (open loop, so a stall counts for every request it delays),
 * and measures each from the moment it was due to be sent until its event came out of the stream; ms.
 */
export async function writeToStream(system: System, user: Client, rate: number, seconds: number): Promise<number[]> {
  const base = system.url("ui-gateway");
  const stop = new AbortController();
  const seenAt = new Map<string, number>();
  const headers = { authorization: `Bearer ${user.token}` };
  const stream = await fetch(`${base}/v1/stream`, { headers, signal: stop.signal });
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (event !== "task.changed") return;
      const title = /"title":"(bench-\d+)"/.exec(data)?.[1];
      if (title && !seenAt.has(title)) seenAt.set(title, performance.now());
    },
  });
  const reading = (async () => {
    const decoder = new TextDecoder();
    try {
      for await (const bytes of stream.body ?? []) parser.feed(decoder.decode(bytes, { stream: true }));
    } catch {
      // Aborted below.
    }
  })();
  const dueAt = new Map<string, number>();
  const sends: Promise<void>[] = [];
  const began = performance.now();
  const count = rate * seconds;
  for (let n = 0; n < count; n++) {
    const due = began + (n * 1000) / rate;
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    const title = `bench-${nextTitle++}`;
    dueAt.set(title, Math.min(due, performance.now()));
    sends.push(
      fetch(`${base}/v1/tasks`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify({ title }),
      }).then(async (response) => {
        if (response.status !== 201) throw new Error(`a create answered ${response.status}: ${await response.text()}`);
        await response.arrayBuffer();
      }),
    );
  }
  await Promise.all(sends);
  for (const deadline = performance.now() + 10_000; seenAt.size < count && performance.now() < deadline;)
    await sleep(5);
  stop.abort();
  await reading;
  if (seenAt.size < count) throw new Error(`${count - seenAt.size} of ${count} writes never reached the stream`);
  // The first fifth warms caches and connections up.
  return [...dueAt].slice(Math.floor(count / 5)).map(([title, due]) => (seenAt.get(title) ?? Number.NaN) - due);
}
let nextTitle = 0;
