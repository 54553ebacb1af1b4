import { matches, type IfMatch } from "../../shared/http/if-match.ts";
import type { Preferences } from "../../shared/preferences/preferences.ts";
import { storedPreferences } from "../../shared/preferences/read-preferences.ts";
import type { Db, Sql } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import { showPreferences } from "./admit-preferences.ts";
import { lockStanding } from "./load-standing.ts";

/** `change` makes of what is there what is to be there; pure, it may throw what is wrong with that. */
export type PreferencesChange = Readonly<{
  userId: string;
  change: (before: Preferences) => Preferences;
  ifMatch: IfMatch;
}>;

export type Kept = Readonly<{ settings: Preferences; version: number }>;

/** What a person has said, `null` where they never did. */
export async function findPreferences(sql: Sql, userId: string): Promise<Kept | null> {
  const [row] = await sql<{ settings: unknown; version: number }[]>`
    select settings, version::int as version from preferences where user_id = ${userId}`;
  return row === undefined ? null : { settings: storedPreferences(row.settings), version: row.version };
}

/** Before every task in the order of ids. */
const beginning = "00000000-0000-0000-0000-000000000000";

/**
 * Changes a person's preferences and answers what they are now. What is there already changes nothing, whatever `ifMatch` says: a
 * request sent again is answered as before. Where zone, all_day_at or usual reminders change, the open tasks are noted to be decided
 * again, in the same commit. Throws what `change` throws, and VERSION_MISMATCH with what is there, as it is shown, and its version.
 */
export async function changePreferences(
  db: Pick<Db, "transaction">,
  { userId, change, ifMatch }: PreferencesChange,
): Promise<Kept> {
  return await db.transaction(async (tx) => {
    const before = await lockStanding(tx, userId);
    const settings = change(before.settings);
    if (before.version > 0 && Bun.deepEquals(before.settings, settings)) return { settings, version: before.version };
    if (!matches(ifMatch, before.version))
      throw new Problem("VERSION_MISMATCH", undefined, {
        current: { ...showPreferences(before.settings), version: before.version },
      });
    const redecide = isOtherWish(before.settings, settings);
    const version = before.version + 1;
    await tx`
      insert into preferences as old (user_id, settings, version, updated_at, redecide_after)
      values (${userId}, ${JSON.stringify(settings)}, ${version}, clock_timestamp(), ${redecide ? beginning : null})
      on conflict (user_id) do update set
        settings = excluded.settings, version = excluded.version, updated_at = excluded.updated_at,
        redecide_after = coalesce(excluded.redecide_after, old.redecide_after)`;
    return { settings, version };
  });
}

function isOtherWish(before: Preferences, after: Preferences): boolean {
  const wish = ({ tz, all_day_at, default_reminders }: Preferences) => [tz, all_day_at, default_reminders.toSorted()];
  return !Bun.deepEquals(wish(before), wish(after));
}
