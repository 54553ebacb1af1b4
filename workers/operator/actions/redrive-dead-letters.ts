import { redriveDead, type SkippedDeadLetter } from "../../../shared/consume/dead-letters/redrive-dead.ts";
import type { Db, Sql } from "../../../shared/postgres/db.ts";
import { Problem } from "../../../shared/problem.ts";
import type { GroupName } from "../../../shared/messages/topics.ts";
import { auditBegin, auditEnd, auditProgress, readAuditEntry, type ChangeAuthor } from "../audit.ts";
import { inBatches, type ChangePace } from "../pace.ts";
import { readGroup } from "../read-group.ts";
import { fits, revivedFilter, type DeadLetterFilter } from "./dead-letter-filter.ts";
import type { RedrivePlan } from "./redrive-plan.ts";

type RedriveDeps = Readonly<{
  db: Db;
  /** Messages a group has not read yet. */
  liveLag: (group: GroupName) => Promise<number>;
  /** More than this and the redrive waits; 1,000 is usual. */
  maxLag: number;
  pace: Omit<ChangePace, "inTheWay">;
}>;

export type RedriveResult = Readonly<{
  id: string;
  /** Redriven, over all runs. */
  moved: number;
  /** Looked at by this run and left where they are, by reason. */
  skipped: Readonly<Partial<Record<SkippedDeadLetter["why"], number>>>;
  /** Still dead of what was planned; those over the cap are. */
  left: number;
  complete: boolean;
}>;

type RedriveProgress = Readonly<{ steps?: number; moved?: number }>;
type QueuePosition = Readonly<{ topic: string; partition: number; offset: string; id: string }>;

/**
 * Redrives dead letters to the group that gave them up, and to no other: group by group, in the order of their offsets,
 * so per key in the order they came in. A plan begins it; without one, the redrive `id` goes on where its audit row
 * says. A batch that was cut off is finished: nothing is moved twice. Resolves early with `complete` false at the
 * signal.
 */
export async function redriveDeadLetters(
  deps: RedriveDeps,
  { id, plan, by }: Readonly<{ id: string; plan: RedrivePlan | null; by: ChangeAuthor }>,
): Promise<RedriveResult> {
  const { db, pace } = deps;
  if (plan !== null) await auditBegin(db.sql, by, { id, action: "dlq redrive", plan });
  const entry = await readAuditEntry(db.sql, id);
  if (entry.action !== "dlq redrive")
    throw new Problem("INVALID_REQUEST", `${id} is no redrive, it is ${entry.action}`);
  const filter = plannedFilter(entry.plan);
  let progress: RedriveProgress = entry.progress;
  const groups = await groupsOf(db.sql, filter);
  const skipped: Partial<Record<SkippedDeadLetter["why"], number>> = {};
  let complete = true;
  try {
    for (const group of groups) {
      let after: QueuePosition | null = null;
      const step = async (size: number) => {
        const places: readonly QueuePosition[] = await nextPlaces(db.sql, { ...filter, group }, after, size);
        if (places.length === 0) return { items: 0, more: false };
        const ids = places.map((place) => place.id);
        const result = await redriveDead(db, { group, ids, redriveId: id, by: by.who });
        for (const { why } of result.skipped) skipped[why] = (skipped[why] ?? 0) + 1;
        const next = { steps: (progress.steps ?? 0) + 1, moved: await countMoved(db.sql, id) };
        await auditProgress(db.sql, id, { before: progress, after: next });
        progress = next;
        after = places.at(-1) ?? null;
        return { items: places.length, more: places.length === size };
      };
      complete = await inBatches({ ...pace, inTheWay: () => inTheWay(deps, group, id) }, step);
      if (!complete) break;
    }
    if (complete) await auditEnd(db.sql, id, "done");
  } catch (error) {
    // Refused: another process is at it, and this is not its end.
    if (!(error instanceof Problem)) await auditEnd(db.sql, id, "failed", String(error)).catch(() => {});
    throw error;
  }
  const [moved, left] = [await countMoved(db.sql, id), await countDead(db.sql, filter)];
  return { id, moved, skipped, left, complete };
}

/** As many of one redrive may wait to be handled at any time. */
const maxInFlight = 500;

async function inTheWay(deps: RedriveDeps, group: GroupName, redriveId: string): Promise<string | null> {
  const lag = await deps.liveLag(group);
  if (lag > deps.maxLag) return `${group} is ${lag} messages behind`;
  const [row] = await deps.db.sql<{ waiting: number }[]>`
    select count(*)::int as waiting from (
      select from parked_messages m join parked_keys k using (epoch, topic, key)
      where m.redrive_id = ${redriveId} and k.next_at <= clock_timestamp() limit ${maxInFlight}) w`;
  return (row?.waiting ?? 0) >= maxInFlight ? `${maxInFlight} redriven messages wait to be handled by ${group}` : null;
}

async function groupsOf(sql: Sql, filter: DeadLetterFilter): Promise<readonly GroupName[]> {
  const rows = await sql<{ name: string }[]>`
    select distinct group_name as name from dead_letters where ${fits(sql, filter)} order by 1`;
  return rows.map(({ name }) => readGroup(name));
}

async function nextPlaces(sql: Sql, filter: DeadLetterFilter, after: QueuePosition | null, size: number) {
  return sql<QueuePosition[]>`
    select topic, partition, "offset"::text, id from dead_letters d
    where ${fits(sql, filter)} and (${after === null}::boolean or (topic, partition, d.offset, id) >
      (${after?.topic ?? ""}::text, ${after?.partition ?? 0}::int, ${after?.offset ?? "0"}::bigint, ${after?.id ?? null}::uuid))
    order by topic, partition, d.offset, id limit ${size}`;
}

async function countMoved(sql: Sql, redriveId: string): Promise<number> {
  const [row] = await sql<{ n: number }[]>`
    select count(*)::int as n from dead_letters where last_redrive = ${redriveId}`;
  return row?.n ?? 0;
}

async function countDead(sql: Sql, filter: DeadLetterFilter): Promise<number> {
  const [row] = await sql<{ n: number }[]>`select count(*)::int as n from dead_letters where ${fits(sql, filter)}`;
  return row?.n ?? 0;
}

/** The plan was written by `redriveDeadLetters`. */
function plannedFilter(plan: unknown): DeadLetterFilter {
  return revivedFilter((plan as { filter: unknown }).filter);
}
