import { deriveId } from "../../../shared/messages/derive-id.ts";
import type { Sql } from "../../../shared/postgres/db.ts";
import { readPreferences } from "../../../shared/preferences/read-preferences.ts";
import { endpointsOf, laneOf, type Way } from "../plan/way.ts";

/** A webhook among a user's channels, and how it does. `disabled` is for its owner to end, `open` ends by itself. */
export type Endpoint = Readonly<{
  id: string;
  way: Way;
  state: "working" | "failing" | "open" | "disabled";
  failures: number;
  failingSince: Date | null;
  openUntil: Date | null;
  disabledAt: Date | null;
  disabledReason: string | null;
  waiting: number;
}>;

const mostCounted = 1_000;

/** The webhooks of a user's preferences, in their order. */
export async function listEndpoints(sql: Sql, userId: string): Promise<readonly Endpoint[]> {
  const preferences = (await readPreferences(sql, [userId])).get(userId);
  const ways = preferences === undefined ? [] : endpointsOf(preferences);
  const lanes = ways.map((way) => laneOf(userId, way));
  const rows = await sql<(Omit<Endpoint, "id" | "way" | "state"> & { lane: string; isOpen: boolean })[]>`
    select id as lane, failures, failing_since as "failingSince", disabled_at as "disabledAt", disabled_reason as "disabledReason",
      case when open_until > clock_timestamp() then open_until end as "openUntil", (
        select count(*)::int from (
          select from deliveries where lane = delivery_lanes.id and status = 'pending' limit ${mostCounted}) waiting
      ) as waiting
    from delivery_lanes where id = any(${lanes}::uuid[])`;
  const known = new Map(rows.map((row) => [row.lane, row]));
  return ways.map((way, index): Endpoint => {
    const row = known.get(lanes[index] ?? "");
    const id = endpointId(userId, way);
    const fresh = {
      failures: 0,
      failingSince: null,
      openUntil: null,
      disabledAt: null,
      disabledReason: null,
      waiting: 0,
    };
    if (row === undefined) return { id, way, state: "working", ...fresh };
    const { failures, failingSince, openUntil, disabledAt, disabledReason, waiting } = row;
    const state = disabledAt !== null ? "disabled" : openUntil !== null ? "open" : failures > 0 ? "failing" : "working";
    return { id, way, state, failures, failingSince, openUntil, disabledAt, disabledReason, waiting };
  });
}

/**
 * Lets an endpoint have another chance, with its failures forgotten; one that works stays as it is. False when there is
 * none.
 */
export async function enableEndpoint(
  sql: Sql,
  { id, userId }: Readonly<{ id: string; userId: string }>,
): Promise<boolean> {
  const found = (await listEndpoints(sql, userId)).find((endpoint) => endpoint.id === id);
  if (found === undefined) return false;
  await sql`
    update delivery_lanes
    set disabled_at = null, disabled_reason = null, failures = 0, failing_since = null, open_until = null,
      next_at = case when next_at is not null then clock_timestamp() end
    where id = ${laneOf(userId, found.way)} and (disabled_at is not null or failures > 0)`;
  return true;
}

function endpointId(userId: string, { target }: Way): string {
  return deriveId("endpoint", userId, target);
}
