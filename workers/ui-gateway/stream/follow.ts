import type { Admin } from "../../../shared/messages/broker.ts";
import { Problem } from "../../../shared/problem.ts";
import { formatStreamCursor } from "./stream-cursor.ts";
import type { Hub } from "./hub.ts";
import type { ResetReason } from "./reset-reasons.ts";
import type { ReadLog } from "./read-log.ts";
import { decideResume, type Resume } from "./resume.ts";
import type { Frame } from "./update-frame.ts";

/** Where a user's changes go: a stream's connection or a waiting poll. */
export type Sink = Readonly<{
  /** Offsets only rise. */
  change: (frame: Frame) => void;
  /** What was seen so far is void from `cursor` on. */
  reset: (reason: ResetReason, cursor: string) => void;
  /** All that was missed has been given; `null` while this instance is behind what the client has seen. */
  caughtUp: (cursor: string | null) => void;
  /** The log could not be read: the client comes again with the last id it has. */
  stalled: () => void;
  /** `null` when it takes more at once. Changes that come now are given in any case; those it missed wait for room. */
  room: () => Promise<void> | null;
  ended: () => boolean;
}>;

export type StreamFollower = Readonly<{
  /**
   * The position of everything given so far, on the way through the log too; `null` while it is behind what the client
   * had seen.
   */
  cursor: () => string | null;
  /** Nothing is given, read or kept for it any more. */
  stop: () => void;
}>;

export type Follow = (userId: string, cursor: string | null, sink: Sink) => Promise<StreamFollower>;

/** Bytes of missed changes given between two looks for room; at most that much lies on top of half a budget. */
const chunkBytes = 64 * 1024;

/**
 * Makes the one way changes are followed. Rejects with UNAVAILABLE while this instance knows no position, and with what
 * `admitReplay` throws where the log would have to be read for a user.
 */
export function makeFollow(options: {
  hub: Hub;
  readLog: ReadLog;
  admin: Pick<Admin, "offsets">;
  maxReplay: bigint;
  admitReplay: (userId: string) => void;
}): Follow {
  const { hub, readLog, admin, maxReplay } = options;
  const bounds = async (partition: number) => {
    const [starts, ends] = await Promise.all([
      admin.offsets("task-updates", "start"),
      admin.offsets("task-updates", "end"),
    ]).catch((cause: unknown) => {
      throw new Problem("UNAVAILABLE", "The log of changes cannot be reached", { retryAfterSeconds: 2, cause });
    });
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
    const decided = await decideResume({
      cursor,
      epoch: asked.epoch,
      partition: asked.partition,
      ringStart: asked.ring.start(),
      ringNext: asked.ring.next(),
      maxReplay,
      log: () => bounds(asked.partition),
    });
    const { epoch, partition, ring } = here(userId);
    const resume: Resume = partition === asked.partition ? decided : { from: "reset", reason: "moved" };
    if (resume.from === "log") options.admitReplay(userId);
    /** Aborted when nothing more is to be given. */
    const over = new AbortController();
    /** Up to where what was missed has been given. */
    let reached: () => bigint = () => -1n;
    /** Above which offset the client wants changes, while this instance is behind it or it behind this instance. */
    let floor: bigint | "catching-up" = -1n;
    const subscription = hub.subscribe({
      userId,
      change: sink.change,
      reset: (reason, at) => {
        floor = -1n;
        over.abort();
        sink.reset(reason, at);
      },
    });
    const startFromNow = () => {
      const offset = ring.next() - 1n;
      floor = -1n;
      subscription.startAfter(offset);
      return formatStreamCursor({ epoch, partition, offset });
    };
    /**
     * The client, or the log it was given, is ahead of this instance: what comes is not given again, nor its position
     * taken back.
     */
    const startLater = (after: bigint) => {
      floor = after;
      subscription.startAfter(after);
      return null;
    };
    /** After a restart of the hub nothing here counts any more; its reset is on the way. */
    const isOver = () => over.signal.aborted || sink.ended() || hub.ringOf(partition) !== ring;
    /** Gives what was missed as fast as it is taken. The last part and the change to what comes now are one step. */
    const catchUp = async (from: bigint): Promise<void> => {
      // The log still has what was published twice.
      const given = new Map<string, number>();
      const give = (frame: Frame) => {
        if (frame.sequence <= (given.get(frame.taskId) ?? -1)) return;
        given.set(frame.taskId, frame.sequence);
        sink.change(frame);
      };
      for (let after = from; !isOver();) {
        if (after + 1n < ring.start()) {
          const take = (frame: Frame) => {
            give(frame);
            if (isOver()) over.abort();
          };
          const isCovered = (next: bigint) => isOver() || next >= ring.start();
          const { room } = sink;
          const reading = readLog(partition, { userId, from: after + 1n, take, isCovered, room, signal: over.signal });
          reached = () => reading.next() - 1n;
          const next = await reading.done;
          if (next === null) return isOver() ? undefined : sink.stalled();
          after = next - 1n;
          continue;
        }
        const { frames, isAll } = ring.above(after, userId, chunkBytes);
        for (const frame of frames) give(frame);
        const at = frames.at(-1)?.offset ?? after;
        if (isAll) return sink.caughtUp(at < ring.next() ? startFromNow() : startLater(at));
        after = at;
        reached = () => at;
        await sink.room();
      }
    };

    if (ring !== asked.ring && partition === asked.partition) sink.reset("epoch", startFromNow());
    else
      switch (resume.from) {
        case "now":
          sink.caughtUp(startFromNow());
          break;
        case "reset":
          sink.reset(resume.reason, startFromNow());
          break;
        case "later":
          for (const frame of hub.straysOf(userId)) sink.change(frame);
          sink.caughtUp(startLater(resume.after));
          break;
        case "ring":
        case "log":
          for (const frame of hub.straysOf(userId)) sink.change(frame);
          floor = "catching-up";
          reached = () => resume.after;
          catchUp(resume.after).catch(sink.stalled);
      }
    return {
      cursor: () => {
        const next = hub.ringOf(hub.partitionOfUser(userId))?.next() ?? 0n;
        if (floor !== "catching-up") return next - 1n < floor ? null : hub.cursorOf(userId);
        return isOver() ? null : formatStreamCursor({ epoch, partition, offset: reached() });
      },
      stop: () => {
        over.abort();
        subscription.stop();
      },
    };
  };
}
