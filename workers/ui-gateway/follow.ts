import type { Admin } from "../../shared/broker.ts";
import { Problem } from "../../shared/problem.ts";
import { formatStreamCursor } from "../../shared/stream-cursor.ts";
import type { Hub, ResetReason } from "./hub.ts";
import type { LogReading } from "./read-log.ts";
import { decideResume } from "./resume.ts";
import type { Frame } from "./update-frame.ts";

/** Where a user's changes go: a stream's connection or a waiting poll. */
export type Sink = Readonly<{
  /** Offsets only rise. */
  change: (frame: Frame) => void;
  /** What was seen so far is void from `cursor` on. */
  reset: (reason: ResetReason, cursor: string) => void;
  /** All that was missed has been given. */
  caughtUp: (cursor: string) => void;
  /** The log could not be read: the client comes again with the last id it has. */
  stalled: () => void;
  room: () => Promise<void>;
  ended: () => boolean;
}>;

export type Following = Readonly<{
  /** The position of everything given so far; `null` while it is behind what the client had seen. */
  cursor: () => string | null;
  stop: () => void;
}>;

export type Follow = (userId: string, cursor: string | null, sink: Sink) => Promise<Following>;

/** Makes the one way changes are followed. Rejects with UNAVAILABLE while this instance knows no position. */
export function makeFollow(options: {
  hub: Hub;
  logReading: LogReading;
  admin: Pick<Admin, "offsets">;
  maxReplay: bigint;
}): Follow {
  const { hub, logReading, admin, maxReplay } = options;
  const bounds = async (partition: number) => {
    const [starts, ends] = await Promise.all([
      admin.offsets("task-updates", "start"),
      admin.offsets("task-updates", "end"),
    ]);
    return { start: starts.get(partition) ?? 0n, end: ends.get(partition) ?? 0n };
  };
  const here = (userId: string) => {
    const partition = hub.partitionOfUser(userId);
    const ring = hub.ringOf(partition);
    if (ring === null || !hub.isLive())
      throw new Problem("UNAVAILABLE", "Live updates are not ready yet", { retryAfterSeconds: 1 });
    return { epoch: hub.epoch(), partition, ring };
  };

  return async (userId, cursor, sink) => {
    const asked = here(userId);
    let resume = await decideResume({
      cursor,
      epoch: asked.epoch,
      partition: asked.partition,
      ringStart: asked.ring.start(),
      ringNext: asked.ring.next(),
      maxReplay,
      log: () => bounds(asked.partition),
    });
    // From here to the end nothing waits, so no record comes between what is decided and what is followed.
    const { epoch, partition, ring } = here(userId);
    if (ring !== asked.ring) resume = { from: "reset", reason: "epoch" };

    /** Above which offset the client wants changes; a position below it would take the client back. */
    let floor = -1n;
    let isReset = false;
    const subscription = hub.subscribe({
      userId,
      change: sink.change,
      reset: (reason, at) => {
        isReset = true;
        floor = -1n;
        sink.reset(reason, at);
      },
    });
    const currentRing = () => hub.ringOf(hub.partitionOfUser(userId));
    const position = () => formatStreamCursor({ epoch, partition, offset: ring.next() - 1n });
    const goOnAfter = (offset: bigint) => {
      for (const frame of ring.above(offset, userId)) sink.change(frame);
      subscription.startAfter(ring.next() - 1n);
      sink.caughtUp(position());
    };
    switch (resume.from) {
      case "now":
        goOnAfter(ring.next() - 1n);
        break;
      case "reset":
        subscription.startAfter(ring.next() - 1n);
        sink.reset(resume.reason, position());
        break;
      case "later":
        floor = resume.after;
        subscription.startAfter(resume.after);
        break;
      case "ring":
      case "log": {
        const { after } = resume;
        if (after + 1n >= ring.start()) {
          goOnAfter(after);
          break;
        }
        floor = 2n ** 62n;
        logReading.read(partition, {
          from: after + 1n,
          take: (frame) => {
            if (!isReset && frame.userId === userId) sink.change(frame);
          },
          reached: (next) => {
            if (isReset) return true;
            if (next < ring.start()) return false;
            floor = -1n;
            goOnAfter(next - 1n);
            return true;
          },
          room: sink.room,
          ended: () => isReset || sink.ended(),
          failed: () => {
            if (!isReset) sink.stalled();
          },
        });
      }
    }
    return {
      cursor: () => (hub.isLive() && (currentRing()?.next() ?? 0n) - 1n >= floor ? hub.cursorOf(userId) : null),
      stop: subscription.stop,
    };
  };
}
