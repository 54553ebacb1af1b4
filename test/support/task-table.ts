import type { Sql } from "../../shared/postgres/db.ts";
import type { GuardMessage } from "../../workers/reminder-service/guard.ts";

/**
 * Brings task-service's table to what it says when these messages are published: it commits a change before anybody
 * hears of it. They count as changed long ago: no scheduling worker runs here whose answer a request would wait for.
 */
export async function writeTasks(sql: Sql, messages: readonly GuardMessage[]): Promise<void> {
  const begun = messages.filter((message) => message.type === "TaskCreated" || message.type === "SetTaskReminders");
  if (begun.length > 0)
    await sql`
      insert into tasks (id, user_id, title, created_at, updated_at, is_recurring_template, recurrence_pattern)
      select distinct on (id) id, user_id, 'a task', clock_timestamp(), '2000-01-01', template = 'true',
        case template when 'true' then '{}' end
      from unnest(${begun.map(({ subject }) => subject)}::uuid[], ${begun.map(({ data }) => data.user_id)}::uuid[],
        ${begun.map(({ data }) => String("is_recurring_template" in data && data.is_recurring_template))}::text[])
        as begun (id, user_id, template)
      order by id
      on conflict do nothing`;
  for (const { type, subject, data } of messages)
    switch (type) {
      case "TaskUpdated": {
        const { status, deleted_at } = data.updated_fields;
        if (status === "open")
          await sql`
            update tasks set status = 'open', completed_at = null where id = ${subject} and user_id = ${data.user_id}`;
        if (deleted_at === null)
          await sql`update tasks set deleted_at = null where id = ${subject} and user_id = ${data.user_id}`;
        break;
      }
      case "TaskCompleted":
        await sql`
          update tasks set status = 'completed', completed_at = ${data.completed_at}
          where id = ${subject} and user_id = ${data.user_id}`;
        break;
      case "TaskDeleted":
        await sql`
          update tasks set deleted_at = ${data.deleted_at} where id = ${subject} and user_id = ${data.user_id}`;
        break;
      case "TaskCreated":
      case "SetTaskReminders":
    }
}
