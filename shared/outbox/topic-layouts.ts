import type { Sql, Tx } from "../postgres/db.ts";

/** How the partitions of a topic were changed, and whether they are being changed now. */
export type TopicLayout = Readonly<{
  topic: string;
  /** As many as the last change left it with. */
  partitions: number;
  /** Counts the changes. */
  generation: number;
  /** The operation for which relays publish nothing of it. */
  held: Readonly<{ by: string; since: Date; seconds: number }> | null;
}>;

/** What is sent on the outbox's channel when a layout has changed. Relays look every 5 s besides. */
export const layoutsChanged = "layouts";

/** Topics whose partitions were never changed this way are missing. */
export async function readTopicLayouts(sql: Sql | Tx): Promise<readonly TopicLayout[]> {
  const rows = await sql<(Omit<TopicLayout, "held"> & { by: string | null; since: Date | null; seconds: number })[]>`
    select topic, partitions, generation::float8 as generation, held_by as by, held_since as since,
      coalesce(extract(epoch from clock_timestamp() - held_since), 0)::float8 as seconds
    from topic_layouts order by topic`;
  return rows.map(({ by, since, seconds, ...layout }) => ({
    ...layout,
    held: by === null || since === null ? null : { by, since, seconds },
  }));
}
