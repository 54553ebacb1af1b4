import type { Tx } from "../../shared/postgres/db.ts";
import type { DueLane } from "./put-off-quiet.ts";

/**
 * Puts off to the end of their hour what is to go by these lanes where `hourly` attempts were made in it: urgent ones, retries and what
 * somebody asked to have sent again too, since it is the receiver who is spared. What has piled up by then goes as one digest. The
 * lanes must be locked; they are looked at again at once. Resolves with the ids of what was put off.
 */
export async function putOffHourly(
  tx: Tx,
  due: readonly DueLane[],
  hourly: number | null,
): Promise<ReadonlySet<string>> {
  if (due.length === 0 || hourly === null) return new Set();
  const moved = await tx<{ id: string }[]>`
    with spent as materialized (
      select id, hour_began + interval '1 hour' as until from delivery_lanes
      where id = any(${due.map(({ lane }) => lane)}::uuid[]) and hour_count >= ${hourly}
        and hour_began + interval '1 hour' > clock_timestamp()
    ), moved as (
      update deliveries set due_at = spent.until, bundle = 'hourly', last_error = ${`only ${hourly} an hour go to one address`}
      from spent
      where deliveries.lane = spent.id and status = 'pending' and due_at < spent.until
      returning deliveries.id, deliveries.lane
    ), looked as (
      update delivery_lanes set next_at = least(next_at, clock_timestamp()) where id in (select lane from moved)
    )
    select id from moved`;
  return new Set(moved.map(({ id }) => id));
}
