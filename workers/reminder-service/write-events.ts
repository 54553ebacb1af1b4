import type { RequestKey } from "../../shared/http/request-key.ts";
import type { Message } from "../../shared/messages/message.ts";
import { insertOutbox, outboxRow, type Encoder } from "../../shared/outbox/outbox.ts";
import type { Db, Tx } from "../../shared/postgres/db.ts";
import type { Reminder } from "./reminder.ts";
import { noteOrigins, originsOf } from "./store-reminders.ts";

export type ReminderWriteDeps = Readonly<{
  db: Db;
  codec: Encoder;
  /** Called after a commit that wrote to the outbox. */
  notify: () => void;
}>;

/** Who asks, and with which request. `now` is for stamps. `key` is `null` without an Idempotency-Key. */
export type ReminderRequest = Readonly<{
  userId: string;
  key: RequestKey | null;
  correlationId: string;
  traceparent: string | null;
  now: Date;
  /** Ends its waiting. */
  signal: AbortSignal;
}>;

/**
 * A reminder after its change, the events of that change, and the status of the answer: 201 begins a reminder, 204 ends
 * one.
 */
export type ReminderChangeResult = Readonly<{
  reminder: Reminder;
  messages: readonly Message[];
  status: 200 | 201 | 204;
}>;

/** Runs `work` in a transaction and writes the messages it answers with into the outbox of the same commit. */
export async function writeEvents<Done>(
  { db, codec, notify }: ReminderWriteDeps,
  { correlationId, traceparent, now }: ReminderRequest,
  work: (tx: Tx) => Promise<Readonly<{ done: Done; messages: readonly Message[] }>>,
): Promise<Done> {
  const { done, messages } = await db.transaction(async (tx) => {
    const worked = await work(tx);
    const by = { source: "reminder-service", correlationId, traceparent, now } as const;
    const rows = worked.messages.map((message) => outboxRow(codec, message, by));
    await insertOutbox(tx, rows);
    await noteOrigins(tx, originsOf(rows, by));
    return worked;
  });
  if (messages.length > 0) notify();
  return done;
}
