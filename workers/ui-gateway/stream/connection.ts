import { makeWaiting, type StreamOutput } from "./waiting.ts";

export type EndReason = "gone" | "slow" | "failed" | "age" | "auth" | "drain" | "stalled" | "replaced";

/** One open stream: bytes go out as fast as the client takes them, the rest waits up to a budget. */
export type StreamConnection = Readonly<{
  body: ReadableStream<Uint8Array>;
  /**
   * Sends now or queues; entries of one key replace each other while they wait. Over the budget the connection ends as
   * `slow`.
   */
  put: (key: string, outgoing: StreamOutput) => void;
  /** Drops what waits, but the entry of this key: all else is void after a reset. */
  clear: (except: string) => void;
  /** `null` while less than half of the budget waits; else resolves when it does, or when the connection has ended. */
  room: () => Promise<void> | null;
  /** Whether something waits that the client has not taken. */
  isBehind: () => boolean;
  /**
   * Ends it; `last` goes out before the end and carries no id. What still waits is left to the client's next
   * connection.
   */
  end: (reason: EndReason, last?: Uint8Array) => void;
  ended: () => boolean;
}>;

type ConnectionOptions = Readonly<{
  /** Waiting bytes beyond which the client is too slow. A vanished one is seen by nothing else but its age. */
  maxWaitingBytes: number;
  onEnd: (reason: EndReason) => void;
}>;

/** Bytes handed to the socket layer ahead of the client; beyond them they stay here, where they can still be merged. */
const aheadBytes = 16 * 1024;

export function openConnection({ maxWaitingBytes, onEnd }: ConnectionOptions): StreamConnection {
  const waiting = makeWaiting();
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  let isEnded = false;
  let room: PromiseWithResolvers<void> | null = null;

  const makeRoom = () => {
    room?.resolve();
    room = null;
  };
  const finish = (reason: EndReason) => {
    if (isEnded) return;
    isEnded = true;
    waiting.clear();
    makeRoom();
    onEnd(reason);
  };
  const flush = () => {
    while (!isEnded && controller !== null && (controller.desiredSize ?? 0) > 0) {
      const bytes = waiting.take();
      if (bytes === null) break;
      try {
        controller.enqueue(bytes);
      } catch {
        // The stream was closed under us; nothing of ours is left to tell.
        finish("failed");
      }
    }
    if (waiting.bytes() * 2 <= maxWaitingBytes) makeRoom();
  };
  const close = () => {
    try {
      controller?.close();
    } catch {
      // Closed or errored already: what we wanted.
    }
  };
  const end: StreamConnection["end"] = (reason, last) => {
    if (isEnded) return;
    try {
      if (last !== undefined) controller?.enqueue(last);
    } catch {
      // As above.
    }
    finish(reason);
    close();
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start: (own) => {
        controller = own;
      },
      pull: flush,
      cancel: () => finish("gone"),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: aheadBytes }),
  );
  return {
    body,
    put: (key, outgoing) => {
      if (isEnded) return;
      waiting.put(key, outgoing);
      flush();
      // One alone is never too much: a client that comes back for it would be closed again and again.
      if (waiting.bytes() > maxWaitingBytes && waiting.count() > 1) end("slow");
    },
    clear: waiting.clear,
    room: () => {
      if (isEnded || waiting.bytes() * 2 <= maxWaitingBytes) return null;
      room ??= Promise.withResolvers<void>();
      return room.promise;
    },
    isBehind: () => waiting.count() > 0,
    end,
    ended: () => isEnded,
  };
}
