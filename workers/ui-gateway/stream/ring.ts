import type { Frame } from "./update-frame.ts";

/**
 * The newest records of one partition, in memory. Covers every offset from `start()` to before `next()`, shown ones and
 * skipped ones alike.
 */
export type Ring = Readonly<{
  start: () => bigint;
  next: () => bigint;
  /** Takes the record at `offset`; `null` for one that is not shown to anyone (old, mixed, unreadable). */
  push: (offset: bigint, frame: Frame | null) => void;
  /**
   * A user's frames above `offset`, in order, up to about `maxBytes` of them and at least one; `isAll` when none is
   * left out. Only whole when `offset + 1 >= start()`.
   */
  above: (offset: bigint, userId: string, maxBytes: number) => Readonly<{ frames: readonly Frame[]; isAll: boolean }>;
  bytes: () => number;
}>;

export type RingLimits = Readonly<{ maxRecords: number; maxBytes: number }>;

export function makeRing(first: bigint, { maxRecords, maxBytes }: RingLimits): Ring {
  let frames: Frame[] = [];
  let head = 0;
  let start = first;
  let next = first;
  let bytes = 0;
  const evict = () => {
    while (frames.length - head > maxRecords || bytes > maxBytes) {
      const oldest = frames[head++];
      if (oldest === undefined) break;
      bytes -= oldest.bytes.byteLength;
      start = oldest.offset + 1n;
    }
    if (head > 1024 && head * 2 > frames.length) {
      frames = frames.slice(head);
      head = 0;
    }
  };
  /** By halving: who takes a ring in many parts would go through all of it for each. */
  const firstAbove = (offset: bigint) => {
    let from = head;
    for (let to = frames.length; from < to;) {
      const middle = (from + to) >> 1;
      if ((frames[middle]?.offset ?? 0n) <= offset) from = middle + 1;
      else to = middle;
    }
    return from;
  };
  return {
    start: () => start,
    next: () => next,
    push: (offset, frame) => {
      next = offset + 1n;
      if (frame === null) return;
      frames.push(frame);
      bytes += frame.bytes.byteLength;
      evict();
    },
    above: (offset, userId, most) => {
      const found: Frame[] = [];
      let size = 0;
      for (let i = firstAbove(offset); i < frames.length; i++) {
        const frame = frames[i];
        if (frame?.userId !== userId) continue;
        size += frame.bytes.byteLength;
        if (size > most && found.length > 0) return { frames: found, isAll: false };
        found.push(frame);
      }
      return { frames: found, isAll: true };
    },
    bytes: () => bytes,
  };
}
