import type { Metrics } from "../../../shared/role/metrics.ts";
import type { Sql } from "../../../shared/postgres/db.ts";
import { channelsWith, type ChannelName } from "../channels/channels.ts";

const endpoints = [...channelsWith(({ hasBreaker }) => hasBreaker)];

/** Measures, for the gauges, what is a fact of the tables: every instance tells the same. */
export function makeMeasureDeliveries(sql: Sql, metrics: Metrics, channels: readonly ChannelName[]) {
  const overdue = metrics.gauge(
    "notification_overdue_seconds",
    "For how long the lane that waits longest for a sender has been due; 0 when none is.",
    ["channel"],
  );
  const failing = metrics.gauge("notification_endpoints", "People's webhooks nothing is sent to now, by why.", [
    "state",
  ]);
  return async (): Promise<void> => {
    const rows = await sql<{ channel: ChannelName; seconds: number }[]>`
      select channel, greatest(0, extract(epoch from clock_timestamp() - next_at))::float8 as seconds
      from unnest(${[...channels]}::text[]) as asked (channel)
      cross join lateral (
        select next_at from delivery_lanes where channel = asked.channel and next_at is not null order by next_at limit 1
      ) first`;
    const seconds = new Map(rows.map((row) => [row.channel, row.seconds]));
    for (const channel of channels) overdue.set({ channel }, seconds.get(channel) ?? 0);
    const [counts] = await sql<{ open: number; disabled: number }[]>`
      select count(*) filter (where disabled_at is null and open_until > clock_timestamp())::int as open,
        count(*) filter (where disabled_at is not null)::int as disabled
      from delivery_lanes where channel = any(${endpoints}::text[]) and (failures > 0 or disabled_at is not null)`;
    failing.set({ state: "open" }, counts?.open ?? 0);
    failing.set({ state: "disabled" }, counts?.disabled ?? 0);
  };
}
