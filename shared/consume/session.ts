import type { Broker, Member, TopicPartition } from "../broker.ts";
import type { Log } from "../log.ts";
import type { GroupName, TopicName } from "../topics.ts";
import { settlesWithin, sleep } from "../wait.ts";
import { makeCommitter } from "./committer.ts";
import { findLag } from "./find-lag.ts";
import { makeGuard, type OutOfLog } from "./guard.ts";
import { makeItem, type Item } from "./item.ts";
import { makeLanes } from "./lanes.ts";
import type { Meters } from "./meters.ts";
import { makeOffsets } from "./offsets.ts";
import { partitionName } from "./partition-name.ts";
import { makeWatchdog } from "./watchdog.ts";

/** Why a client's life ended. `worked` says that it had settled something, so that failures before do not add up. */
export type SessionEnd =
  | Readonly<{ kind: "stopped" }>
  | Readonly<{ kind: "failed"; error: unknown; worked: boolean }>
  | Readonly<{ kind: "gap"; partition: string; expected: bigint | null; found: bigint }>
  | Readonly<{ kind: "out_of_log"; partitions: readonly OutOfLog[] }>
  | Readonly<{ kind: "fatal"; error: unknown }>;

export type Session = Readonly<{
  broker: Pick<Broker, "join" | "admin">;
  group: GroupName;
  topics: readonly TopicName[];
  work: (items: readonly Item[], end: (end: SessionEnd) => void) => Promise<void>;
  /** True while something is waited for on purpose. */
  isWaiting: () => boolean;
  /** Counts the handlers that have come to an end, well or not: a message that fails slowly is no standstill. */
  tries: () => number;
  onJoined: () => void;
  /** Told what the member owns, whenever that changes; nothing while the group rebalances and once the client is over. */
  onOwned: (partitions: readonly TopicPartition[]) => void;
  meters: Meters;
  log: Log;
  stop: AbortSignal;
  /** Called when a stop has waited long enough for the running handlers. */
  giveUp: () => void;
  timing: Timing;
  lanes: number;
}>;

export type Timing = Readonly<{
  commitEveryMs: number;
  drainMs: number;
  watchEveryMs: number;
  stuckMs: number;
  inactiveMs: number;
}>;
export const timing: Timing = {
  commitEveryMs: 1_000,
  drainMs: 10_000,
  watchEveryMs: 5_000,
  stuckMs: 60_000,
  // Twice the rebalance timeout: a member may seem inactive for as long as a rejoin lasts.
  inactiveMs: 30_000,
};

/**
 * The life of one client: joins, guards what it delivers, feeds the lanes, commits what is durable. Settles when the client is of no
 * use any more or the role stops; by then it has left the group and, unless a handler would not end, nothing of it runs.
 */
