import type { Admin, Assignment, PartitionOffset, TopicPartition } from "../../messages/broker.ts";
import type { Db, Tx } from "../../postgres/db.ts";
import { databaseChange } from "../../postgres/database-change.ts";
import type { GroupName } from "../../messages/topics.ts";
import { findLost } from "./find-lost.ts";
import { shareGroup } from "../group-epoch.ts";
import { partitionName } from "../member/partition-name.ts";

type Partition = Assignment["partitions"][number];

/** What a group's commits come to, held against the database. */
export type PositionComparison = Readonly<{
  /** The life of the server that was asked. */
  life: string;
  /**
   * Where the group has to go on instead: the database lost effects that were committed, or the topic is another one.
   * Where retention has deleted what would have to be read again, the partition will stand there.
   */
  behind: readonly PartitionOffset[];
  /** By partition: records below this offset were committed once; one that is new in the inbox was lost. */
  doubted: ReadonlyMap<string, bigint>;
  /** Of topics that were deleted and made again since their positions were stored: these are read from their start. */
  remade: readonly TopicPartition[];
}>;

export type Positions = Readonly<{
  /** Holds the commits of an assignment against the database, in one transaction. Rejects when the group was reset. */
  compare: (partitions: readonly Partition[]) => Promise<PositionComparison>;
  /**
   * Puts on record that everything below these offsets has its fate in the database of this life. Positions only rise.
   * Rejects with DATABASE_CHANGED, nothing written, when the server lives another life.
   */
  store: (life: string, offsets: readonly PartitionOffset[]) => Promise<void>;
  /** The life of the server that answers now. */
  life: () => Promise<string>;
}>;

/**
 * The group's positions in Postgres. Each is stored before it is committed to Kafka, so a commit is above its position
 * only if the database went back in time: restored, or failed over to a replica that was behind. A position is right
 * whatever was lost, because it was written after the effects below it. Where there is none:
 * - of a whole topic: the group goes on at its commits, as after an update from a build that stored no positions; but
 *   from the start if the last committed record is of a change the database has lost, as after a restore to before the
 *   group's first start;
 * - of a partition whose topic has some: it was added later than this database, and is read from its start.
 *
 * A position counts for the topic with the id it was stored with: a topic deleted and made again has another id.
 */
