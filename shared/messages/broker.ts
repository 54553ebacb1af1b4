import type { Headers } from "./message.ts";

/**
 * The port to Kafka. Records of aborted transactions are never given, nor those of a transaction before it is
 * committed. One driver file implements it; a contract suite says what every driver must do. Topic and group names are
 * given without the deployment's prefix; the driver adds it.
 */
export type Broker = AsyncDisposable &
  Readonly<{
    /** An idempotent producer, acks=all. Reconnects by itself; a failed send may still have been written. */
    producer: () => Promise<Producer>;
    /**
     * Joins a group with a new client. A member that failed is closed and never used again: after an outage an old
     * client can deliver records outside its group, without any error.
     */
    join: (options: JoinOptions) => Promise<Member>;
    /**
     * Reads partitions from given offsets without a group: nothing to commit, no rebalance, every reader sees every
     * record.
     */
    tail: (options: TailOptions) => AsyncIterable<TailAnswer>;
    admin: Admin;
  }>;

export type OutgoingRecord = Readonly<{
  topic: string;
  /** ms since the epoch by the database's clock. Kafka refuses a record of more than an hour ahead of its own clock. */
  timestamp: number;
  key: string | null;
  value: Uint8Array | null;
  headers: Headers;
}>;

export type Producer = AsyncDisposable &
  Readonly<{
    /**
     * Resolves when every record is acknowledged by all in-sync replicas; order per partition is the order given.
     * Rejects with a `SendError`: `refused` means the broker will never take these records as they are, because of what
     * is in them.
     */
    send: (records: readonly OutgoingRecord[]) => Promise<void>;
  }>;

/** `refused`: the broker will never take these records as they are. `unreachable`: it may have, or may later. */
export type SendFailure = "refused" | "unreachable";
export type SendError = Error & Readonly<{ failure: SendFailure }>;

/**
 * What a failed `send` says about its records. Anything unrecognised counts as `unreachable`: sending again is
 * harmless.
 */
export function sendFailureOf(error: unknown): SendFailure {
  return error instanceof Error && "failure" in error && error.failure === "refused" ? "refused" : "unreachable";
}

export type FetchedRecord = Readonly<{
  topic: string;
  partition: number;
  offset: bigint;
  /** ms since the epoch, the broker's or producer's as the topic is configured. */
  timestamp: number;
  key: string | null;
  /** The key's own bytes, only where they are no UTF-8 text: `key` is then what could be read of them. */
  keyBytes?: Uint8Array;
  value: Uint8Array | null;
  headers: Headers;
  /** The group generation in which the record was fetched; 0 for a tail. */
  generation: number;
  /**
   * The epoch of the leader that wrote it, where the driver knows it: a later one below what was read replaced the log.
   */
  leaderEpoch?: number;
}>;

export type TopicPartition = Readonly<{ topic: string; partition: number }>;
export type PartitionOffset = TopicPartition & Readonly<{ offset: bigint }>;
/**
 * A commit: the next offset to read, and the epoch of the leader that wrote the record before it, where that is known.
 */
export type Commit = PartitionOffset & Readonly<{ leaderEpoch?: number }>;

/**
 * What a member owns from now on. `committed` is the next offset to read, or the log start where nothing was committed;
 * `start` and `end` are the log's bounds, read after it, so a commit outside them is not a race but records lost or a
 * log replaced. `leaderEpoch` is the commit's. `topicId`, where the driver knows it: see `Admin.topicId`.
 */
export type Assignment = Readonly<{
  generation: number;
  partitions: readonly (TopicPartition &
    Readonly<{ committed: bigint; leaderEpoch?: number; start: bigint; end: bigint; topicId?: string }>)[];
}>;

