import type { Follow } from "./follow.ts";
import type { Frame } from "./update-frame.ts";

/** What a poll answers: TaskChanged as on the stream, the cursor to ask from next, and why everything must be read again, if so. */
export type Polled = Readonly<{ items: readonly unknown[]; cursor: string; reset: string | null }>;

const maxItems = 500;

/**
 * Long polling with the cursor of the stream: answers as soon as there is a change above `since`, or with none after
 * `waitSeconds`. Without `since` it answers at once where the user's changes stand. A task that changed several times
 * appears once, last. Rejects with UNAVAILABLE while this instance is not ready.
 */
export async function pollUpdates(
  follow: Follow,
  {
    userId,
    since,
    waitSeconds,
    signal,
  }: { userId: string; since: string | null; waitSeconds: number; signal: AbortSignal },
): Promise<Polled> {
  const changes = new Map<string, Frame>();
  const decoder = new TextDecoder();
  let reset: string | null = null;
  let at: string | null = null;
  let isFull = false;
  let isCaughtUp = false;
  const answer = Promise.withResolvers<void>();
  const following = await follow(userId, since, {
    change: (frame) => {
      if (frame.userId !== userId || isFull) return;
      changes.delete(frame.taskId);
      changes.set(frame.taskId, frame);
      isFull = changes.size >= maxItems;
      if (isCaughtUp || isFull) answer.resolve();
    },
    reset: (reason, cursor) => {
      changes.clear();
      reset = reason;
      at = cursor;
      answer.resolve();
    },
    caughtUp: (cursor) => {
      at = cursor;
      isCaughtUp = true;
      if (changes.size > 0 || since === null) answer.resolve();
    },
    stalled: answer.resolve,
    room: () => null,
    ended: () => isFull || signal.aborted,
  });
  const timer = setTimeout(answer.resolve, waitSeconds * 1000);
  signal.addEventListener("abort", () => answer.resolve(), { once: true });
  try {
    await answer.promise;
  } finally {
    clearTimeout(timer);
    following.stop();
  }
  const frames = [...changes.values()];
  const last = frames.at(-1);
  // Without a reset everything up to the last change was given; a position beyond it is known only when nothing was left out.
  const idOf = ({ bytes }: Frame) => decoder.decode(bytes.subarray(4, bytes.indexOf(10)));
  const cursor =
    isFull && last !== undefined ? idOf(last) : (following.cursor() ?? (last && idOf(last)) ?? at ?? since);
  return {
    items: frames.map(({ bytes, json }): unknown => JSON.parse(decoder.decode(bytes.subarray(json.start, json.end)))),
    cursor: cursor ?? "",
    reset,
  };
}