export function makePositions(
  of: Readonly<{
    db: Pick<Db, "sql" | "transaction">;
    admin: Pick<Admin, "committed" | "offsets" | "read">;
    group: GroupName;
    epoch: number;
  }>,
): Positions {
  const { db, admin, group, epoch } = of;
  const begin = async (tx: Tx, unknown: readonly Partition[], life: string) => {
    const topics = await unknownTopics(tx, group, unknown);
    const isAll = ({ topic }: TopicPartition) => topics.has(topic);
    // Of all its partitions at once, also those of other members: one without a position is an added one from then on.
    const commits = topics.size === 0 ? [] : (await admin.committed(group)).filter(isAll);
    const logs = await startsOf(commits);
    const adopted = (await hasLost(tx, commits, logs, life))
      ? logs
      : [...commits, ...unknown.filter(isAll).map(commitOf)];
    const starts = unknown.map(({ topic, partition, start }) => ({ topic, partition, offset: start }));
    await beginAt(tx, group, [...adopted, ...starts]);
  };
  const startsOf = async (commits: readonly PartitionOffset[]): Promise<readonly PartitionOffset[]> => {
    const topics = [...new Set(commits.map(({ topic }) => topic))];
    const starts = await Promise.all(
      topics.map(async (topic) => [topic, await admin.offsets(topic, "start")] as const),
    );
    return starts.flatMap(([topic, of]) => [...of].map(([partition, offset]) => ({ topic, partition, offset })));
  };
  /**
   * Whether the last record before a commit tells of a change that this database has lost: then it is older than its
   * group's first positions, and the commits stand for effects it may not have.
   */
  const hasLost = async (
    tx: Tx,
    commits: readonly PartitionOffset[],
    starts: readonly PartitionOffset[],
    life: string,
  ): Promise<boolean> => {
    const isThere = ({ topic, partition, offset }: PartitionOffset) =>
      starts.some((log) => log.topic === topic && log.partition === partition && log.offset < offset);
    for (const [topic, own] of Map.groupBy(commits.filter(isThere), (commit) => commit.topic)) {
      const before = new Map(own.map(({ partition, offset }) => [partition, offset - 1n]));
      const records = await admin.read(topic, before);
      const handled = records.filter(({ partition, offset }) => offset === before.get(partition));
      if ((await findLost(tx, handled, life)).size > 0) return true;
    }
    return false;
  };
  return {
    compare: (partitions) =>
      db.transaction(async (tx) => {
        await shareGroup(tx, group, epoch);
        const [now] = await tx<{ life: string }[]>`select server_life() as life`;
        const known = await readStored(tx, group, partitions);
        const unknown = partitions.filter((at) => !known.has(partitionName(at)));
        if (unknown.length > 0) await begin(tx, unknown, now?.life ?? "");
        const stored = unknown.length > 0 ? await readStored(tx, group, partitions) : known;
        const nextOf = (at: Partition) => stored.get(partitionName(at))?.next ?? at.committed;
        const isRemade = (at: Partition) => {
          const topicId = stored.get(partitionName(at))?.topicId ?? null;
          return topicId !== null && at.topicId !== undefined && topicId !== at.topicId;
        };
        const remade = partitions.filter(isRemade).map((at) => ({ ...at, next: at.start }));
        // An older build kept no ids: beyond the end, a position is of an earlier topic of this name.
        const unnamed = partitions.filter(
          (at) => stored.get(partitionName(at))?.topicId === null && nextOf(at) > at.end,
        );
        await setPositions(tx, group, [...remade.map((at) => ({ ...at, offset: at.next })), ...unnamed.map(commitOf)]);
        const newlyNamed = partitions.filter((at) => stored.get(partitionName(at))?.topicId !== at.topicId);
        await nameTopics(tx, group, newlyNamed);
        const ahead = partitions
          .filter((at) => !isRemade(at))
          .map((at) => ({ ...at, next: nextOf(at) }))
          .filter(({ next, committed }) => next < committed);
        await doubt(tx, group, ahead);
        const again = remade.filter((at) => at.start < at.committed);
        const doubted = partitions.flatMap((at) => {
          const below = stored.get(partitionName(at))?.doubted;
          return below === undefined || below === null ? [] : [[partitionName(at), below] as const];
        });
        return {
          life: now?.life ?? "",
          behind: [...ahead, ...again].map(({ topic, partition, next }) => ({ topic, partition, offset: next })),
          doubted: new Map(doubted),
          remade: remade.map(({ topic, partition }) => ({ topic, partition })),
        };
      }),
    store: async (life, offsets) => {
      if (offsets.length === 0) return;
      const { topics, partitions, nexts } = columnsOf(offsets.map((at) => ({ ...at, next: at.offset })));
      const rows = await db.sql`
        insert into consumer_positions as known (group_name, topic, partition, next_offset)
        select ${group}, topic, partition, next
        from unnest(${topics}::text[], ${partitions}::int[], ${nexts}::bigint[]) as due(topic, partition, next)
        where server_life() = ${life}
          and exists (select from consumer_groups where name = ${group} and epoch = ${epoch})
        order by topic, partition
        on conflict (group_name, topic, partition) do update set
          next_offset = greatest(known.next_offset, excluded.next_offset),
          doubted_below = nullif(greatest(known.doubted_below, excluded.next_offset), excluded.next_offset),
          stored_at = clock_timestamp()
        returning 1`;
      if (rows.length === 0) throw databaseChange();
    },
    life: async () => {
      const [now] = await db.sql<{ life: string }[]>`select server_life() as life`;
      return now?.life ?? "";
    },
  };
}

/** Sets positions, wherever they were: for a group that begins there, in whatever topic has this name then. */
export async function setPositions(tx: Tx, group: GroupName, offsets: readonly PartitionOffset[]): Promise<void> {
  if (offsets.length === 0) return;
  const { topics, partitions, nexts } = columnsOf(offsets.map((at) => ({ ...at, next: at.offset })));
  await tx`
    insert into consumer_positions (group_name, topic, partition, next_offset)
    select ${group}, topic, partition, next
    from unnest(${topics}::text[], ${partitions}::int[], ${nexts}::bigint[]) as due(topic, partition, next)
    order by topic, partition
    on conflict (group_name, topic, partition) do update set
      next_offset = excluded.next_offset, doubted_below = null, topic_id = null, stored_at = clock_timestamp()`;
}

