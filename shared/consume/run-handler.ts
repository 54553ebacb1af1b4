import type { Log } from "../log.ts";
import type { Received } from "../message.ts";
import { insertOutbox, outboxRow, type Encoder } from "../outbox/outbox.ts";
import type { Tx } from "../postgres/db.ts";
import type { RoleName } from "../topics.ts";
import type { BatchHandler, Context } from "./handler.ts";

export type RunHandler = Readonly<{
  codec: Encoder;
  source: RoleName;
  handle: BatchHandler;
  /** For the whole of one call. */
  handlerMs: number;
  log: Log;
  now: () => Date;
  stop: AbortSignal;
}>;

/**
 * Runs the handler for messages, in order, and puts what it answers into the outbox. Returns how many messages that were.
 * Rejects with what the handler rejects with, with `HANDLER_DEADLINE` when it does not settle in time.
 */
export async function runHandler(of: RunHandler, tx: Tx, messages: readonly Received[]): Promise<number> {
  const now = of.now();
  const answers = await limited(of.handlerMs, of.stop, (signal) =>
    of.handle(messages, { tx, signal, log: of.log, now } satisfies Context),
  );
  if (answers.length !== messages.length)
    throw new Error(`the handler answered for ${answers.length} of ${messages.length} messages`);
  const rows = messages.flatMap((cause, n) =>
    (answers[n] ?? []).map((message) =>
      outboxRow(of.codec, message, {
        source: of.source,
        cause,
        correlationId: cause.correlationId,
        traceparent: cause.traceparent,
        now,
      }),
    ),
  );
  await insertOutbox(tx, rows);
  return rows.length;
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
