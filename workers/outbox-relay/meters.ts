import type { Metrics } from "../../shared/role/metrics.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { topicNames } from "../../shared/messages/topics.ts";
import { shardCount } from "../../shared/outbox/outbox.ts";
import type { ClaimedMessage } from "./claim.ts";

export type RelayMeters = Readonly<{
  published: (rows: readonly ClaimedMessage[]) => void;
  refused: (row: ClaimedMessage) => void;
  /** So many lines have more waiting than they may send. */
  crowded: (lines: number) => void;
  failed: (step: "claim" | "send" | "watch") => void;
  /** Messages were found that no notification told of. */
  untold: () => void;
  /** Looks at the whole outbox, whoever publishes it. */
  watch: (db: Db) => Promise<void>;
}>;

export function makeMeters(metrics: Metrics, shardsHeld: () => number): RelayMeters {
  const published = metrics.counter("outbox_published_total", "Messages the broker has acknowledged", ["topic"]);
  const refused = metrics.counter("outbox_refused_total", "Messages the broker will never take", ["topic"]);
  const untold = metrics.counter("poll_found_untold_total", "Looks that found what nobody had told of", ["loop"]);
  untold.inc({ loop: "outbox" }, 0);
  const errors = metrics.counter("outbox_relay_errors_total", "Failed steps of the relay, each retried", ["step"]);
  const records = metrics.histogram(
    "outbox_send_records",
    "Records per send",
    [],
    [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000],
  );
  const oldest = metrics.gauge(
    "outbox_oldest_unpublished_seconds",
    "Age of the oldest message that waits, holds included; 0 when none does",
  );
  const held = metrics.gauge("outbox_held_keys", "Keys that wait for an operator");
  const crowded = metrics.gauge(
    "outbox_crowded_lines",
    "Users' topics with more messages waiting than may be sent at once",
  );
  const shards = metrics.gauge("outbox_leases_held", "Shards this relay publishes");
  // A series that begins at 1 shows no increase: the first refusal would raise no alert.
  for (const topic of topicNames) for (const counter of [published, refused]) counter.inc({ topic }, 0);
  for (const step of ["claim", "send", "watch"]) errors.inc({ step }, 0);
  return {
    published: (rows) => {
      records.observe(rows.length);
      for (const [topic, of] of Map.groupBy(rows, (row) => row.topic)) published.inc({ topic }, of.length);
    },
    untold: () => untold.inc({ loop: "outbox" }),
    crowded: (lines) => crowded.set(lines),
    refused: ({ topic }) => refused.inc({ topic }),
    failed: (step) => errors.inc({ step }),
    watch: async (db) => {
      const [row] = await db.sql<{ oldest: number; held: number }[]>`
        select coalesce(extract(epoch from clock_timestamp() - min(first.created_at)), 0)::float8 as oldest,
          (select count(*)::int from outbox_holds) as held
        from generate_series(${-shardCount}::int, ${shardCount - 1}::int) as s(shard)
        cross join lateral (
          select created_at from outbox where outbox.shard = s.shard and published_at is null order by id limit 1
        ) first`;
      oldest.set(row?.oldest ?? 0);
      held.set(row?.held ?? 0);
      shards.set(shardsHeld());
    },
  };
}
