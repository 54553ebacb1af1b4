import type { Sql, Tx } from "../postgres/db.ts";
import { defaultPreferences, preferencesInput, type Preferences } from "./preferences.ts";

/**
 * The preferences of these users as they are committed now; the defaults for those who never said anything. Every user
 * asked for is in the answer. Read by any role, written by reminder-scheduling-worker alone.
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

/** The same in the order asked for, of many users in one statement. */
export function choicesOf({ sql }: Readonly<{ sql: Sql }>) {
  return async (userIds: readonly string[]): Promise<readonly Preferences[]> => {
    const found = await readPreferences(sql, userIds);
    return userIds.map((id) => found.get(id) ?? defaultPreferences);
  };
}

/** The zone a user has chosen; `null` for one who never said anything. */
export async function chosenZone(sql: Sql | Tx, userId: string): Promise<string | null> {
  const [row] = await sql<{ settings: unknown }[]>`select settings from preferences where user_id = ${userId}`;
  return row === undefined ? null : storedPreferences(row.settings).tz;
}

/**
 * Settings as a row holds them. Never throws: one person's row must not stop what is done for many at once. What an
 * older build did not write, a newer one wrote otherwise, or this platform does not know (a zone) takes its default,
 * field by field.
 */
export function storedPreferences(settings: unknown): Preferences {
  const whole = preferencesInput.safeParse(settings);
  if (whole.success) return whole.data;
  const stored: Readonly<Record<string, unknown>> = typeof settings === "object" ? { ...settings } : {};
  const readable = Object.entries(preferencesInput.shape).filter(
    ([name, field]) => field.safeParse(stored[name]).success,
  );
  return preferencesInput.parse(Object.fromEntries(readable.map(([name]) => [name, stored[name]])));
}
