import type { Tx } from "../../../shared/postgres/db.ts";
import type { Lane } from "./store-deliveries.ts";

/** A reminder that nobody needs to hear of any more, up to this generation; `null`: in all generations. */
export type ObsoleteReminder = Readonly<{ reminderId: string; userId: string; upTo: number | null; reason: string }>;

/** The lanes in which deliveries of these reminders wait. */
export async function lanesOfObsolete(tx: Tx, obsolete: readonly ObsoleteReminder[]): Promise<readonly Lane[]> {
  if (obsolete.length === 0) return [];
  return await tx<Lane[]>`
    select id, user_id as "userId", channel, target from delivery_lanes where id in (
      select lane from deliveries
      where reminder_id = any(${obsolete.map(({ reminderId }) => reminderId)}::uuid[]) and status in ('pending', 'sending', 'bundled'))`;
}

/**
 * Cancels the deliveries of these reminders that were not sent yet, also inside digests, and marks those in a person's
 * list as read. One that is being sent at this moment is cancelled unless that attempt delivers it. Repeating it
 * changes nothing. The caller has locked their lanes, see `lanesOfObsolete`.
 */
export async function cancelDeliveries(tx: Tx, obsolete: readonly ObsoleteReminder[]): Promise<void> {
  if (obsolete.length === 0) return;
  const latest = [...new Map(obsolete.map((one) => [`${one.reminderId} ${one.userId}`, one])).values()];
  const ids = latest.map(({ reminderId }) => reminderId);
  const affected = tx`
    select reminder_id, user_id, coalesce(up_to, 9223372036854775807) as up_to, reason from unnest(
      ${ids}::uuid[], ${latest.map(({ userId }) => userId)}::uuid[], ${latest.map(({ upTo }) => upTo)}::bigint[],
      ${latest.map(({ reason }) => reason)}::text[]) as moot (reminder_id, user_id, up_to, reason)`;
  await tx`
    with moot as (${affected}), cancelled as (
      update deliveries
      set reason = moot.reason, status = case
        when status = 'pending' then 'cancelled'
        when status = 'bundled' and not exists (
          select from deliveries digest where digest.id = deliveries.digest_id and digest.status = 'sending') then 'cancelled'
        else status end
      from moot
      where deliveries.reminder_id = moot.reminder_id and deliveries.user_id = moot.user_id
        and coalesce(generation, 0) <= moot.up_to and status in ('pending', 'sending', 'bundled')
      returning lane
    )
    update delivery_lanes set next_at = least(next_at, clock_timestamp())
    where next_at is not null and id in (select lane from cancelled)`;
  await tx`
    with moot as (${affected})
    update deliveries set read_at = clock_timestamp()
    from moot
    where deliveries.reminder_id = moot.reminder_id and deliveries.user_id = moot.user_id
      and coalesce(generation, 0) <= moot.up_to and channel = 'in-app' and status = 'delivered' and read_at is null and digest_id is null`;
}
