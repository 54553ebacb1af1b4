import type { PartitionOffset } from "../broker.ts";
import type { Offsets } from "./offsets.ts";

const maxBehind = 500;

export type Committer = Readonly<{
  offsets: Offsets;
  everyMs: number;
  /** Sends a commit; called at once, so that one begun inside the rebalance event still counts. */
  send: (due: readonly PartitionOffset[]) => Promise<void>;
  /** False while a rebalance commits by itself, and once the client's life is over. */
  mayCommit: () => boolean;
  failed: (error: unknown) => void;
}>;

/** Keeps commits close behind effects: at most `everyMs` or 500 records, one commit of its own at a time. */
export function makeCommitter(of: Committer) {
  const { offsets } = of;
  let timer: Timer | null = null;
  let busy = false;
  let upToDateAt = performance.now();

  const commit = async (due: readonly PartitionOffset[] = offsets.due()) => {
    if (due.length === 0) return;
    await of.send(due);
    offsets.committed(due);
    if (offsets.behind() === 0) upToDateAt = performance.now();
  };
  const run = async () => {
    timer = null;
    if (busy || !of.mayCommit()) return;
    busy = true;
    try {
      await commit();
    } catch (error) {
      // What is lost in a rebalance is delivered again and found in the inbox.
      if (of.mayCommit()) of.failed(error);
    } finally {
      busy = false;
      soon();
    }
  };
  const soon = () => {
    const behind = offsets.behind();
    if (behind === 0 || !of.mayCommit()) return;
    if (behind < maxBehind || busy) timer ??= setTimeout(() => void run(), of.everyMs);
    else {
      stop();
      void run();
    }
  };
  const stop = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
  };
  return {
    /** Commits what is due now, or the offsets given. */
    commit,
    /** Sees to it that what has just been settled is committed in time. */
    soon,
    stop,
    /** How long something settled has been waiting to be committed. */
    ageMs: () => (offsets.behind() === 0 ? 0 : performance.now() - upToDateAt),
  };
}
