import { matches, type IfMatch } from "../../shared/http/if-match.ts";
import type { Preferences } from "../../shared/preferences/preferences.ts";
import { storedPreferences } from "../../shared/preferences/read-preferences.ts";
import type { Db, Sql } from "../../shared/postgres/db.ts";
import { readToldFloor } from "../../shared/postgres/told-floor.ts";
import { Problem } from "../../shared/problem.ts";
import { sameContent } from "../../shared/same-content.ts";
import { showPreferences } from "./admit-preferences.ts";
import { lockStanding } from "./load-standing.ts";

/**
 * `change` makes the new preferences from the present ones; pure, it may throw what is wrong with them.
 */
export type PreferencesChange = Readonly<{
  userId: string;
  change: (before: Preferences) => Preferences;
  ifMatch: IfMatch;
  /** Of the request. */
  correlationId: string;
  traceparent: string | null;
}>;

export type StoredPreferences = Readonly<{ settings: Preferences; version: number }>;

/** What a person has said, `null` where they never did. */
export async function findPreferences(sql: Sql, userId: string): Promise<StoredPreferences | null> {
  const [row] = await sql<{ settings: unknown; version: number }[]>`
    select settings, version::float8 as version from preferences where user_id = ${userId}`;
  return row === undefined ? null : { settings: storedPreferences(row.settings), version: row.version };
}

/** Before every task in the order of ids. */
const beginning = "00000000-0000-0000-0000-000000000000";

/**
 * Changes a person's preferences and resolves with them. Setting what is set already changes nothing, whatever
 * `ifMatch` says: a repeated request gets the same answer. If zone, all_day_at or usual reminders change, the same
 * commit notes that the open tasks have to be decided again. Throws what `change` throws, and VERSION_MISMATCH with the
 * present preferences, as they are shown, and their version.
 */
export async function changePreferences(
  db: Pick<Db, "transaction">,
  { userId, change, ifMatch, correlationId, traceparent }: PreferencesChange,
): Promise<StoredPreferences> {
  return await db.transaction(async (tx) => {
    const before = await lockStanding(tx, userId);
    const settings = change(before.settings);
    if (before.version > 0 && sameContent(before.settings, settings)) return { settings, version: before.version };
    if (!matches(ifMatch, before.version))
      throw new Problem("VERSION_MISMATCH", undefined, {
        current: { ...showPreferences(before.settings), version: before.version },
      });
    const redecide = isOtherWish(before.settings, settings);
    const version = Math.max(before.version, await readToldFloor(tx)) + 1;
    await tx`
      insert into preferences as old (user_id, settings, version, updated_at, redecide_after, redecide_correlation_id,
        redecide_traceparent)
      values (${userId}, ${JSON.stringify(settings)}, ${version}, clock_timestamp(), ${redecide ? beginning : null},
        ${redecide ? correlationId : null}, ${redecide ? traceparent : null})
      on conflict (user_id) do update set
        settings = excluded.settings, version = excluded.version, updated_at = excluded.updated_at,
        redecide_after = coalesce(excluded.redecide_after, old.redecide_after),
        redecide_correlation_id = coalesce(excluded.redecide_correlation_id, old.redecide_correlation_id),
        redecide_traceparent = coalesce(excluded.redecide_traceparent, old.redecide_traceparent)`;
    return { settings, version };
  });
}

function isOtherWish(before: Preferences, after: Preferences): boolean {
  const wish = ({ tz, all_day_at, default_reminders }: Preferences) => [tz, all_day_at, default_reminders.toSorted()];
  return !sameContent(wish(before), wish(after));
}
