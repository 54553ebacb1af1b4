import type { Commit, PartitionOffset } from "../../messages/broker.ts";
import type { Offsets } from "./offsets.ts";

const maxBehind = 500;

type Committer = Readonly<{
  offsets: Offsets;
  everyMs: number;
  /** Puts positions on record in the database, before they are committed. */
  store: (due: readonly PartitionOffset[]) => Promise<void>;
  /** Sends a commit; called at once by `commitStored`, so that one begun inside the rebalance event still counts. */
  send: (due: readonly Commit[]) => Promise<void>;
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

  const store = async (due: readonly PartitionOffset[]) => {
    if (due.length === 0) return;
    await of.store(due);
    offsets.stored(due);
  };
  const send = async (due: readonly Commit[]) => {
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
      await store(offsets.due());
      // A rebalance may have come and gone meanwhile: only what is owned still is committed.
      if (of.mayCommit()) await send(offsets.storedDue());
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
    /** Commits what is due now, or the offsets given, when they are stored. */
    commit: async (due: readonly Commit[] = offsets.due()) => {
      await store(due);
      await send(due.filter(offsets.isOwned));
    },
    /** Commits what is stored and not committed, without waiting for anything before. */
    commitStored: () => send(offsets.storedDue()),
    /** Sees to it that what has just been settled is committed in time. */
    soon,
    stop,
    /** How long something settled has been waiting to be committed. */
    ageMs: () => (offsets.behind() === 0 ? 0 : performance.now() - upToDateAt),
  };
}
