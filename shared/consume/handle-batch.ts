import type { Received } from "../message.ts";
import type { Db, Tx } from "../postgres/db.ts";
import type { GroupName } from "../topics.ts";
import { shareGroup } from "./group-epoch.ts";
import { changeFate, enterInbox } from "./inbox.ts";
import { keyName, lockParkedKeys, queueParked } from "./parked-queue.ts";
import { runHandler, type RunHandler } from "./run-handler.ts";

/** `handled` and `parked` were new to the group; what is in neither was not. */
export type Handled = Readonly<{ handled: ReadonlySet<Received>; parked: ReadonlySet<Received>; derived: number }>;

export type HandleBatch = RunHandler & Readonly<{ db: Pick<Db, "transaction">; group: GroupName; epoch: number }>;

/**
 * Handles messages of one lane, in order, in one transaction: inbox, effects and the messages they cause are committed
 * together or not at all. Those already in the inbox are left out; those of a parked key are queued behind it. Rejects with
 * whatever failed first, nothing done.
 */
export async function handleBatch(of: HandleBatch, messages: readonly Received[]): Promise<Handled> {
  const { db, group, epoch, handlerMs } = of;
  return db.transaction(
    async (tx) => {
      // Sent together; each is still a statement of its own, with its own snapshot, run in this order.
      const [, ids, names] = await Promise.all([
        shareGroup(tx, group, epoch),
        enterInbox(tx, epoch, "done", messages),
        lockParkedKeys(tx, epoch, messages),
      ]);
      const fresh = firstOfEach(messages, ids);
      const parked = fresh.filter((message) => names.has(keyName(message)));
      const handled = fresh.filter((message) => !names.has(keyName(message)));
      await queueBehind(tx, epoch, parked);
      const derived = handled.length === 0 ? 0 : await runHandler(of, tx, handled);
      return { handled: new Set(handled), parked: new Set(parked), derived };
    },
    { deadlineMs: handlerMs + 15_000 },
  );
}

async function queueBehind(tx: Tx, epoch: number, parked: readonly Received[]): Promise<void> {
  if (parked.length === 0) return;
  await changeFate(tx, epoch, { from: "done", to: "parked" }, parked);
  await queueParked(
    tx,
    epoch,
    parked.map((record) => ({ record, history: [] })),
  );
}

/** The same message may be in a batch twice: it is handled where it stands first. */
function firstOfEach(messages: readonly Received[], ids: ReadonlySet<string>): readonly Received[] {
  const seen = new Set<string>();
  return messages.filter(({ id }) => {
    if (!ids.has(id) || seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}
