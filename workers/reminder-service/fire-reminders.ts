import type { Sql } from "../../shared/postgres/db.ts";
import { spanMs } from "../../shared/preferences/preferences.ts";
import { deriveId } from "../../shared/messages/derive-id.ts";
import { afterOrigin, byteaArray, outboxRow, type Encoder, type OutboxRow } from "../../shared/outbox/outbox.ts";
import type { Origin } from "../../shared/messages/message.ts";
import type { TaskPriority } from "../../shared/messages/records.ts";
import type { Fire, FiringOutcome } from "../../shared/timers/due-rows.ts";

type FiringCandidate = Readonly<{
  id: string;
  generation: number;
  taskId: string;
  userId: string;
  remindAt: Date;
  title: string | null;
  rule: string | null;
  /** Of the task as it is known here; one a newer build has added is told as Medium. */
  priority: TaskPriority | null;
  dropAfter: string | null;
  /** Whether another reminder of its task rings, or rang, at this very instant: one moment of a task rings once. */
  isTwin: boolean;
  causedBy: string | null;
  correlationId: string | null;
  traceparent: string | null;
  /** The database's time now, or the due instant where that is still ahead: never before it. */
  triggeredAt: Date;
}>;

type FiringOptions = Readonly<{
  db: Readonly<{ sql: Sql }>;
  codec: Encoder;
  /** Called after a commit that wrote to the outbox. */
  notify: () => void;
}>;

/**
 * Fires reminders in one statement. It locks the guard rows of their tasks and changes exactly the reminders that are
 * still pending in the requested generation, due by the database's clock, and of an open task. Each gets a
 * ReminderTriggered with the version of its row, or a ReminderDismissed: `expired` if it is later than its `drop_after`
 * allows, `same_time` if another reminder of the task has that very instant. Of several with one instant, one without
 * `drop_after` fires before one with it, then a person's own before a rule's, then the lowest id.
 *
 * The event's id is (reminder, generation, "triggered" or the reason), its time the due instant. If somebody else
 * writes a guard row, its reminders are not waited for and answer `later`: a handler's batch may hold it for 250 ms and
 * locks in another order.
 */
export function makeFireReminders({ db: { sql }, codec, notify }: FiringOptions): Fire {
  return async (batch) => {
    // A batch may hold two generations of a reminder: a stale wake-up beside the true one.
    const asked = new Set(batch.map(({ id, generation }) => `${id} ${generation}`));
    const found = await sql<FiringCandidate[]>`
      select r.id, r.generation::float8 as generation, r.drop_after as "dropAfter", r.task_id as "taskId",
        r.user_id as "userId", r.remind_at as "remindAt", r.rule, r.caused_by as "causedBy", r.correlation_id as "correlationId", r.traceparent,
        case when g.fields->'priority'->>'value' in ('Low', 'High') then g.fields->'priority'->>'value'
          when g.fields->'priority'->>'value' is not null then 'Medium' end as priority,
        coalesce(g.fields->'title'->>'value', g.fields->'wanted_title'->>'value') as title,
        greatest(r.remind_at, clock_timestamp()) as "triggeredAt",
        exists (
          select from reminders twin
          where twin.task_id = r.task_id and twin.remind_at = r.remind_at and twin.id <> r.id
            and (twin.triggered_at is not null or (twin.status not in ('triggered', 'dismissed')
              and (twin.drop_after is not null, twin.rule is not null, twin.id) < (r.drop_after is not null, r.rule is not null, r.id)))
        ) as "isTwin"
      from reminders r join reminder_guards g using (task_id)
      where r.id = any(${batch.map(({ id }) => id)}::uuid[]) and r.status not in ('triggered', 'dismissed')
      order by r.id`;
    const candidates = found.filter(({ id, generation }) => asked.has(`${id} ${generation}`));
    if (candidates.length === 0) return [];
    const rows = candidates.map((candidate) => {
      const reason = whySilent(candidate);
      return reason === null ? triggeredRow(codec, candidate) : dismissedRow(codec, candidate, reason);
    });
    const outcomes = await compareAndSet(sql, candidates, rows);
    if (outcomes.some(({ outcome }) => outcome === "fired")) notify();
    // What was dismissed instead has not fired: it is as gone as what is stale.
    const silent = new Set(candidates.filter((each) => whySilent(each) !== null).map(({ id }) => id));
    return outcomes.filter(({ id, outcome }) => outcome === "later" || !silent.has(id));
  };
}

/** Why it is dismissed instead of fired; `null` for one that fires. */
function whySilent(candidate: FiringCandidate): "expired" | "same_time" | null {
  if (isExpired(candidate)) return "expired";
  return candidate.isTwin ? "same_time" : null;
}

function isExpired({ remindAt, triggeredAt, dropAfter }: FiringCandidate): boolean {
  const ms = dropAfter === null ? null : spanMs(dropAfter);
  return ms !== null && triggeredAt.getTime() - remindAt.getTime() > ms;
}

