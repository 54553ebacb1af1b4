import type { FetchedRecord } from "../../messages/broker.ts";
import type { GroupClient } from "./client.ts";
import type { GuardVerdict } from "./guard.ts";
import { makeItem } from "./item.ts";
import { partitionName } from "./partition-name.ts";
import type { Session } from "./session.ts";

/**
 * Gives what the broker delivers to the lanes, as far as the guard lets it pass. Ends the client at records that were
 * left out.
 */
export function makeTakeRecords(of: Session, client: GroupClient) {
  const { state, guard, lanes, offsets, watchLog, end } = client;

  /** Whether what is before the record is settled: the log has nothing there, or the partition stands because of it. */
  const isClosed = async (record: FetchedRecord): Promise<boolean> => {
    const expected = guard.expects(record);
    const gap = await watchLog.closeGap(record);
    if (gap !== "skipped") return true;
    if (!of.wasSkipped(partitionName(record), expected, record.offset)) return false;
    watchLog.stand(record, "skipped", { expected, found: record.offset });
    return true;
  };
  /** Asks the log where a record does not simply follow the one before it. */
  const judge = async (record: FetchedRecord): Promise<GuardVerdict> => {
    const first = guard.judge(record);
    if (first === "new_leader") await watchLog.checkLeader(record);
    else if (first !== "gap" || !(await isClosed(record))) return first;
    return judge(record);
  };

  return async (records: readonly FetchedRecord[]): Promise<void> => {
    state.giving = true;
    for (const record of records) {
      while (state.rebalancing && !state.over) await client.unpaused();
      if (!state.over && !lanes.hasRoom()) await lanes.room();
      if (state.over) return;
      const verdict = await judge(record);
      if (state.over) return;
      if (verdict === "take") lanes.push(makeItem(record, (lane) => offsets.track(record, record.offset, lane)));
      else of.meters.dropped(verdict);
      const position = guard.expects(record);
      if (verdict === "rewritten") watchLog.stand(record, "shortened", { position, again: record.offset });
      if (verdict === "gap")
        return end({ kind: "gap", partition: partitionName(record), expected: position, found: record.offset });
    }
    state.giving = false;
  };
}
