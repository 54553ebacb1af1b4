import { partitionOf } from "../../../shared/kafka/partition.ts";
import { formatStreamCursor } from "./stream-cursor.ts";
import type { ResetReason } from "./reset-reasons.ts";
import { makeStrays } from "./strays.ts";
import { makeRing, type Ring, type RingLimits } from "./ring.ts";
import type { Frame } from "./update-frame.ts";

/** Someone who follows one user's changes. */
type Subscriber = Readonly<{
  userId: string;
  change: (frame: Frame) => void;
  /** The position was lost: what comes next starts at `cursor`, and what was before must be read again. */
  reset: (reason: ResetReason, cursor: string) => void;
}>;

type Subscription = Readonly<{ startAfter: (offset: bigint) => void; stop: () => void }>;

/**
 * What this instance has read of task-updates, and who follows it. Everything here happens at once, without waiting in
 * between.
 */
export type Hub = Readonly<{
  /** False until the log has been read up to where it ended when reading began. */
  isLive: () => boolean;
  epoch: () => string;
  ringOf: (partition: number) => Ring | null;
  partitionOfUser: (userId: string) => number;
  /** The cursor of all that has been read for a user; `null` while nothing can be promised. */
  cursorOf: (userId: string) => string | null;
  /** A user's changes that lie in another partition than the user's, which no cursor says anything of. */
  straysOf: (userId: string) => readonly Frame[];
  /** The topic has so many partitions now. Users who are in another one from then on are told to read again. */
  grow: (partitions: number) => void;
  /** Starts anew at `from`, the first offset to read of each partition. Not live until `setLive`. */
  restart: (epoch: string, from: ReadonlyMap<number, bigint>, reason: ResetReason) => void;
  /**
   * All there was has been read: what comes now is new. Whoever follows from before a restart is told to read again.
   */
  setLive: () => void;
  /** The record at `offset` has been read; `null` when it is shown to nobody. Goes to its user's followers at once. */
  take: (partition: number, offset: bigint, frame: Frame | null) => void;
  /** The log has nothing more before `next`: markers, mostly. */
  pass: (partition: number, next: bigint) => void;
  /** Follows a user; changes come only once `startAfter` has said above which offset, resets at any time. */
  subscribe: (subscriber: Subscriber) => Subscription;
  ringBytes: () => number;
}>;

type HubOptions = Readonly<{ ring: RingLimits; countDropped: (reason: "old") => void }>;

/** Tasks whose last sequence is remembered to drop what the relay sent twice; a repetition follows within seconds. */
const rememberedTasks = 100_000;

export function makeHub({ ring: limits, countDropped }: HubOptions): Hub {
  let epoch = "";
  let live = false;
  let rings: ReadonlyMap<number, Ring> = new Map();
  let lastSequence = new Map<string, number>();
  let lost: ResetReason | null = null;
  let strays = makeStrays();
  /** By user; with the offset each has seen, `null` while it is still being brought up to here. */
  const followers = new Map<string, Map<Subscriber, bigint | null>>();

  const partitionOfUser = (userId: string) => partitionOf(userId, Math.max(1, rings.size));
  const cursorOf = (userId: string) => {
    const partition = partitionOfUser(userId);
    const ring = rings.get(partition);
    return ring === undefined || !live ? null : formatStreamCursor({ epoch, partition, offset: ring.next() - 1n });
  };
  const isNews = ({ taskId, sequence }: Frame) => {
    const last = lastSequence.get(taskId);
    if (last !== undefined && sequence <= last) return false;
    lastSequence.delete(taskId);
    lastSequence.set(taskId, sequence);
    if (lastSequence.size > rememberedTasks)
      for (const oldest of lastSequence.keys()) if (lastSequence.delete(oldest)) break;
    return true;
  };
  return {
    isLive: () => live,
    epoch: () => epoch,
    ringOf: (partition) => rings.get(partition) ?? null,
    partitionOfUser,
    cursorOf,
    restart: (newEpoch, from, reason) => {
      epoch = newEpoch;
      live = false;
      lost = reason;
      rings = new Map([...from].map(([partition, offset]) => [partition, makeRing(offset, limits)]));
      lastSequence = new Map();
      strays = makeStrays();
    },
    straysOf: (userId) => strays.of(userId),
    grow: (partitions) => {
      if (partitions <= rings.size) return;
      const before = rings.size;
      const added = Array.from({ length: partitions - before }, (_, n) => [before + n, makeRing(0n, limits)] as const);
      rings = new Map([...rings, ...added]);
      if (!live) return;
      for (const [userId, subscribers] of followers) {
        if (partitionOf(userId, before) === partitionOfUser(userId)) continue;
        for (const subscriber of subscribers.keys()) {
          subscribers.set(subscriber, -1n);
          subscriber.reset("moved", cursorOf(userId) ?? "");
        }
      }
    },
    setLive: () => {
      live = true;
      if (lost === null) return;
      const reason = lost;
      lost = null;
      for (const [userId, subscribers] of followers)
        for (const subscriber of subscribers.keys()) {
          subscribers.set(subscriber, -1n);
          subscriber.reset(reason, cursorOf(userId) ?? "");
        }
    },
    take: (partition, offset, frame) => {
      const ring = rings.get(partition);
      if (ring === undefined || offset < ring.next()) return;
      const shown = frame !== null && isNews(frame) ? frame : null;
      if (frame !== null && shown === null) countDropped("old");
      ring.push(offset, shown);
      if (shown === null) return;
      const isHome = partitionOfUser(shown.userId) === partition;
      if (isHome) strays.forget(shown.taskId);
      if (!live) return;
      if (!isHome) strays.add(shown);
      // Offsets that clients have seen are of their user's partition.
      for (const [subscriber, after] of followers.get(shown.userId) ?? [])
        if (after !== null && (!isHome || offset > after)) subscriber.change(shown);
    },
    pass: (partition, next) => {
      const ring = rings.get(partition);
      if (ring !== undefined && next > ring.next()) ring.push(next - 1n, null);
    },
    subscribe: (subscriber) => {
      const { userId } = subscriber;
      const subscribers = followers.get(userId) ?? new Map<Subscriber, bigint | null>();
      followers.set(userId, subscribers.set(subscriber, null));
      return {
        startAfter: (offset) => {
          if (subscribers.has(subscriber)) subscribers.set(subscriber, offset);
        },
        stop: () => {
          subscribers.delete(subscriber);
          if (subscribers.size === 0 && followers.get(userId) === subscribers) followers.delete(userId);
        },
      };
    },
    ringBytes: () => [...rings.values()].reduce((sum, ring) => sum + ring.bytes(), 0),
  };
}
