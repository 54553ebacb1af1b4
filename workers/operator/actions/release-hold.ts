import type { Db, Sql, Tx } from "../../../shared/postgres/db.ts";
import { outboxChannel } from "../../../shared/outbox/outbox.ts";
import { Problem } from "../../../shared/problem.ts";
import { auditDone, type ChangeAuthor } from "../audit.ts";

/** A key whose messages wait because the broker refused one of them. */
export type Hold = Readonly<{
  topic: string;
  key: string;
  reason: string;
  since: Date;
  /** Messages that wait behind it, and when the oldest was written. */
  waiting: number;
  oldest: Date | null;
}>;

/** Which holds: one key of a topic, all of a topic, or all. */
type WhichHolds = Readonly<{ topic: string | null; key: string | null }>;

/** The oldest hold first. */
export async function listHolds(
  sql: Sql | Tx,
  which: WhichHolds = { topic: null, key: null },
): Promise<readonly Hold[]> {
  return sql<Hold[]>`
    select h.topic, h.key, h.reason, h.since, count(o.id)::int as waiting, min(o.created_at) as oldest
    from outbox_holds h
    left join outbox o on o.topic = h.topic and o.key = h.key and o.published_at is null
    where (${which.topic}::text is null or h.topic = ${which.topic}) and (${which.key}::text is null or h.key = ${which.key})
    group by h.topic, h.key, h.reason, h.since
    order by h.since limit 1000`;
}

type ReleaseResult = Readonly<{ auditId: string | null; holds: readonly Hold[] }>;

/**
 * Lets the messages of held keys go, in their order. Doing it twice does nothing the second time. Rejects with
 * NOT_FOUND when one key is named and it is not held. With `dryRun` only tells what would be released.
 */
export async function releaseHolds(
  db: Db,
  which: WhichHolds,
  { by, dryRun }: Readonly<{ by: ChangeAuthor; dryRun: boolean }>,
): Promise<ReleaseResult> {
  const planned = await listHolds(db.sql, which);
  if (planned.length === 0 && which.key !== null)
    throw new Problem(
      "NOT_FOUND",
      `the key ${which.key} is not held${which.topic === null ? "" : ` in ${which.topic}`}`,
    );
  if (dryRun || planned.length === 0) return { auditId: null, holds: planned };
  const released = await db.transaction(async (tx) => {
    const holds = await listHolds(tx, which);
    await tx`
      delete from outbox_holds h using unnest(${holds.map(({ topic }) => topic)}::text[], ${holds.map(({ key }) => key)}::text[])
        as gone(topic, key) where h.topic = gone.topic and h.key = gone.key`;
    return { auditId: await auditDone(tx, by, { action: "outbox release", plan: { ...which, holds } }), holds };
  });
  // A hint: the relay polls too.
  await db.sql`select pg_notify(${outboxChannel}, '')`;
  return released;
}
