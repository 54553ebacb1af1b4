import type { Db } from "../postgres/db.ts";
import type { Log } from "../log.ts";
import { insertOutbox, outboxRow, type Encoder } from "../outbox/outbox.ts";
import type { Received } from "../message.ts";
import type { GroupName, RoleName } from "../topics.ts";
import { shareGroup } from "./group-epoch.ts";
import type { BatchHandler, Context } from "./handler.ts";
import { enterInbox } from "./inbox.ts";

export type Handled = Readonly<{ fresh: ReadonlySet<Received>; derived: number }>;

export type HandleBatch = Readonly<{
  db: Pick<Db, "transaction">;
  codec: Encoder;
  group: GroupName;
  epoch: number;
  source: RoleName;
  handle: BatchHandler;
  /** For the whole of one batch's handlers. */
  handlerMs: number;
  log: Log;
  now: () => Date;
  stop: AbortSignal;
}>;

/**
 * Handles messages of one lane, in order, in one transaction: inbox, effects and the messages they cause are committed
 * together or not at all. Those already in the inbox are left out. Rejects with whatever failed first, nothing done.
 */
export async function handleBatch(of: HandleBatch, messages: readonly Received[]): Promise<Handled> {
  const { db, codec, group, epoch, source, handle, handlerMs, log, stop } = of;
  return db.transaction(
    async (tx) => {
      const now = of.now();
      // Sent together; each is still a statement of its own, with its own snapshot, run in this order.
      const [, ids] = await Promise.all([shareGroup(tx, group, epoch), enterInbox(tx, epoch, "done", messages)]);
      const fresh = firstOfEach(messages, ids);
      if (fresh.length === 0) return { fresh: new Set(), derived: 0 };
      // Here, in a new statement, is where keys that are parked will be asked for: an answer from before the inbox
      // insert could miss a key parked by the transaction that insert waited for.
      const answers = await limited(handlerMs, stop, (signal) =>
        handle(fresh, { tx, signal, log, now } satisfies Context),
      );
      if (answers.length !== fresh.length)
        throw new Error(`the handler answered for ${answers.length} of ${fresh.length} messages`);
      const rows = fresh.flatMap((cause, n) =>
        (answers[n] ?? []).map((message) =>
          outboxRow(codec, message, {
            source,
            cause,
            correlationId: cause.correlationId,
            traceparent: cause.traceparent,
            now,
          }),
        ),
      );
      await insertOutbox(tx, rows);
      return { fresh: new Set(fresh), derived: rows.length };
    },
    { deadlineMs: handlerMs + 15_000 },
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

async function limited<T>(ms: number, stop: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = Object.assign(new Error(`the handler did not settle in ${ms} ms`), { code: "HANDLER_DEADLINE" });
    late.abort(error);
    reject(error);
  }, ms);
  try {
    return await Promise.race([work(AbortSignal.any([late.signal, stop])), promise]);
  } finally {
    clearTimeout(timer);
  }
}
