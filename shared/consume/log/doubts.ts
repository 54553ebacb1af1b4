import type { TopicPartition } from "../../messages/broker.ts";
import type { Log } from "../../role/log.ts";
import type { MessageOutcome } from "../member/item.ts";
import type { ConsumerMeters } from "../meters.ts";
import { partitionName } from "../member/partition-name.ts";

/**
 * Tells whether commits that were above the database's positions meant a loss. They may mean none: an older build
 * commits without storing positions. A record below the commit that is new to the inbox had its effects once, and the
 * database has lost them. So it has where a record tells of a change that is not in the outbox.
 */
export function makeDoubts(
  of: Readonly<{
    log: Log;
    meters: Pick<ConsumerMeters, "lost">;
    /** Told once of what the database has lost: effects it had, or the changes that events tell of. */
    wentBack: (evidence: "effects" | "events") => void;
  }>,
) {
  let below: ReadonlyMap<string, bigint> = new Map();
  let told = false;
  return {
    /** By partition: below which offset everything had been committed. */
    about: (doubted: ReadonlyMap<string, bigint>) => {
      below = doubted;
    },
    settled: (record: TopicPartition & Readonly<{ offset: bigint }>, outcome: MessageOutcome): void => {
      const wasLost = outcome === "lost";
      const isNew = outcome !== "duplicate" && outcome !== "skipped" && !wasLost;
      const isMadeAgain = isNew && record.offset < (below.get(partitionName(record)) ?? 0n);
      if (isMadeAgain) of.meters.lost(record.topic);
      if (told || !(wasLost || isMadeAgain)) return;
      told = true;
      of.wentBack(wasLost ? "events" : "effects");
      of.log.error("database_went_back", {
        first: `${partitionName(record)}@${record.offset}`,
        note: "the database lost effects of committed records: they are made again; events of changes it lost are left out",
      });
    },
  };
}
