import type { Tx } from "../postgres/db.ts";
import type { Log } from "../role/log.ts";
import type { Message, ReceivedMessage } from "../messages/message.ts";

/**
 * Handles one message: works through `tx` only and returns what to publish, in order. It runs once per message and
 * group for everything it does in `tx`; throwing undoes all of it. It never commits, publishes, retries, calls out or
 * reads the clock.
 */
export type Handler = (message: ReceivedMessage, context: Context) => Promise<readonly Message[]>;

/** The same for projections that want one statement per batch: at most 200 messages, in order, one answer for each. */
export type BatchHandler = (
  messages: readonly ReceivedMessage[],
  context: Context,
) => Promise<readonly (readonly Message[])[]>;

export type Context = Readonly<{
  tx: Tx;
  /** Aborted when the handler's deadline has passed, or a stop has waited 10 s for it. */
  signal: AbortSignal;
  log: Log;
  /** For stamps only; what is due is asked of the database. */
  now: Date;
}>;

/** The batch form of a handler: one message after the other, so that each sees what those before it did. */
export function oneByOne(handle: Handler): BatchHandler {
  return async (messages, context) => {
    const answers: (readonly Message[])[] = [];
    for (const message of messages) answers.push(await handle(message, context));
    return answers;
  };
}