function originOf({ causedBy, correlationId, traceparent }: FiringCandidate): Origin | null {
  return causedBy === null || correlationId === null ? null : { messageId: causedBy, correlationId, traceparent };
}

function dismissedRow(codec: Encoder, candidate: FiringCandidate, reason: "expired" | "same_time"): OutboxRow {
  const { id, generation, taskId, userId, remindAt, triggeredAt } = candidate;
  const data = {
    id,
    task_id: taskId,
    user_id: userId,
    dismissed_at: triggeredAt,
    generation,
    reason,
  };
  return outboxRow(
    codec,
    {
      type: "ReminderDismissed",
      key: taskId,
      subject: id,
      sequence: null,
      data,
      id: deriveId(id, String(generation), reason),
      time: remindAt,
    },
    { source: "reminder-service", ...afterOrigin(originOf(candidate), id), now: triggeredAt },
  );
}

function triggeredRow(codec: Encoder, candidate: FiringCandidate): OutboxRow {
  const { id, generation, taskId, userId, remindAt, title, rule, priority, triggeredAt } = candidate;
  return outboxRow(
    codec,
    {
      type: "ReminderTriggered",
      key: taskId,
      subject: id,
      sequence: null,
      data: {
        id,
        task_id: taskId,
        user_id: userId,
        triggered_at: triggeredAt,
        generation,
        remind_at: remindAt,
        title,
        rule,
        priority,
      },
      id: deriveId(id, String(generation), "triggered"),
      time: remindAt,
    },
    { source: "reminder-service", ...afterOrigin(originOf(candidate), id), now: triggeredAt },
  );
}

/**
 * `status not in (…)` rather than `= 'pending'`, here and above: the latter matches the partial indexes of all that is
 * pending, and a plan from old statistics then reads one of them whole for every batch (measured: 40 ms instead of 16
 * for 100 of 6,000). And what one step knows is handed to the next instead of joined again: of two CTEs a plan knows
 * nothing, takes the cheapest join of one row with one, and compares each with each (measured: 300 of 380 ms for 500).
 */
async function compareAndSet(
  sql: Sql,
  candidates: readonly FiringCandidate[],
  rows: readonly OutboxRow[],
): Promise<readonly FiringOutcome[]> {
  const of = <T>(read: (candidate: FiringCandidate) => T): T[] => candidates.map(read);
  const column = <T>(read: (row: OutboxRow) => T): T[] => rows.map(read);
  const fired = await sql<{ id: string }[]>`
    with guarded as materialized (
      select asked.*, guard.closed
      from unnest(
        ${of(({ id }) => id)}::uuid[], ${of(({ generation }) => generation)}::bigint[], ${of(({ taskId }) => taskId)}::uuid[],
        ${of(({ triggeredAt }) => triggeredAt.toISOString())}::timestamptz[], ${column(({ shard }) => shard)}::smallint[],
        ${column(({ line }) => line)}::int[],
        ${column(({ messageId }) => messageId)}::uuid[], ${column(({ time }) => time.toISOString())}::timestamptz[],
        ${sql.array(
          column(({ value }) => value),
          byteaArray,
        )}::bytea[], ${column(({ headers }) => headers)}::text[], ${column(({ type }) => type)}::text[],
        ${of(whySilent)}::text[]
      ) as asked (id, generation, task_id, triggered_at, shard, line, message_id, time, value, headers, type, silent)
        join reminder_guards guard on guard.task_id = asked.task_id
      order by asked.task_id for no key update of guard skip locked
    ), fired as (
      update reminders r
      set status = case type when 'ReminderTriggered' then 'triggered' else 'dismissed' end,
        triggered_at = case type when 'ReminderTriggered' then guarded.triggered_at end,
        dismissed_at = case type when 'ReminderTriggered' then r.dismissed_at else guarded.triggered_at end,
        reason = case type when 'ReminderTriggered' then r.reason else silent end,
        -- Nothing schedules it for this instant again by itself.
        dismissed_for = case type when 'ReminderTriggered' then r.dismissed_for
          else coalesce(r.snoozed_for, r.snoozed_from, r.remind_at) end,
        version = greatest(r.version, (select told_floor())) + 1
      from guarded
      where r.id = guarded.id and r.generation = guarded.generation and r.status not in ('triggered', 'dismissed')
        and r.remind_at <= clock_timestamp() and not guarded.closed
      returning r.id, r.version, guarded.task_id, shard, line, message_id, time, value, headers, type
    ), written as (
      insert into outbox (shard, line, topic, key, message_id, type, subject, sequence, time, value, headers)
      select shard, line, 'reminders', task_id::text, message_id, type, id::text, version, time, value, headers::jsonb
      from fired order by id
    )
    select id from fired`;
  const ids = new Set(fired.map(({ id }) => id));
  return candidates.map(({ id }) => ({ id, outcome: ids.has(id) ? "fired" : "later" }));
}
