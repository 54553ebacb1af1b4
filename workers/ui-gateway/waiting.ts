/** What a connection has not taken yet: one entry per key, newest last. */
export type Waiting = Readonly<{
  /**
   * Appends; an entry of the same key that still waits is dropped, so a task's waiting change is replaced by its newer one
   * and moves to the tail. Ids therefore only rise: nothing is ever put before what has a smaller one.
   */
  put: (key: string, bytes: Uint8Array) => void;
  take: () => Uint8Array | null;
  bytes: () => number;
  count: () => number;
  clear: () => void;
}>;

export function makeWaiting(): Waiting {
  // A Map iterates in the order of insertion; deleting first makes a replaced key the last.
  const entries = new Map<string, Uint8Array>();
  let size = 0;
  const drop = (key: string): Uint8Array | null => {
    const bytes = entries.get(key);
    if (bytes === undefined) return null;
    entries.delete(key);
    size -= bytes.byteLength;
    return bytes;
  };
  return {
    put: (key, bytes) => {
      drop(key);
      entries.set(key, bytes);
      size += bytes.byteLength;
    },
    take: () => {
      for (const key of entries.keys()) return drop(key);
      return null;
    },
    bytes: () => size,
    count: () => entries.size,
    clear: () => {
      entries.clear();
      size = 0;
    },
  };
}
