import type { ReceivedMessage, ReceivedOf } from "../../../shared/messages/message.ts";
import type { Tx } from "../../../shared/postgres/db.ts";

type ReminderMessage =
  ReceivedOf<"ReminderScheduled"> | ReceivedOf<"ReminderTriggered"> | ReceivedOf<"ReminderDismissed">;

/**
 * The messages whose user is not the one whose reminder or task they name, by the tables of the roles that keep these.
 * What neither table knows is nobody else's.
 */
export async function findForeign(tx: Tx, messages: readonly ReceivedMessage[]): Promise<ReadonlySet<ReceivedMessage>> {
  const asked = messages.filter(isOfReminder);
  if (asked.length === 0) return new Set();
  const foreign = await tx<{ place: number }[]>`
    select (asked.place - 1)::int as place
    from unnest(${asked.map(({ data }) => data.id)}::uuid[], ${asked.map(({ data }) => data.task_id)}::uuid[],
      ${asked.map(({ data }) => data.user_id)}::uuid[]) with ordinality as asked (reminder_id, task_id, user_id, place)
    left join reminders on reminders.id = asked.reminder_id
    left join tasks on tasks.id = asked.task_id
    where reminders.user_id <> asked.user_id or tasks.user_id <> asked.user_id`;
  return new Set(foreign.flatMap(({ place }) => asked[place] ?? []));
}

function isOfReminder(message: ReceivedMessage): message is ReminderMessage {
  return (
    message.type === "ReminderScheduled" || message.type === "ReminderTriggered" || message.type === "ReminderDismissed"
  );
}
