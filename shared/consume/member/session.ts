import type { Broker, PartitionOffset, TopicPartition } from "../../messages/broker.ts";
import type { GroupName, TopicName } from "../../messages/topics.ts";
import type { Log } from "../../role/log.ts";
import type { PositionComparison, Positions } from "../log/positions.ts";
import type { StandingPartitions } from "../log/standing.ts";
import type { ConsumerMeters } from "../meters.ts";
import type { QueuedRecord } from "./item.ts";

/** Why a client's life ended. `worked` says that it had settled something, so that failures before do not add up. */
export type SessionEnd =
  | Readonly<{ kind: "stopped" }>
  | Readonly<{ kind: "failed"; error: unknown; worked: boolean }>
  | Readonly<{ kind: "gap"; partition: string; expected: bigint | null; found: bigint }>
  | Readonly<{ kind: "grown"; topics: readonly string[] }>
  /** Topics were deleted and made again: their offsets mean something else. */
  | Readonly<{ kind: "remade"; topics: readonly string[] }>
  /** The database server was restarted or is another one: what was known of positions must be compared anew. */
  | Readonly<{ kind: "database_changed" }>
  /** The database had gone back, or a topic is another: the commits were moved back to where the group has to go on. */
  | Readonly<{ kind: "rewound"; partitions: readonly PartitionOffset[] }>
  | Readonly<{ kind: "fatal"; error: unknown }>;

export type Session = Readonly<{
  broker: Pick<Broker, "join" | "admin">;
  group: GroupName;
  topics: readonly TopicName[];
  work: (items: readonly QueuedRecord[], lane: number, end: (end: SessionEnd) => void) => Promise<void>;
  /** True while anything is waited for on purpose. */
  isWaiting: () => boolean;
  /** The same of one lane; of `null`: while all of them wait. */
  isLaneWaiting: (lane: number | null) => boolean;
  /** Counts a lane's handlers that have come to an end, well or not: a message that fails slowly is no standstill. */
  tries: (lane: number) => number;
  onJoined: () => void;
  positions: Positions;
  /** Told what the database says of an assignment, before any of its records is worked. */
  onCompared: (compared: PositionComparison) => void;
  /** Whether a client before this one left out the same records too: then no new client will help. */
  wasSkipped: (partition: string, expected: bigint | null, found: bigint) => boolean;
  standing: StandingPartitions;
  /** Takes what is called when topics have grown: it makes this session look at its logs at once. */
  toldToLook: (look: () => void) => void;
  /**
   * Told what the member owns, whenever that changes; nothing while the group rebalances and once the client is over.
   */
  onOwned: (partitions: readonly TopicPartition[]) => void;
  meters: ConsumerMeters;
  log: Log;
  stop: AbortSignal;
  /** Called when a stop has waited long enough for the running handlers. */
  cutOff: () => void;
  timing: Timing;
  lanes: number;
}>;

export type Timing = Readonly<{
  commitEveryMs: number;
  drainMs: number;
  watchEveryMs: number;
  /** How often the logs are compared with what was read of them. */
  lookEveryMs: number;
  stuckMs: number;
  inactiveMs: number;
}>;
export const timing: Timing = {
  commitEveryMs: 1_000,
  drainMs: 10_000,
  watchEveryMs: 5_000,
  lookEveryMs: 10_000,
  stuckMs: 60_000,
  // Twice the rebalance timeout: a member may seem inactive for as long as a rejoin lasts.
  inactiveMs: 30_000,
};
