import type { Frame } from "./update-frame.ts";

/** The newest records of one partition, in memory. Covers every offset from `start()` to before `next()`, shown ones and skipped ones alike. */
export type Ring = Readonly<{
  start: () => bigint;
  next: () => bigint;
  /** Takes the record at `offset`; `null` for one that is not shown to anyone (old, mixed, unreadable). */
  push: (offset: bigint, frame: Frame | null) => void;
  /** A user's frames above `offset`, in order. Only whole when `offset + 1 >= start()`. */
  above: (offset: bigint, userId: string) => readonly Frame[];
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
    above: (offset, userId) => {
      const found: Frame[] = [];
      for (let i = frames.length - 1; i >= head; i--) {
        const frame = frames[i];
        if (frame === undefined || frame.offset <= offset) break;
        if (frame.userId === userId) found.push(frame);
      }
      return found.toReversed();
    },
    bytes: () => bytes,
  };
}
