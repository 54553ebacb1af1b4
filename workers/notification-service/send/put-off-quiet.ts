import type { Tx } from "../../../shared/postgres/db.ts";
import type { Preferences } from "../../../shared/preferences/preferences.ts";
import { channels, type ChannelName } from "../channels/channels.ts";
import { quietUntil } from "../plan/quiet-until.ts";

/** A lane whose next delivery is due. */
export type DueLane = Readonly<{ lane: string; userId: string }>;

/**
 * Postpones every delivery of these lanes that would be sent during its owner's current quiet hours or mute to the end
 * of those, retries and fallbacks included. Exceptions: urgent ones if the owner lets them pass (a digest is urgent if
 * one in it is), and ones somebody asked to have sent again. The caller has locked the lanes. Resolves with the ids of
 * the postponed deliveries.
 */
export async function putOffQuiet(
  tx: Tx,
  due: readonly DueLane[],
  { channel, preferences }: Readonly<{ channel: ChannelName; preferences: ReadonlyMap<string, Preferences> }>,
): Promise<ReadonlySet<string>> {
  if (due.length === 0 || !channels[channel].rings) return new Set();
  const [clock] = await tx<{ now: Date }[]>`select clock_timestamp() as now`;
  const quiet = due.flatMap(({ lane, userId }) => {
    const wishes = preferences.get(userId);
    const until = wishes && clock ? quietUntil(wishes, clock.now) : null;
    return until === null || !wishes ? [] : [{ lane, until: until.toISOString(), urgentPasses: wishes.urgent_passes }];
  });
  if (quiet.length === 0) return new Set();
  const moved = await tx<{ id: string }[]>`
    with quiet as (
      select * from unnest(${quiet.map(({ lane }) => lane)}::uuid[], ${quiet.map(({ until }) => until)}::timestamptz[],
        ${quiet.map(({ urgentPasses }) => String(urgentPasses))}::text[]) as quiet (lane, until, urgent_passes)
    ), moved as (
      update deliveries set due_at = quiet.until, bundle = 'quiet'
      from quiet
      where deliveries.lane = quiet.lane and status = 'pending' and due_at < quiet.until and resent_at is null
        and not (quiet.urgent_passes = 'true' and (coalesce(priority, '') = 'High' or kind = 'digest' and exists (
          select from deliveries member
          where member.digest_id = deliveries.id and member.status = 'bundled' and member.priority = 'High')))
      returning deliveries.id, deliveries.lane
    ), looked as (
      update delivery_lanes set next_at = least(next_at, clock_timestamp()) where id in (select lane from moved)
    )
    select id from moved`;
  return new Set(moved.map(({ id }) => id));
}
