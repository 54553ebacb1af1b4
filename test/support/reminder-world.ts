import type { Db } from "../../shared/postgres/db.ts";
import { makeLog } from "../../shared/role/log.ts";
import type { Message, ReceivedMessage } from "../../shared/messages/message.ts";
import { insertOutbox, outboxRow, type Encoder } from "../../shared/outbox/outbox.ts";
import { makeKeepReminders } from "../../workers/reminder-service/keep-reminders.ts";
import { reminderColumns } from "../../workers/reminder-service/store-reminders.ts";
import type { Reminder } from "../../workers/reminder-service/reminder.ts";
import type { GuardMessage } from "../../workers/reminder-service/guard.ts";
import { openTestDb } from "./database.ts";
import { writeTasks } from "./task-table.ts";

type Written = Readonly<{
  type: string;
  subject: string;
  sequence: number;
  messageId: string;
  time: Date;
  createdAt: Date;
  data: Record<string, unknown>;
}>;

/** The reminder service's own tables and functions on a database of their own. */
export type ReminderWorld = AsyncDisposable &
  Readonly<{
    db: Db;
    /** JSON instead of Avro, so that a test can read what was written; the codec has tests of its own. */
    codec: Encoder;
    /**
     * Handles a batch as the consumer would: one transaction, its messages into the outbox. The tasks themselves are
     * changed before.
     */
    handle: (...messages: GuardMessage[]) => Promise<readonly Message[]>;
    reminders: () => Promise<readonly Reminder[]>;
    outbox: () => Promise<readonly Written[]>;
    foreign: readonly string[];
  }>;

const log = makeLog({}, "error");

export async function openReminderWorld(): Promise<ReminderWorld> {
  const db = await openTestDb(16);
  const codec: Encoder = { encode: (_type, data) => new TextEncoder().encode(JSON.stringify(data)) };
  const foreign: string[] = [];
  const keep = makeKeepReminders({ countForeign: (type) => foreign.push(type) });
  return {
    db,
    codec,
    foreign,
    handle: async (...messages) => {
      await writeTasks(db.sql, messages);
      return await db.transaction(async (tx) => {
        // What the consumer hands over is a received message of any type.
        const received = messages as readonly GuardMessage[] as readonly ReceivedMessage[];
        const answers = await keep(received, { tx, log, now: new Date(), signal: AbortSignal.timeout(10_000) });
        const rows = answers.flatMap((out, index) => {
          const cause = received[index] ?? null;
          const by = { source: "reminder-service", cause, correlationId: "test", now: new Date() } as const;
          return out.map((message) => outboxRow(codec, message, by));
        });
        await insertOutbox(tx, rows);
        return answers.flat();
      });
    },
    reminders: () => db.sql<Reminder[]>`select ${reminderColumns(db.sql)} from reminders order by remind_at, id`,
    outbox: async () => {
      const rows = await db.sql<(Omit<Written, "data"> & { value: Uint8Array })[]>`
        select type, subject, sequence::int as sequence, message_id as "messageId", time, created_at as "createdAt", value
        from outbox order by id`;
      return rows.map(({ value, ...row }) => ({ ...row, data: JSON.parse(new TextDecoder().decode(value)) }));
    },
    [Symbol.asyncDispose]: async () => {
      await db[Symbol.asyncDispose]();
    },
  };
}