export type JoinOptions = Readonly<{
  group: string;
  topics: readonly string[];
  /**
   * Records as the client delivers them: stale, repeated or not owned any more ones included; never before `onAssigned`
   * told of their generation. Awaited: the back-pressure.
   */
  onRecords: (records: readonly FetchedRecord[]) => Promise<void>;
  /** Replaces what was told before. May be called before `join` has resolved. */
  onAssigned: (assignment: Assignment) => void;
  /**
   * A rebalance has begun: a commit begun before this returns is still accepted. Not awaited: the client rejoins
   * meanwhile.
   */
  onRebalancing: () => void;
  /** The stream is over for good: close this member and join anew. */
  onFailed: (error: Error) => void;
}>;

export type Member = AsyncDisposable &
  Readonly<{
    /** `offset` is the next one to read. Rejects when the group does not take it, or has not answered in 15 s. */
    commit: (offsets: readonly Commit[]) => Promise<void>;
    /** False once the group goes on without this member, and for a moment during a rebalance. */
    isActive: () => boolean;
  }>;

/**
 * A tail outlives broker restarts and leader moves: it retries with backoff and goes on where it was. It ends when
 * `signal` is aborted, and throws `OFFSET_OUT_OF_RANGE` (as `code`) when an offset is not in the log (any more), as the
 * log was cut off, was cut off and has grown again, or is another's: its topic was deleted and made anew. The reader
 * decides, nothing is skipped.
 */
export type TailOptions = Readonly<{
  topic: string;
  /** Partition to the offset read next. */
  from: ReadonlyMap<number, bigint>;
  /** Reads partitions that are added to the topic too, from their first record, within half a minute. */
  grows?: boolean;
  signal: AbortSignal;
}>;

/**
 * An answer of the broker to a tail, twice a second where nothing comes: records in order, and for each partition it is
 * about the offset read next, beyond those records and beyond holes of the log after them. `partitions` is how many are
 * read.
 */
export type TailAnswer = Readonly<{
  records: readonly FetchedRecord[];
  next: ReadonlyMap<number, bigint>;
  partitions: number;
}>;

export type TopicState = Readonly<{ name: string; partitions: number; configs: Readonly<Record<string, string>> }>;

export type Admin = Readonly<{
  topics: () => Promise<readonly TopicState[]>;
  /** Replicated as the broker's default says, unless `replication` does. A topic that exists is left as it is. */
  createTopic: (topic: TopicState & Readonly<{ replication?: number }>) => Promise<void>;
  /**
   * Gives a topic partitions until it has so many; one that has them, or more, is left as it is. Keys move to other
   * partitions.
   */
  addPartitions: (topic: string, partitions: number) => Promise<void>;
  alterConfigs: (topic: string, configs: Readonly<Record<string, string>>) => Promise<void>;
  /**
   * The oldest offset still there (`start`), or the one after the last that may be read (`end`: open transactions end
   * it), by partition.
   */
  offsets: (topic: string, at: "start" | "end") => Promise<ReadonlyMap<number, bigint>>;
  /** By topic and partition; partitions without a commit are missing. */
  committed: (group: string) => Promise<readonly Commit[]>;
  /** What the broker calls this life of a topic: another one once it was deleted and made again. */
  topicId: (topic: string) => Promise<string>;
  /** Moves commits of a group without members; rejects when it has some. `offset` is the next one to read. */
  setOffsets: (group: string, offsets: readonly PartitionOffset[]) => Promise<void>;
  groups: () => Promise<readonly Readonly<{ name: string; state: string; members: number }>[]>;
  /**
   * The first offset from this one on that has a record; where none does, one up to which the log has none, mostly its
   * end. What is between is a hole: transaction markers, aborted records, compaction. Rejects with code
   * OFFSET_OUT_OF_RANGE when the offset is not in the log.
   */
  nextRecord: (at: PartitionOffset) => Promise<bigint>;
  /** The first record at or after each of these offsets; for lag in seconds and for a look. */
  read: (topic: string, at: ReadonlyMap<number, bigint>) => Promise<readonly FetchedRecord[]>;
  deleteTopic: (topic: string) => Promise<void>;
  /** Only a group without members; one that does not exist is fine. */
  deleteGroup: (group: string) => Promise<void>;
}>;
