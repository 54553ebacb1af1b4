import { afterOrigin, insertOutbox, outboxRow, type Encoder } from "../../shared/outbox/outbox.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { instantOfLocalDue } from "../../shared/tasks/local-due.ts";
import type { RezoneStep } from "../../shared/zones/rezone.ts";
import { move } from "./move-reminder.ts";
import { lockGuards, lockReminders, noteOrigins, originsOf, readLocalSnoozes, readOrigin } from "./store-reminders.ts";

const perStep = 500;

/**
 * Moves snoozes to a local time ("tonight") to where that is by the zone data in use: a new generation each, told as
 * any other. One that was changed meanwhile stays.
 */
export function rezoneSnoozes(of: {
  db: Pick<Db, "sql" | "transaction">;
  codec: Encoder;
  now: () => Date;
  /** Called after a commit that wrote to the outbox. */
  notify: () => void;
  limit?: number;
}): RezoneStep {
  const limit = of.limit ?? perStep;
  return async (after) => {
    const found = await readLocalSnoozes(of.db.sql, { after, limit });
    for (const { id, taskId, remindAt, local } of found) {
      const at = instantOfLocalDue(local);
      if (at === null || at.getTime() === remindAt.getTime()) continue;
      await of.db.transaction(async (tx) => {
        const guard = (await lockGuards(tx, [taskId])).get(taskId);
        const existing = await lockReminders(tx, [taskId]);
        const before = existing.find((each) => each.id === id);
        if (guard === undefined || before?.status !== "pending" || before.snoozedFrom === null) return;
        if (before.remindAt.getTime() !== remindAt.getTime()) return;
        const snooze = { from: before.snoozedFrom, for: before.snoozedFor };
        const now = of.now();
        const { messages } = await move(tx, guard, existing, { before, remindAt: at, snooze, local, now });
        const by = { source: "reminder-service", ...afterOrigin(await readOrigin(tx, id), id), now } as const;
        const rows = messages.map((message) => outboxRow(of.codec, message, by));
        await insertOutbox(tx, rows);
        await noteOrigins(tx, originsOf(rows, by));
      });
      of.notify();
    }
    return found.length < limit ? null : (found.at(-1)?.id ?? null);
  };
}
