import type { Tx } from "../../shared/postgres/db.ts";
import type { Preferences } from "../../shared/preferences/preferences.ts";
import type { ChannelName } from "./channel.ts";
import { quietUntil } from "./quiet-until.ts";

/** The operator's ways ring for nobody. */
export const ringing: ReadonlySet<ChannelName> = new Set(["in-app", "webhook", "email"]);

/** A lane whose next delivery is due. */
export type DueLane = Readonly<{ lane: string; userId: string }>;

/**
 * Puts off, to the end of quiet hours or a mute that its owner has now, what is to go by these lanes before: what was planned earlier,
 * waited behind others, is tried again or took the place of what failed. Not what is urgent, where that passes (a digest is when one
 * in it is), nor what somebody asked to have sent again. These lanes must be locked; they are looked at again at once. Resolves
 * with the ids of what was put off.
 */
export async function putOffQuiet(
  tx: Tx,
  due: readonly DueLane[],
  { channel, preferences }: Readonly<{ channel: ChannelName; preferences: ReadonlyMap<string, Preferences> }>,
): Promise<ReadonlySet<string>> {
  if (due.length === 0 || !ringing.has(channel)) return new Set();
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
