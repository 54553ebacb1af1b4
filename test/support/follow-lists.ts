import { setTimeout as sleep } from "node:timers/promises";
import { allTasks, openStream, type Client, type Json, type Stream } from "./client.ts";

/**
 * What a page of ours shows of a user's tasks: their lists, kept up to date by the stream, and read again when it says
 * so.
 */
type ListFollower = Readonly<{
  /** The tasks as they are shown, by id. */
  tasks: () => ReadonlyMap<string, Json>;
  /** Why the lists had to be read again, in order. */
  resets: readonly string[];
  stop: () => Promise<void>;
}>;

/** Reads the lists, then the stream from the cursor they came with. Resolves once both are there. */
export async function followLists(base: string, user: Client): Promise<ListFollower> {
  const tasks = new Map<string, Json>();
  const resets: string[] = [];
  let stopped = false;
  let current: Stream | null = null;
  const take = (task: Json) => {
    const known = tasks.get(task.id);
    if (known === undefined || viewOf(task) > viewOf(known) || task.version > known.version) tasks.set(task.id, task);
  };
  const readLists = async () => {
    const answer = await user.call("GET", "/v1/tasks?status=all&limit=1");
    for (const task of await allTasks(user)) take(task);
    return answer.headers.get("x-stream-cursor");
  };
  let lastId = await readLists();
  const opened = Promise.withResolvers<void>();
  const running = (async () => {
    while (!stopped) {
      try {
        current = await openStream(base, user, lastId);
        opened.resolve();
        let read = 0;
        for (; !stopped && (!current.ended() || read < current.events.length); await sleep(20))
          // looks for new events as often as a page draws
          for (; read < current.events.length; read++) {
            const event = current.events[read];
            if (event?.event === "task.changed") take(event.data.payload);
            if (event?.event !== "reset") continue;
            resets.push(String(event.data["reason"]));
            await readLists();
          }
        lastId = current.lastId();
      } catch {
        await sleep(200); // the gateway is away: EventSource waits too
      }
    }
  })();
  await opened.promise;
  return {
    tasks: () => tasks,
    resets,
    stop: async () => {
      stopped = true;
      current?.close();
      await running;
    },
  };
}

function viewOf(task: Json): number {
  return Number(task["view_version"] ?? 0);
}
