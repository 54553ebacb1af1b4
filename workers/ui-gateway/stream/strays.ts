import type { Frame } from "./update-frame.ts";

/** The newest changes are kept, of at most so many bytes. */
const maxBytes = 8 << 20;

/**
 * Changes that came in another partition than their user's: a producer that has not heard yet of added partitions wrote
 * them. A client's cursor is of its user's partition and says nothing of them, so they are given again to whoever comes
 * back.
 */
export function makeStrays() {
  /** By task, the one that came last at the end. */
  const frames = new Map<string, Frame>();
  let bytes = 0;
  const forget = (taskId: string): void => {
    bytes -= frames.get(taskId)?.bytes.byteLength ?? 0;
    frames.delete(taskId);
  };
  return {
    add: (frame: Frame): void => {
      forget(frame.taskId);
      frames.set(frame.taskId, frame);
      bytes += frame.bytes.byteLength;
      for (const oldest of frames.keys()) {
        if (bytes <= maxBytes) break;
        forget(oldest);
      }
    },
    /** A newer change of the task has come where it belongs. */
    forget,
    of: (userId: string): readonly Frame[] =>
      frames.size === 0 ? [] : [...frames.values()].filter((frame) => frame.userId === userId),
  };
}
