import type { Admin, FetchedRecord, PartitionOffset } from "../../messages/broker.ts";
import type { ExamineLog, Findings } from "./examine-log.ts";
import type { Guard } from "../member/guard.ts";
import type { ConsumerMeters } from "../meters.ts";
import type { Offsets } from "../member/offsets.ts";
import { partitionName } from "../member/partition-name.ts";
import type { StandingPartitions } from "./standing.ts";

type WatchLog = Readonly<{
  admin: Pick<Admin, "nextRecord" | "read">;
  examine: ExamineLog["examine"];
  guard: Guard;
  offsets: Offsets;
  standing: StandingPartitions;
  meters: Pick<ConsumerMeters, "passed">;
}>;

/** What came of a gap: the log has nothing there, or not any more, or it has what the client did not deliver. */
type GapOutcome = "passed" | "standing" | "skipped";

/**
 * Tells holes of the log from losses, by asking the log itself. A hole is passed over; a partition that has lost
 * records stands from then on, at the position it has.
 */
export function makeWatchLog(of: WatchLog) {
  const { admin, guard, offsets, standing, meters } = of;
  const stand: StandingPartitions["add"] = (at, loss, fields) => {
    guard.stand(at);
    standing.add(at, loss, fields);
  };
  /** The first offset from `at` on that has a record; null where the log does not reach back to it any more. */
  const next = async (at: PartitionOffset): Promise<bigint | null> => {
    try {
      return await admin.nextRecord(at);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "OFFSET_OUT_OF_RANGE") return null;
      throw error;
    }
  };
  const pass = (at: PartitionOffset, upTo: bigint) => {
    // A rebalance meanwhile may have taken it away or brought it back elsewhere.
    if (guard.expects(at) !== at.offset || upTo <= at.offset) return;
    guard.pass(at, upTo);
    offsets.pass(at, at.offset, upTo);
    meters.passed(at.topic, upTo - at.offset);
  };
  const isSettled = (at: PartitionOffset) =>
    offsets.positions().some((one) => partitionName(one) === partitionName(at) && one.offset === at.offset);

  return {
    stand,
    /** Rejects when the broker does not answer. */
    closeGap: async (record: FetchedRecord): Promise<GapOutcome> => {
      const { topic, partition } = record;
      const expected = guard.expects(record);
      if (expected === null) return "passed";
      const at = { topic, partition, offset: expected };
      const found = await next(at);
      if (found === null) {
        stand(at, "cut_off", { expected, found: record.offset });
        return "standing";
      }
      if (found < record.offset) return "skipped";
      pass(at, record.offset);
      return "passed";
    },
    /**
     * Whether the log still has the record before this one, now that a new leader writes it. If not, the partition
     * stands. What cannot be compared, as it is not there any more, counts as the same. Rejects when the broker does
     * not answer.
     */
    checkLeader: async (record: FetchedRecord): Promise<void> => {
      const last = guard.last(record);
      if (last === null || record.leaderEpoch === undefined) return;
      // Deleted by now, or a hole: there is nothing to compare with.
      const isThere = (await next({ ...last, topic: record.topic, partition: record.partition })) === last.offset;
      const [there] = isThere ? await admin.read(record.topic, new Map([[record.partition, last.offset]])) : [];
      const isOther = there?.offset === last.offset && there.leaderEpoch !== last.epoch;
      if (isOther) stand(record, "shortened", { position: record.offset, again: last.offset });
      else guard.trust(record, record.leaderEpoch);
    },
    /**
     * To be called every few seconds; says which topics have grown or are others. Rejects when the broker does not
     * answer.
     */
    look: async (): Promise<Pick<Findings, "grown" | "remade">> => {
      const { remade, grown, shortened, idle } = await of.examine(guard.positions(), isSettled);
      for (const at of shortened) stand(at, "shortened", { position: at.offset, end: at.end });
      for (const at of idle) {
        const found = await next(at);
        if (found === null) stand(at, "cut_off", { expected: at.offset });
        else pass(at, found);
      }
      return { grown, remade };
    },
  };
}
