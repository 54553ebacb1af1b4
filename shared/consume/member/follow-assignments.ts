import type { Assignment, Member, PartitionOffset } from "../../messages/broker.ts";
import type { PositionComparison } from "../log/positions.ts";
import type { GroupClient } from "./client.ts";
import { partitionName } from "./partition-name.ts";
import type { Session } from "./session.ts";

/**
 * Follows the partitions that a client gets and loses. Nothing is handled or committed until the positions in the
 * database were compared with the commits. If the database went back in time, the commits are moved back and the client
 * ends: the next client begins there.
 */
export function followAssignments(of: Session, client: GroupClient, joined: () => Promise<Member>) {
  const { state, guard, lanes, offsets, committer, watchLog, end, fail, failOn } = client;
  const { meters, log } = of;

  const rewind = async (partitions: readonly PartitionOffset[]) => {
    try {
      await (await joined()).commit(partitions);
      end({ kind: "rewound", partitions });
    } catch (error) {
      fail(error);
    }
  };
  const begin = ({ partitions }: Assignment, compared: PositionComparison) => {
    if (state.life !== null && state.life !== compared.life) return end({ kind: "database_changed" });
    for (const at of compared.remade)
      log.error("topic_made_anew", {
        partition: partitionName(at),
        note: "read from its start; records of the old topic that this group had not read stay in the outbox for a day",
      });
    if (compared.behind.length > 0) return void rewind(compared.behind);
    state.life = compared.life;
    of.onCompared(compared);
    state.rebalancing = false;
    of.onJoined();
    of.onOwned(partitions);
    lanes.resume();
    client.unpause();
    committer.soon();
  };

  return {
    onRebalancing: (): void => {
      if (state.over) return;
      state.rebalancing = true;
      state.turn += 1;
      meters.rebalanced();
      of.onOwned([]);
      lanes.pause();
      // Begun inside the event, or the broker would not take it. What was settled since the last store is delivered
      // again.
      committer.commitStored().catch((error: unknown) => log.debug("commit_in_rebalance_failed", { error }));
    },
    onAssigned: (assignment: Assignment): void => {
      const { acquired, lost, outOfLog } = guard.assign(assignment);
      lost.forEach(offsets.lose);
      // Nothing is taken any more; but the last commit must not touch what others have by now.
      if (state.over) return;
      acquired.forEach(offsets.acquire);
      for (const one of acquired) client.partitions.reset(partitionName(one));
      of.standing.remove([...lost, ...acquired]);
      for (const { topic, partition, ...bounds } of outOfLog)
        watchLog.stand({ topic, partition }, bounds.committed < bounds.start ? "cut_off" : "shortened", bounds);
      lanes.drop(({ tracked }) => !tracked.isOwned());
      meters.owns(assignment.partitions.length);
      log.info("partitions_assigned", {
        generation: assignment.generation,
        partitions: assignment.partitions.map(partitionName),
        acquired: acquired.length,
        lost: lost.length,
      });
      const mine = ++state.turn;
      of.positions.compare(assignment.partitions).then(
        (compared) => {
          if (!state.over && mine === state.turn) begin(assignment, compared);
        },
        (error: unknown) => {
          if (!state.over && mine === state.turn) failOn(error);
        },
      );
    },
  };
}