async function nameTopics(tx: Tx, group: GroupName, partitions: readonly Partition[]): Promise<void> {
  const at = partitions.flatMap(({ topicId, ...one }) => (topicId === undefined ? [] : [{ ...one, topicId }]));
  // A group where nothing is new joins while the database takes no writes.
  if (at.length === 0) return;
  await tx`
    update consumer_positions as known set topic_id = mine.id
    from unnest(
      ${at.map(({ topic }) => topic)}::text[], ${at.map(({ partition }) => partition)}::int[], ${at.map(({ topicId }) => topicId)}::text[]
    ) as mine(topic, partition, id)
    where group_name = ${group} and known.topic = mine.topic and known.partition = mine.partition`;
}

function commitOf({ topic, partition, committed }: Partition): PartitionOffset {
  return { topic, partition, offset: committed };
}

/** Sets the positions of partitions that have none; of a partition named twice the first counts. */
async function beginAt(tx: Tx, group: GroupName, offsets: readonly PartitionOffset[]): Promise<void> {
  if (offsets.length === 0) return;
  const { topics, partitions, nexts } = columnsOf(offsets.map((at) => ({ ...at, next: at.offset })));
  await tx`
    insert into consumer_positions (group_name, topic, partition, next_offset)
    select distinct on (topic, partition) ${group}, topic, partition, next
    from unnest(${topics}::text[], ${partitions}::int[], ${nexts}::bigint[])
      with ordinality as due(topic, partition, next, place)
    order by topic, partition, place
    on conflict do nothing`;
}

async function unknownTopics(tx: Tx, group: GroupName, at: readonly Partition[]): Promise<ReadonlySet<string>> {
  const rows = await tx<{ topic: string }[]>`
    select topic from unnest(${[...new Set(at.map(({ topic }) => topic))]}::text[]) as mine(topic)
    where not exists (select from consumer_positions as known where group_name = ${group} and known.topic = mine.topic)`;
  return new Set(rows.map(({ topic }) => topic));
}

type StoredPosition = Readonly<{ next: bigint; doubted: bigint | null; topicId: string | null }>;

async function readStored(
  tx: Tx,
  group: GroupName,
  at: readonly Partition[],
): Promise<ReadonlyMap<string, StoredPosition>> {
  const { topics, partitions } = columnsOf(at.map((one) => ({ ...one, next: 0n })));
  const rows = await tx<
    { topic: string; partition: number; next: string; doubted: string | null; topicId: string | null }[]
  >`
    select topic, partition, next_offset::text as next, doubted_below::text as doubted, topic_id as "topicId"
    from consumer_positions join unnest(${topics}::text[], ${partitions}::int[]) as mine(topic, partition)
      using (topic, partition)
    where group_name = ${group}`;
  return new Map(
    rows.map((row) => [
      partitionName(row),
      {
        next: BigInt(row.next),
        doubted: row.doubted === null ? null : BigInt(row.doubted),
        topicId: row.topicId,
      },
    ]),
  );
}

async function doubt(tx: Tx, group: GroupName, ahead: readonly Partition[]): Promise<void> {
  if (ahead.length === 0) return;
  const { topics, partitions, nexts } = columnsOf(ahead.map((at) => ({ ...at, next: at.committed })));
  await tx`
    update consumer_positions as known set doubted_below = greatest(known.doubted_below, below)
    from unnest(${topics}::text[], ${partitions}::int[], ${nexts}::bigint[]) as due(topic, partition, below)
    where group_name = ${group} and known.topic = due.topic and known.partition = due.partition`;
}

function columnsOf(rows: readonly Readonly<{ topic: string; partition: number; next: bigint }>[]) {
  return {
    topics: rows.map(({ topic }) => topic),
    partitions: rows.map(({ partition }) => partition),
    nexts: rows.map(({ next }) => String(next)),
  };
}