export async function runSession(of: Session): Promise<SessionEnd> {
  const { meters, log } = of;
  const ended = Promise.withResolvers<SessionEnd>();
  let over = false;
  let settled = false;
  const done = new AbortController();
  const end = (why: SessionEnd) => {
    over = true;
    of.onOwned([]);
    done.abort();
    unpause();
    ended.resolve(why);
  };
  const fail = (error: unknown) => end({ kind: "failed", error, worked: settled });

  let rebalancing = true;
  let unpause = () => {};
  const guard = makeGuard();
  const lanes = makeLanes<Item>((items) => of.work(items, end), of.lanes);
  const offsets = makeOffsets(() => {
    settled = true;
    committer.soon();
  });
  let member: Member | null = null;
  const committer = makeCommitter({
    offsets,
    everyMs: of.timing.commitEveryMs,
    send: (due) => (member === null ? Promise.reject(new Error("the client is still joining")) : member.commit(due)),
    mayCommit: () => !rebalancing && !over && member !== null,
    failed: fail,
  });

  const joined = of.broker.join({
    group: of.group,
    topics: of.topics,
    onFailed: fail,
    onRebalancing: () => {
      if (over) return;
      rebalancing = true;
      meters.rebalanced();
      of.onOwned([]);
      lanes.pause();
      // Begun inside the event, or the broker would not take it: without it 14 to 18 % of the records were delivered twice.
      committer.commit().catch((error: unknown) => log.debug("commit_in_rebalance_failed", { error }));
    },
    onAssigned: (assignment) => {
      // Nothing is taken any more; but the last commit must not touch what others have by now.
      if (over) return guard.assign(assignment).lost.forEach(offsets.lose);
      const { acquired, lost, outOfLog } = guard.assign(assignment);
      if (outOfLog.length > 0) return end({ kind: "out_of_log", partitions: outOfLog });
      lost.forEach(offsets.lose);
      acquired.forEach(offsets.acquire);
      lanes.drop(({ tracked }) => !tracked.isOwned());
      meters.owns(assignment.partitions.length);
      log.info("partitions_assigned", {
        generation: assignment.generation,
        partitions: assignment.partitions.map(partitionName),
        acquired: acquired.length,
        lost: lost.length,
      });
      rebalancing = false;
      of.onJoined();
      of.onOwned(assignment.partitions);
      lanes.resume();
      unpause();
      committer.soon();
    },
    onRecords: async (records) => {
      for (const record of records) {
        while (rebalancing && !over) await new Promise<void>((resolve) => (unpause = resolve));
        if (!over && !lanes.hasRoom()) await lanes.room();
        if (over) return;
        const verdict = guard.judge(record);
        if (verdict === "take") lanes.push(makeItem(record, offsets.track(record, record.offset)));
        else meters.dropped(verdict);
        if (verdict === "gap")
          return end({
            kind: "gap",
            partition: partitionName(record),
            expected: guard.expects(record),
            found: record.offset,
          });
      }
    },
  });

  const stuck = makeWatchdog(of.timing.stuckMs);
  const inactive = makeWatchdog(of.timing.inactiveMs);
  const watch = async () => {
    while (!over) {
      await sleep(of.timing.watchEveryMs, done.signal);
      if (over || member === null) continue;
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
      if (inactive.isSuspicious(at, "", member.isActive())) fail(new Error("the member is not in its group any more"));
      const places = offsets.positions().map((one) => `${partitionName(one)}@${one.offset}`);
      const signature = `${places.join()} ${of.tries()}`;
      if (!stuck.isSuspicious(at, signature, of.isWaiting() || rebalancing)) continue;
      try {
        const { unread, movedBack } = await findLag(of.broker.admin, of.group, offsets.positions());
        if (unread) end({ kind: "fatal", error: new Error("nothing moves although there are records to read") });
        else if (!rebalancing) await committer.commit(movedBack);
        stuck.reset(performance.now());
      } catch (error) {
        log.warn("lag_unknown", { error });
      }
    }
  };

  const stopped = () => end({ kind: "stopped" });
  of.stop.addEventListener("abort", stopped, { once: true });
  if (of.stop.aborted) stopped();
  joined.then((one) => {
    member = one;
    committer.soon();
    void watch();
  }, fail);

  const why = await ended.promise;
  of.stop.removeEventListener("abort", stopped);
  committer.stop();
  // Before a gap everything is in order: what was taken is still worked off. Otherwise only what runs now is.
  if (why.kind !== "gap") {
    lanes.pause();
    lanes.drop(() => true);
  }
  const drained = settlesWithin(of.timing.drainMs, lanes.idle());
  if (why.kind === "stopped" || why.kind === "gap") {
    // A handler that will not end now is cut off: its transaction is rolled back and its message delivered again.
    if (!(await drained) && why.kind === "stopped") of.giveUp();
    const committed = committer.commit().catch((error: unknown) => log.warn("last_commit_failed", { error }));
    await settlesWithin(2_000, committed);
  }
  // A client that failed leaves before its handlers have ended, so that others can take over; the inbox keeps effects single.
  const left = joined
    .then((last) => last[Symbol.asyncDispose]())
    .catch((error: unknown) => log.debug("leave_failed", { error }));
  await settlesWithin(5_000, left);
  await drained;
  for (const name of of.topics) meters.head(name, 0);
  meters.owns(0);
  return why;
}
