import type { Sql, Tx } from "../postgres/db.ts";
import { defaultPreferences, preferencesInput, type Preferences } from "./preferences.ts";

/**
 * The preferences of these users as they are committed now; the defaults for those who never said anything. Every user asked for is
 * in the answer. Read by any role, written by reminder-scheduling-worker alone.
 */
export async function readPreferences(
  sql: Sql | Tx,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, Preferences>> {
  const found = new Map(userIds.map((id) => [id, defaultPreferences]));
  if (found.size === 0) return found;
  const rows = await sql<{ userId: string; settings: unknown }[]>`
    select user_id as "userId", settings from preferences where user_id = any(${[...found.keys()]}::uuid[])`;
  for (const { userId, settings } of rows) found.set(userId, storedPreferences(settings));
  return found;
}

/** The same for one user. */
export async function preferencesOf(sql: Sql | Tx, userId: string): Promise<Preferences> {
  return (await readPreferences(sql, [userId])).get(userId) ?? defaultPreferences;
}

/** Settings as a row holds them; what an older build did not write takes its default. */
export function storedPreferences(settings: unknown): Preferences {
  return preferencesInput.parse(settings);
}
