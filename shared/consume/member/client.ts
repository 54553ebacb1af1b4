import type { Member } from "../../messages/broker.ts";
import { isDatabaseChange } from "../../postgres/database-change.ts";
import { isEpochChange } from "../group-epoch.ts";
import { makeExamineLog } from "../log/examine-log.ts";
import { makeWatchLog } from "../log/watch-log.ts";
import { makeCommitter } from "./committer.ts";
import { makeGuard } from "./guard.ts";
import type { QueuedRecord } from "./item.ts";
import { makeLanes } from "./lanes.ts";
import { makeOffsets } from "./offsets.ts";
import type { Session, SessionEnd } from "./session.ts";
import { makeWatchPartitions } from "./watch-partitions.ts";

/** Where a client is; its parts read it and change it. */
type ClientState = {
  /** It has ended; what still comes of it counts no more. */
  over: boolean;
  /** It has settled something. */
  settled: boolean;
  rebalancing: boolean;
  /** Counts assignments and rebalances: what is compared for an assignment that is over counts no more. */
  turn: number;
  /** Of the database its positions were compared with. */
  life: string | null;
  /** Records were delivered that no lane has taken yet. */
  giving: boolean;
  /** `null` until it has joined. */
  member: Member | null;
};

/**
 * The parts of one client, made before it joins: its state, its end, and what works on its records.
 */
export function makeClient(of: Session) {
  const state: ClientState = {
    over: false,
    settled: false,
    rebalancing: true,
    turn: 0,
    life: null,
    giving: false,
    member: null,
  };
  const ended = Promise.withResolvers<SessionEnd>();
  const done = new AbortController();
  let unpause = (): void => {};
  const end = (why: SessionEnd): void => {
    state.over = true;
    of.onOwned([]);
    done.abort();
    unpause();
    ended.resolve(why);
  };
  const fail = (error: unknown): void => end({ kind: "failed", error, worked: state.settled });
  /** For what the database may have refused. */
  const failOn = (error: unknown): void => {
    if (isDatabaseChange(error)) end({ kind: "database_changed" });
    else if (isEpochChange(error)) end({ kind: "fatal", error });
    else fail(error);
  };

  const guard = makeGuard();
  const lanes = makeLanes<QueuedRecord>((items, lane) => of.work(items, lane, end), of.lanes);
  const offsets = makeOffsets(() => {
    state.settled = true;
    committer.soon();
  });
  const committer = makeCommitter({
    offsets,
    everyMs: of.timing.commitEveryMs,
    store: (due) => (state.life === null ? Promise.resolve() : of.positions.store(state.life, due)),
    send: (due) =>
      state.member === null ? Promise.reject(new Error("the client is still joining")) : state.member.commit(due),
    mayCommit: () => !state.rebalancing && !state.over && state.member !== null,
    failed: failOn,
  });
  const { admin } = of.broker;
  const { count, examine } = makeExamineLog(admin, of.topics);
  const partitions = makeWatchPartitions({
    offsets,
    stuckMs: of.timing.stuckMs,
    laneOf: lanes.indexOf,
    tries: of.tries,
    // What has not been taken may stand behind records that no lane has room for.
    isExcused: (name, lane) =>
      state.rebalancing ||
      of.standing.names().includes(name) ||
      of.isLaneWaiting(lane) ||
      (lane === null && state.giving),
  });
  return {
    state,
    ended: ended.promise,
    /** Aborted once it has ended. */
    done: done.signal,
    end,
    fail,
    failOn,
    guard,
    lanes,
    offsets,
    committer,
    partitions,
    watchLog: makeWatchLog({ admin, examine, guard, offsets, standing: of.standing, meters: of.meters }),
    /** Notes how many partitions the topics have, before it joins. */
    count,
    /** Settles at the end of a rebalance, or of the client. */
    unpaused: () => new Promise<void>((resolve) => (unpause = resolve)),
    unpause: () => unpause(),
  };
}
export type GroupClient = ReturnType<typeof makeClient>;
