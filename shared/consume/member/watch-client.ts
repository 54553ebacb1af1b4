import { sleep } from "../../waiting/wait.ts";
import { findLag } from "../log/find-lag.ts";
import type { GroupClient } from "./client.ts";
import { partitionName } from "./partition-name.ts";
import type { Session } from "./session.ts";
import { makeWatchdog } from "./watchdog.ts";

/** From the news of more partitions to the look at them. */
const soonMs = 250;

/**
 * Every few seconds, until the client is over: its figures, whether its member is alive, moves, and meets the same
 * database.
 */
export async function watchClient(of: Session, client: GroupClient): Promise<void> {
  const { state, lanes, offsets, committer, partitions, end, fail } = client;
  const { meters, log } = of;
  const inactive = makeWatchdog(of.timing.inactiveMs);
  let looking = false;
  /** Another server is noticed without traffic too. One that does not answer is not waited for. */
  const lookAtDatabase = async () => {
    if (state.life === null || looking) return;
    looking = true;
    try {
      if ((await of.positions.life()) !== state.life) end({ kind: "database_changed" });
    } catch (error) {
      log.debug("database_not_looked_at", { error });
    } finally {
      looking = false;
    }
  };
  while (!state.over) {
    await sleep(of.timing.watchEveryMs, client.done);
    if (state.over || state.member === null) continue;
    const at = performance.now();
    meters.state({
      waiting: lanes.depth(),
      behind: offsets.behind(),
      commitAgeMs: committer.ageMs(),
      paused: of.isWaiting(),
    });
    for (const name of of.topics) {
      const ages = offsets.headAges().filter((head) => head.at.topic === name);
      meters.head(name, Math.max(0, ...ages.map(({ ms }) => ms)));
    }
    void lookAtDatabase();
    if (inactive.isSuspicious(at, "", state.member.isActive()))
      fail(new Error("the member is not in its group any more"));
    const still = partitions.still(at);
    if (still.length === 0) continue;
    try {
      const { unread, movedBack } = await findLag(of.broker.admin, of.group, still);
      const where = unread.map(partitionName).join();
      if (unread.length > 0)
        end({ kind: "fatal", error: new Error(`${where} stands still although there are records to read`) });
      else if (!state.rebalancing) await committer.commit(movedBack);
      for (const one of still) partitions.reset(partitionName(one));
    } catch (error) {
      log.warn("lag_unknown", { error });
    }
  }
}

/**
 * Looks at the logs from time to time, and soon after it was told to: for topics that have grown, or were made anew.
 */
export async function watchLogs(of: Session, { state, watchLog, done, end }: GroupClient): Promise<void> {
  // While the group rebalances nobody looks: who was told to then looks after it.
  let isTold = false;
  let resting = new AbortController();
  of.toldToLook(() => {
    isTold = true;
    resting.abort();
  });
  while (!state.over) {
    resting = new AbortController();
    await sleep(isTold ? soonMs : of.timing.lookEveryMs, AbortSignal.any([done, resting.signal]));
    if (state.over || state.rebalancing) continue;
    isTold = false;
    try {
      const { grown, remade } = await watchLog.look();
      if (remade.length > 0) return end({ kind: "remade", topics: remade });
      if (grown.length > 0) end({ kind: "grown", topics: grown });
    } catch (error) {
      of.log.warn("log_unknown", { error });
    }
  }
}
