import { defaultPreferences, type Preferences } from "../../shared/preferences/preferences.ts";
import { storedPreferences } from "../../shared/preferences/read-preferences.ts";
import type { Tx } from "../../shared/postgres/db.ts";

/** A user's preferences as they stand; version 0 and the defaults for one who never said anything. */
type CurrentPreferences = Readonly<{ settings: Preferences; version: number; updatedAt: Date }>;

const neverSaid: CurrentPreferences = { settings: defaultPreferences, version: 0, updatedAt: new Date(0) };

/**
 * The preferences of these users, which no other transaction changes until this one ends. A change waits for
 * transactions that decide by the old preferences, and after its commit those tasks are decided again; later
 * transactions read the new ones. So no task stays decided by old preferences. Call it after locking the tasks' rows,
 * never before.
 */
export async function loadStanding(
  tx: Tx,
  userIds: Iterable<string>,
): Promise<ReadonlyMap<string, CurrentPreferences>> {
  const ids = [...new Set(userIds)].sort();
  const standing = new Map(ids.map((id) => [id, neverSaid]));
  if (ids.length === 0) return standing;
  await tx`
    select pg_advisory_xact_lock_shared(${lockOf(tx)}) from unnest(${ids}::uuid[]) with ordinality as one (user_id, place)`;
  const rows = await tx<{ userId: string; settings: unknown; version: number; updatedAt: Date }[]>`
    select user_id as "userId", settings, version::float8 as version, updated_at as "updatedAt" from preferences
    where user_id = any(${ids}::uuid[])`;
  for (const { userId, settings, ...row } of rows)
    standing.set(userId, { settings: storedPreferences(settings), ...row });
  return standing;
}

/** The same for the one who changes them: waits for everybody who decides by what is now. */
export async function lockStanding(tx: Tx, userId: string): Promise<CurrentPreferences> {
  await tx`
    select pg_advisory_xact_lock(${lockOf(tx)}) from unnest(${[userId]}::uuid[]) as one (user_id)`;
  const [row] = await tx<{ settings: unknown; version: number; updatedAt: Date }[]>`
    select settings, version::float8 as version, updated_at as "updatedAt" from preferences where user_id = ${userId}`;
  return row === undefined ? neverSaid : { ...row, settings: storedPreferences(row.settings) };
}

function lockOf(tx: Tx) {
  return tx`hashtextextended('preferences ' || user_id::text, 0)`;
}
