import type { Tx } from "../../../shared/postgres/db.ts";

/**
 * Cancels the deliveries that no longer matter by the tables of tasks and reminders as they are committed now: the task
 * is completed or deleted, the reminder dismissed or scheduled anew. Events say most of it sooner; this is for late
 * events, and for tasks completed after their reminder fired, which dismisses nothing. A reminder that is not in those
 * tables still matters, and so does a delivery that somebody asked to have sent again. Resolves with the ids of the
 * cancelled.
 */
export async function cancelObsolete(tx: Tx, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const cancelled = await tx<{ id: string }[]>`
    with asked as (
      select deliveries.id, case
        when tasks.deleted_at is not null then 'task deleted'
        when tasks.status = 'completed' then 'task completed'
        when reminders.generation > deliveries.generation then 'scheduled anew'
        when reminders.status = 'dismissed' then 'dismissed'
        else deliveries.reason end as why
      from deliveries
      left join tasks on tasks.id = deliveries.task_id and tasks.user_id = deliveries.user_id
      left join reminders on reminders.id = deliveries.reminder_id and reminders.user_id = deliveries.user_id
      where deliveries.id = any(${[...ids]}::uuid[]) and resent_at is null
    )
    update deliveries set status = 'cancelled', claim = null, lease_until = null, reason = why
    from asked where deliveries.id = asked.id and why is not null
    returning deliveries.id`;
  return new Set(cancelled.map(({ id }) => id));
}
