import { mergeChanges, type Frame } from "./update-frame.ts";

/** A change, or the bytes of an event of the stream itself. */
export type StreamOutput = Frame | Uint8Array;

/** What a connection has not taken yet: one entry per key, newest last. */
type OutgoingQueue = Readonly<{
  /**
   * Appends; an entry of the same key that still waits is dropped, so a task's waiting change is replaced by its newer
   * one, which tells what happened in both, and moves to the tail. Ids therefore only rise: nothing is ever put before
   * what has a smaller one.
   */
  put: (key: string, outgoing: StreamOutput) => void;
  take: () => Uint8Array | null;
  bytes: () => number;
  count: () => number;
  /** Drops all; with `except` all but the entry of that key. */
  clear: (except?: string) => void;
}>;

export function makeWaiting(): OutgoingQueue {
  // A Map iterates in the order of insertion; deleting first makes a replaced key the last.
  const entries = new Map<string, StreamOutput>();
  let size = 0;
  const drop = (key: string): StreamOutput | null => {
    const outgoing = entries.get(key);
    if (outgoing === undefined) return null;
    entries.delete(key);
    size -= bytesOf(outgoing).byteLength;
    return outgoing;
  };
  return {
    put: (key, outgoing) => {
      const older = drop(key);
      const isChange = older !== null && !(older instanceof Uint8Array) && !(outgoing instanceof Uint8Array);
      const now = isChange ? mergeChanges(older, outgoing) : outgoing;
      entries.set(key, now);
      size += bytesOf(now).byteLength;
    },
    take: () => {
      for (const key of entries.keys()) {
        const outgoing = drop(key);
        return outgoing && bytesOf(outgoing);
      }
      return null;
    },
    bytes: () => size,
    count: () => entries.size,
    clear: (except) => {
      for (const key of entries.keys()) if (key !== except) drop(key);
    },
  };
}

function bytesOf(outgoing: StreamOutput): Uint8Array {
  return outgoing instanceof Uint8Array ? outgoing : outgoing.bytes;
}
