import type { Follow } from "./follow.ts";
import type { Freshness, StreamState } from "./freshness.ts";
import type { ResetReason } from "./reset-reasons.ts";
import { mergeChanges, type Frame } from "./update-frame.ts";

/**
 * What a poll answers: TaskChanged as on the stream, each as JSON text, the cursor to ask from next, and why everything
 * must be read again, if so. `state` is that of this instance when it answered.
 */
type PollAnswer = Readonly<{
  items: readonly string[];
  cursor: string;
  reset: ResetReason | null;
  state: StreamState;
}>;

type PollOptions = Readonly<{
  userId: string;
  since: string | null;
  waitSeconds: number;
  signal: AbortSignal;
  freshness: Pick<Freshness, "state" | "watch">;
}>;

/** An answer has at most so many changes, and is cut after the one that brings it above so many bytes. */
const maxItems = 500;
const maxBytes = 1024 * 1024;
/** So long a poll that is behind may take at least, whatever `wait` says: one that is cut off never gets anywhere. */
const catchUpSeconds = 5;

/**
 * Long polling with the cursor of the stream: answers as soon as there is a change above `since`, or with none after
 * `waitSeconds`, or once the state of the instance changes. Without `since` it answers at once where the user's changes
 * stand. A task that changed several times appears once, last, told as `mergeChanges` says. Nothing is read for it once
 * it is answered or `signal` is aborted. Rejects as `follow` does.
 */
export async function pollUpdates(
  follow: Follow,
  { userId, since, waitSeconds, signal, freshness }: PollOptions,
): Promise<PollAnswer> {
  const changes = new Map<string, Frame>();
  const decoder = new TextDecoder();
  let bytes = 0;
  let reset: ResetReason | null = null;
  let at: string | null = null;
  let isFull = false;
  let isCaughtUp = false;
  let isLate = false;
  const answer = Promise.withResolvers<void>();
  const waitNoLonger = () => {
    isLate = true;
    if (isCaughtUp) answer.resolve();
  };
  using _ = { [Symbol.dispose]: freshness.watch(waitNoLonger) };
  const following = await follow(userId, since, {
    change: (frame) => {
      if (frame.userId !== userId || isFull) return;
      const older = changes.get(frame.taskId);
      const merged = older === undefined ? frame : mergeChanges(older, frame);
      bytes += merged.bytes.byteLength - (older?.bytes.byteLength ?? 0);
      changes.delete(frame.taskId);
      changes.set(frame.taskId, merged);
      isFull = changes.size >= maxItems || bytes >= maxBytes;
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
      if (changes.size > 0 || since === null || isLate) answer.resolve();
    },
    stalled: answer.resolve,
    room: () => null,
    ended: () => isFull || signal.aborted,
  });
  const timer = setTimeout(waitNoLonger, waitSeconds * 1000);
  const patience = setTimeout(answer.resolve, Math.max(waitSeconds, catchUpSeconds) * 1000);
  signal.addEventListener("abort", () => answer.resolve(), { once: true });
  if (signal.aborted) answer.resolve();
  try {
    await answer.promise;
  } finally {
    clearTimeout(timer);
    clearTimeout(patience);
  }
  const frames = [...changes.values()];
  const last = frames.at(-1);
  // Without a reset everything up to the last change was given; a position beyond it is known only when nothing was
  // left out.
  const idOf = ({ bytes: event }: Frame) => decoder.decode(event.subarray(4, event.indexOf(10)));
  const cursor =
    isFull && last !== undefined ? idOf(last) : (following.cursor() ?? (last && idOf(last)) ?? at ?? since);
  following.stop();
  return {
    items: frames.map(({ bytes: event, json }) => decoder.decode(event.subarray(json.start, json.end))),
    cursor: cursor ?? "",
    reset,
    state: freshness.state(),
  };
}
