import { setTimeout as sleep } from "node:timers/promises";
import { allTasks, openStream, type Client, type Stream } from "./client.ts";

/** A task as it was told last. */
type View = Readonly<{ version: number; view: number; title: unknown; deleted: boolean }>;

function viewOf(task: Record<string, unknown> & { version: number }, view: number): View {
  return { version: task.version, view, title: task["title"], deleted: (task["deleted_at"] ?? null) !== null };
}

/**
 * Keeps what a client keeps: by each change the newest view; after a reset the lists again, and nothing else. Comes
 * back with the last id it saw, as a browser does, until it is stopped.
 */
export function follow(gateway: string, user: Client) {
  let views = new Map<string, View>();
  let resets = 0;
  let stopped = false;
  let current: Stream | null = null;
  const running = (async () => {
    let lastId: string | null = null;
    while (!stopped) {
      try {
        current = await openStream(gateway, user, lastId);
        for (let read = 0; !stopped && !current.ended(); await sleep(20))
          // as often as a browser draws
          for (; read < current.events.length; read++) {
            const event = current.events[read];
            if (event?.event === "reset") {
              views = new Map();
              for (const task of await allTasks(user))
                views.set(task.id, viewOf(task, Number(task["view_version"] ?? 0)));
              resets++;
            }
            if (event?.event !== "task.changed") continue;
            const { payload, task_id: id } = event.data;
            const view = Number(payload["view_version"]);
            if (view > (views.get(id)?.view ?? 0)) views.set(id, viewOf(payload, view));
          }
        lastId = current.lastId();
      } catch {
        await sleep(200); // EventSource waits too
      }
    }
  })();
  return {
    view: (id: string) => views.get(id),
    ids: () => [...views].filter(([, { deleted }]) => !deleted).map(([id]) => id),
    resets: () => resets,
    stop: async () => {
      stopped = true;
      current?.close();
      await running;
    },
  };
}
