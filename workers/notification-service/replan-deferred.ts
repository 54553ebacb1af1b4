import type { Db } from "../../shared/postgres/db.ts";
import { storedPreferences } from "../../shared/preferences/read-preferences.ts";
import { quietUntil } from "./quiet-until.ts";

type Deferred = Readonly<{
  id: string;
  lane: string;
  priority: string | null;
  dueAt: Date;
  settings: unknown;
  now: Date;
}>;

const perRun = 1_000;

/**
 * Puts off anew what waits for the end of quiet hours or a mute, for people who changed their preferences within `withinMs`: one who
 * unmutes is told now, one who mutes for longer is told later. Run it more often than that; a change it misses leaves the end that
 * was planned. Resolves with how many were moved. Any number may do it at once.
 */
export function replanDeferred(
  db: Pick<Db, "transaction">,
  { withinMs }: Readonly<{ withinMs: number }>,
): Promise<number> {
  return db.transaction(async (tx) => {
    const waiting = await tx<Deferred[]>`
      select deliveries.id, deliveries.lane, deliveries.priority, deliveries.due_at as "dueAt", settings, clock_timestamp() as now
      from preferences
      join delivery_lanes on delivery_lanes.user_id = preferences.user_id and next_at > clock_timestamp()
      join deliveries on deliveries.lane = delivery_lanes.id and deliveries.status = 'pending' and bundle = 'quiet'
      where preferences.updated_at > clock_timestamp() - ${withinMs} * interval '1 ms'
        and deliveries.created_at < preferences.updated_at
      limit ${perRun}`;
    const moved = waiting.flatMap(({ id, lane, priority, dueAt, settings, now }) => {
      const preferences = storedPreferences(settings);
      const passes = preferences.urgent_passes && priority === "High";
      const wanted = (passes ? null : quietUntil(preferences, now)) ?? now;
      return wanted.getTime() === dueAt.getTime() ? [] : [{ id, lane, wanted: wanted.toISOString() }];
    });
    if (moved.length === 0) return 0;
    await tx`
      select from delivery_lanes where id = any(${moved.map(({ lane }) => lane)}::uuid[]) order by id for no key update`;
    const rows = await tx`
      update deliveries set due_at = moved.wanted
      from unnest(${moved.map(({ id }) => id)}::uuid[], ${moved.map(({ wanted }) => wanted)}::timestamptz[]) as moved (id, wanted)
      where deliveries.id = moved.id and status = 'pending' and bundle = 'quiet'
      returning deliveries.id`;
    // Early is mended at the next look.
    await tx`
      update delivery_lanes set next_at = least(next_at, clock_timestamp())
      where id = any(${moved.map(({ lane }) => lane)}::uuid[]) and next_at is not null`;
    return rows.length;
  });
}
