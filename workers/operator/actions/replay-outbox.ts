import type { Db, Sql, Tx } from "../../../shared/postgres/db.ts";
import { outboxChannel } from "../../../shared/outbox/outbox.ts";
import { Problem } from "../../../shared/problem.ts";
import type { TopicName } from "../../../shared/messages/topics.ts";
import { auditBegin, auditEnd, auditProgress, readAuditEntry, type ChangeAuthor } from "../audit.ts";
import { inBatches, type ChangePace } from "../pace.ts";

/** Messages published in [from, to), of these topics, and of one key where it is said. */
type ReplayRange = Readonly<{ from: Date; to: Date; topics: readonly TopicName[]; key: string | null }>;

export type ReplayPlan = ReplayRange &
  Readonly<{
    messages: number;
    bytes: number;
    byTopic: readonly Readonly<{ topic: string; messages: number; oldest: Date; newest: Date }>[];
    /** Since when published messages are kept: what is older is not replayed. */
    keptSince: Date | null;
  }>;

/** A message that was replayed before counts once, as its first row. */
export async function planReplay(sql: Sql, range: ReplayRange): Promise<ReplayPlan> {
  const [topics, [kept]] = await Promise.all([
    sql<{ topic: string; messages: number; bytes: number; oldest: Date; newest: Date }[]>`
      select topic, count(*)::int as messages, sum(bytes)::float8 as bytes, min(published) as oldest, max(published) as newest
      from (select topic, message_id, min(octet_length(value)) as bytes, min(published_at) as published
        from outbox where ${inRange(sql, range)} group by topic, message_id) first
      group by topic order by topic`,
    sql<{ since: Date | null }[]>`select min(published_at) as since from outbox`,
  ]);
  const sum = (of: (row: (typeof topics)[number]) => number) => topics.reduce((total, row) => total + of(row), 0);
  return {
    ...range,
    messages: sum(({ messages }) => messages),
    bytes: sum(({ bytes }) => bytes),
    byTopic: topics.map(({ topic, messages, oldest, newest }) => ({ topic, messages, oldest, newest })),
    keptSince: kept?.since ?? null,
  };
}

type ReplayProgress = Readonly<{ lastId?: string; messages?: number }>;

/**
 * Publishes once more what was published in a range: every message gets a new outbox row with the same id, headers and
 * bytes, in the old order; no mark is cleared. Consumers drop what they know. Writes a batch and how far it got in one
 * transaction, so that `id` of a replay that was cut off resumes it without doing a message twice. Resolves with the
 * number written, over all runs.
 */
export async function replayOutbox(
  db: Db,
  replay: Readonly<{ id: string; range: ReplayRange | null; by: ChangeAuthor; pace: Omit<ChangePace, "inTheWay"> }>,
): Promise<Readonly<{ id: string; messages: number; complete: boolean }>> {
  const { id, by } = replay;
  if (replay.range !== null)
    await auditBegin(db.sql, by, { id, action: "outbox replay", plan: await planReplay(db.sql, replay.range) });
  const entry = await readAuditEntry(db.sql, id);
  if (entry.action !== "outbox replay")
    throw new Problem("INVALID_REQUEST", `${id} is no replay, it is ${entry.action}`);
  const range = rangeOf(entry.plan);
  let progress: ReplayProgress = entry.progress;
  const step = async (size: number) => {
    const written = await db.transaction(async (tx) => {
      const rows = await tx<{ id: string }[]>`
        with picked as (
          select min(id) as id from outbox
          where ${inRange(tx, range)} group by topic, message_id
          having min(id) > ${progress.lastId ?? "0"}::bigint order by 1 limit ${size}
        ), copied as (
          insert into outbox (shard, line, topic, key, message_id, type, subject, sequence, time, value, headers)
          select shard, line, topic, key, message_id, type, subject, sequence, time, value, headers
          from outbox join picked using (id) order by outbox.id
        )
        select id::text from picked order by picked.id`;
      const last = rows.at(-1);
      if (last === undefined) return 0;
      const after = { lastId: last.id, messages: (progress.messages ?? 0) + rows.length };
      await auditProgress(tx, id, { before: progress, after });
      progress = after;
      return rows.length;
    });
    if (written > 0) await db.sql`select pg_notify(${outboxChannel}, '')`;
    return { items: written, more: written === size };
  };
  try {
    const complete = await inBatches({ ...replay.pace, inTheWay: () => relayIsBehind(db.sql) }, step);
    if (complete) await auditEnd(db.sql, id, "done");
    return { id, messages: progress.messages ?? 0, complete };
  } catch (error) {
    // Refused: another process is at it, and this is not its end.
    if (!(error instanceof Problem)) await auditEnd(db.sql, id, "failed", String(error)).catch(() => {});
    throw error;
  }
}

const maxWaiting = 2000;

/** Live messages go first: a replay waits while the relay has much to do. */
async function relayIsBehind(sql: Sql): Promise<string | null> {
  const [row] = await sql<{ waiting: number }[]>`
    select count(*)::int as waiting from (
      select from outbox o where published_at is null
        and not exists (select from outbox_holds h where h.topic = o.topic and h.key = o.key) limit ${maxWaiting}) w`;
  return (row?.waiting ?? 0) >= maxWaiting ? `${maxWaiting} or more messages wait in the outbox` : null;
}

function inRange(sql: Sql | Tx, { from, to, topics, key }: ReplayRange) {
  return sql`published_at >= ${from} and published_at < ${to} and topic = any(${[...topics]}::text[])
    and (${key}::text is null or key = ${key})`;
}

/** The plan was written by `replayOutbox`; only its times have become text. */
function rangeOf(plan: unknown): ReplayRange {
  const { from, to, topics, key } = plan as { from: string; to: string; topics: TopicName[]; key: string | null };
  return { from: new Date(from), to: new Date(to), topics, key };
}
