import type { Db } from "../../../shared/postgres/db.ts";
import { Problem } from "../../../shared/problem.ts";
import { auditDone, type ChangeAuthor } from "../audit.ts";
import { fits, type DeadLetterFilter } from "./dead-letter-filter.ts";

const atOnce = 10_000;

type DroppedDeadLetters = Readonly<{ auditId: string | null; ids: readonly string[] }>;

/**
 * Settles dead letters as not worth handling. They stay where they are, in state `dropped`, and are not redriven; their
 * fate in the inbox stays `dead`. Does nothing to those not `dead` any more. Refused above 10,000 at once.
 */
export async function dropDeadLetters(
  db: Db,
  filter: DeadLetterFilter,
  { by, dryRun }: Readonly<{ by: ChangeAuthor; dryRun: boolean }>,
): Promise<DroppedDeadLetters> {
  const dead = { ...filter, state: "dead" as const };
  return db.transaction(async (tx) => {
    const rows = await tx<{ id: string }[]>`
      select id from dead_letters where ${fits(tx, dead)} order by id limit ${atOnce + 1} for update`;
    if (rows.length > atOnce)
      throw new Problem("REFUSED", `more than ${atOnce} fit: narrow it by key, time or fingerprint`);
    const ids = rows.map(({ id }) => id);
    if (dryRun || ids.length === 0) return { auditId: null, ids };
    await tx`
      update dead_letters set state = 'dropped', settled_at = clock_timestamp() where id = any(${ids}::uuid[])`;
    return { auditId: await auditDone(tx, by, { action: "dlq drop", plan: { filter: dead, ids } }), ids };
  });
}
