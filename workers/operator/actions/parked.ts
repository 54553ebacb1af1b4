import { retryParkedNow } from "../../../shared/consume/parking/retry-parked-now.ts";
import { skipParkedHead } from "../../../shared/consume/parking/skip-parked-head.ts";
import type { Db } from "../../../shared/postgres/db.ts";
import { Problem } from "../../../shared/problem.ts";
import { audited, type ChangeAuthor } from "../audit.ts";
import { readGroup } from "../read-group.ts";
import { listParked, type ParkedFilter, type ParkedKey } from "./list-parked.ts";

type ParkedVerb = "retry" | "skip" | "release";

export type ParkedDone = Readonly<{
  auditId: string | null;
  /** As they were before. */
  keys: readonly ParkedKey[];
  /** Keys for which it was done; the others were not parked any more. */
  done: number;
  /** Ids of the messages that became dead letters. */
  skipped: readonly string[];
}>;

const atOnce = 1000;

/**
 * `retry` tries the head of one key now, `release` the heads of all that fit, and `skip` makes the head of one key a
 * dead letter, so that those behind it go on. Order holds: what waits behind a head stays behind it. Rejects with
 * NOT_FOUND when the one key is not parked. The audit row is written first, so that whatever is done is on record.
 */
export async function changeParked(
  db: Db,
  { verb, filter }: Readonly<{ verb: ParkedVerb; filter: ParkedFilter }>,
  { by, dryRun }: Readonly<{ by: ChangeAuthor; dryRun: boolean }>,
): Promise<ParkedDone> {
  const keys = await listParked(db.sql, filter, atOnce + 1);
  if (keys.length > atOnce) throw new Problem("REFUSED", `more than ${atOnce} keys fit: narrow it`);
  if (verb !== "release" && keys.length === 0) throw new Problem("NOT_FOUND", `the key ${filter.key} is not parked`);
  if (dryRun || keys.length === 0) return { auditId: null, keys, done: 0, skipped: [] };
  return audited(db.sql, by, { action: `parked ${verb}`, plan: { filter, keys } }, async (auditId) => {
    let done = 0;
    const skipped: string[] = [];
    for (const { group, topic, key } of keys) {
      const place = { group: readGroup(group), topic, key };
      const id = verb === "skip" ? await skipParkedHead(db, { ...place, by: by.who }) : null;
      if (id !== null) skipped.push(id);
      const changed = verb === "skip" ? id !== null : await retryParkedNow(db, place);
      if (changed) done++;
    }
    return { auditId, keys, done, skipped };
  });
}
