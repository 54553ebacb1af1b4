import { integer } from "../../shared/role/config.ts";
import { orOff } from "../../shared/limits/or-off.ts";
import { makeQuota, type Quota } from "../../shared/limits/quota.ts";
import type { Sql } from "../../shared/postgres/db.ts";

export const ownReminders = orOff(integer("QUOTA_REMINDERS", 10_000, { min: 0, max: 1_000_000 }));

export type ReminderQuota = Quota<"waiting">;

/**
 * Bounds the reminders of their own that wait for a person, over all tasks; 0 is no limit. What the rules of tasks make
 * is bounded by the number of tasks and of rules.
 */
export function openReminderQuota(most: number, { sql }: Readonly<{ sql: Sql }>): ReminderQuota {
  const words = "reminders of your own that wait";
  return makeQuota(
    { waiting: { most: most === 0 ? null : most, words, advice: "delete or dismiss some first" } },
    {
      now: () => performance.now(),
      count: async (userId) => {
        // What waits is ahead, or late by as long as firing takes: the index begins there.
        const [counted] = await sql<{ waiting: number }[]>`
          select count(*)::int as waiting from reminders
          where user_id = ${userId} and remind_at > (select clock_timestamp()) - interval '1 day' and status = 'pending' and rule is null`;
        return counted ?? { waiting: 0 };
      },
    },
  );
}
