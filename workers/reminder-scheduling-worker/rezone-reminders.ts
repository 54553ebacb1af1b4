import { insertOutbox, outboxRow, type Encoder } from "../../shared/outbox/outbox.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { defaultPreferences } from "../../shared/preferences/preferences.ts";
import type { RezoneStep } from "../../shared/zones/rezone.ts";
import { redecideWanted } from "./decide-wanted.ts";
import { loadStanding } from "./load-standing.ts";
import { lockAllWantedAfter, saveWanted } from "./store-wanted.ts";
import { askFor } from "./want-reminders.ts";

const perStep = 500;

/**
 * Decides again the reminders of tasks on whole days and by rules on the calendar, whose instants depend on zones. As
 * after a change of preferences, an unchanged result sends nothing, and a time that is past by now gets no reminder.
 */
export function rezoneReminders(of: {
  db: Pick<Db, "transaction">;
  codec: Encoder;
  now: () => Date;
  /** Called after a commit that wrote to the outbox. */
  notify: () => void;
  limit?: number;
}): RezoneStep {
  const limit = of.limit ?? perStep;
  return async (after) => {
    const { ids, written } = await of.db.transaction(async (tx) => {
      const { states, owners } = await lockAllWantedAfter(tx, { after, limit });
      const standing = await loadStanding(tx, owners.values());
      const now = of.now();
      const decided = [...states].flatMap(([id, before]) => {
        const userId = owners.get(id) ?? "";
        const { settings } = standing.get(userId) ?? { settings: defaultPreferences };
        const { state, command } = redecideWanted(before, settings, now);
        return command === null ? [] : [{ id, userId, state, message: askFor(command, state) }];
      });
      await saveWanted(tx, new Map(decided.map(({ id, state }) => [id, state])));
      const rows = decided.map(({ userId, message }) =>
        outboxRow(of.codec, message, { source: "reminder-scheduling-worker", correlationId: userId, now }),
      );
      await insertOutbox(tx, rows);
      return { ids: [...states.keys()], written: rows.length };
    });
    if (written > 0) of.notify();
    return ids.length < limit ? null : (ids.at(-1) ?? null);
  };
}
