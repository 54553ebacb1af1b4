import type { TaskFields } from "./api.ts";

type AddQueueDeps<Draft> = Readonly<{
  /** Sends one; with the same key again it is made once. */
  send: (fields: TaskFields, key: string) => Promise<void>;
  /**
   * It was not made; `again` puts it into the queue once more. The draft is the text of a person: it must go somewhere.
   */
  onFailed: (failed: Readonly<{ draft: Draft; fields: TaskFields; error: unknown; again: () => void }>) => void;
  /** How many are on their way or wait for their turn. */
  onWaiting: (count: number) => void;
}>;

type AddQueue<Draft> = Readonly<{
  add: (draft: Draft, fields: TaskFields) => void;
  waiting: () => number;
  /** Sends what waits at once, without its turn: the page is going away. */
  flush: () => void;
}>;

type AddQueueEntry<Draft> = Readonly<{ draft: Draft; fields: TaskFields; key: string }>;

/**
 * Sends tasks one after the other, in the order they were written. One that failed and is sent again with the same
 * fields keeps its key: had it arrived after all, it would not be made twice.
 */
export function makeAddQueue<Draft>({ send, onFailed, onWaiting }: AddQueueDeps<Draft>): AddQueue<Draft> {
  const entries: AddQueueEntry<Draft>[] = [];
  const failedKeys = new Map<string, string>();
  let isRunning = false;
  const run = async () => {
    if (isRunning) return;
    isRunning = true;
    for (let [entry] = entries; entry !== undefined; [entry] = entries) {
      const { draft, fields, key } = entry;
      const failure = await send(fields, key).then(
        () => null,
        (error: unknown) => ({ error }),
      );
      entries.shift();
      if (failure !== null) {
        failedKeys.set(JSON.stringify(fields), key);
        onFailed({ draft, fields, error: failure.error, again: () => add(draft, fields) });
      }
      onWaiting(entries.length);
    }
    isRunning = false;
  };
  const add = (draft: Draft, fields: TaskFields) => {
    const same = JSON.stringify(fields);
    entries.push({ draft, fields, key: failedKeys.get(same) ?? crypto.randomUUID() });
    failedKeys.delete(same);
    onWaiting(entries.length);
    void run();
  };
  return {
    add,
    waiting: () => entries.length,
    flush: () => {
      for (const { fields, key } of entries.slice(1)) void send(fields, key).catch(() => {});
    },
  };
}
