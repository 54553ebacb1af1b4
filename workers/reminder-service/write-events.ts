import type { RequestKey } from "../../shared/http/request-key.ts";
import type { Message } from "../../shared/message.ts";
import { insertOutbox, outboxRow, type Encoder } from "../../shared/outbox/outbox.ts";
import type { Db, Tx } from "../../shared/postgres/db.ts";
import type { Reminder } from "./reminder.ts";

export type Writing = Readonly<{
  db: Db;
  codec: Encoder;
  /** Called after a commit that wrote to the outbox. */
  notify: () => void;
}>;

/** Who asks, and with which request. `now` is for stamps. `key` is `null` without an Idempotency-Key. */
export type Asked = Readonly<{
  userId: string;
  key: RequestKey | null;
  correlationId: string;
  traceparent: string | null;
  now: Date;
  /** Ends its waiting. */
  signal: AbortSignal;
}>;

/** A reminder as it now is, the events that tell what became of it, and how that is answered: 201 begins one, 204 ends one. */
export type Changed = Readonly<{ reminder: Reminder; messages: readonly Message[]; status: 200 | 201 | 204 }>;

/** Runs `work` in a transaction and writes the messages it answers with into the outbox of the same commit. */
export async function writeEvents<Done>(
  { db, codec, notify }: Writing,
  { correlationId, traceparent, now }: Asked,
  work: (tx: Tx) => Promise<Readonly<{ done: Done; messages: readonly Message[] }>>,
): Promise<Done> {
  const { done, messages } = await db.transaction(async (tx) => {
    const worked = await work(tx);
    const by = { source: "reminder-service", correlationId, traceparent, now } as const;
    await insertOutbox(
      tx,
      worked.messages.map((message) => outboxRow(codec, message, by)),
    );
    return worked;
  });
  if (messages.length > 0) notify();
  return done;
}
