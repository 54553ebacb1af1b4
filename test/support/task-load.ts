import { setTimeout as sleep } from "node:timers/promises";
import type { Client, Json } from "./client.ts";

/**
 * An answer to a request of the load: when it was asked and answered, by `performance.now()`, and what its client could
 * do with it.
 */
export type Answered = Readonly<{
  at: number;
  answeredAt: number;
  status: number;
  retryAfter: string | null;
  code: unknown;
}>;

/**
 * Makes tasks that are due in a moment and changes them, each write repeated until it is taken, and reads all the
 * while.
 */
export function startTaskLoad(user: Client) {
  const end = new AbortController();
  const writes: Answered[] = [];
  const reads: Answered[] = [];
  const ids: string[] = [];
  const must = async (method: string, path: string, body: unknown): Promise<Json> => {
    const key = crypto.randomUUID();
    for (;;) {
      const answer = await askAs(user, method, path, body, key);
      writes.push(answer);
      if (answer.status < 300) return answer.body;
      await sleep(100); // a client that keeps asking
    }
  };
  const write = async () => {
    while (!end.signal.aborted) {
      const due_date = new Date(Date.now() + 2_000);
      const { id } = await must("POST", "/v1/tasks", { title: `Task ${ids.length}`, due_date, remind: ["PT0S"] });
      ids.push(id);
      await must("PATCH", `/v1/tasks/${id}`, { title: "changed" });
      await sleep(50); // a load, not a flood
    }
  };
  const read = async () => {
    while (!end.signal.aborted) {
      reads.push(await askAs(user, "GET", "/v1/tasks?limit=5"));
      await sleep(30); // the same
    }
  };
  const running = Promise.all([write(), write(), read()]);
  // A request may fail while nobody waits for the end yet; `stop` rejects with it.
  running.catch(() => {});
  return {
    writes,
    reads,
    /** Ends it; the ids of all tasks that were made. */
    stop: async (): Promise<readonly string[]> => {
      end.abort();
      await running;
      return ids;
    },
  };
}

/**
 * Taken, or told to come again. The key of a write that takes longer than 5 s is then told that the first with it still
 * runs.
 */
export function isGood({ status, code, retryAfter }: Answered): boolean {
  if (status < 300) return true;
  const isHeld = status === 409 && code === "IDEMPOTENCY_IN_PROGRESS";
  return retryAfter === "1" && (isHeld || (status === 503 && code === "UNAVAILABLE"));
}

export async function askAs(
  user: Client,
  method: string,
  path: string,
  body?: unknown,
  key?: string,
): Promise<Answered & Readonly<{ body: Json }>> {
  const at = performance.now();
  const answer = await user.call(method, path, body, key === undefined ? {} : { "idempotency-key": key });
  const retryAfter = answer.headers.get("retry-after");
  return {
    at,
    answeredAt: performance.now(),
    status: answer.status,
    retryAfter,
    code: answer.body?.["code"],
    body: answer.body,
  };
}
