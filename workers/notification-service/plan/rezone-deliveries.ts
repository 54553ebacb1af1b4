import type { Db } from "../../../shared/postgres/db.ts";
import type { RezoneStep } from "../../../shared/zones/rezone.ts";

const perStep = 1000;
/** Older than any version of preferences, see the column. */
const unknownVersion = -1;

/**
 * Marks what waits for the end of quiet hours as planned by preferences nobody knows, so that `replanDeferred` plans it
 * anew: by the same wishes and the zone data in use.
 */
export function rezoneDeliveries({
  db,
  limit = perStep,
}: Readonly<{ db: Pick<Db, "transaction">; limit?: number }>): RezoneStep {
  return async (after) => {
    const ids = await db.transaction(async (tx) => {
      const found = await tx<{ id: string; lane: string }[]>`
        select id, lane from deliveries where status = 'pending' and bundle = 'quiet' and id > ${after} order by id limit ${limit}`;
      const lanes = found.map(({ lane }) => lane);
      await tx`select from delivery_lanes where id = any(${lanes}::uuid[]) order by id for no key update`;
      await tx`
        update deliveries set plan_version = ${unknownVersion}
        where id = any(${found.map(({ id }) => id)}::uuid[]) and status = 'pending' and bundle = 'quiet'`;
      return found.map(({ id }) => id);
    });
    return ids.length < limit ? null : (ids.at(-1) ?? null);
  };
}
