import type { TopicPartition } from "../../../shared/messages/broker.ts";
import { inboxEntryOf } from "../../../shared/consume/dead-letters/dead-letter.ts";
import { partitionName } from "../../../shared/consume/member/partition-name.ts";
import { resetGroup } from "../../../shared/consume/reset-group.ts";
import type { TopicName } from "../../../shared/messages/topics.ts";
import { group, type ConsumerWorld } from "../consumer-world.ts";
import type { Misbehaviour } from "../fake-broker.ts";
import { until } from "../until.ts";

/** What the group of a run reads. */
export const topics = ["task-events", "reminders"] as const satisfies readonly TopicName[];

export async function epochOf(world: ConsumerWorld): Promise<number> {
  const [row] = await world.db.sql<{ epoch: number }[]>`select epoch from consumer_groups where name = ${group}`;
  return row?.epoch ?? 0;
}

export async function waitingKeys(world: ConsumerWorld): Promise<number> {
  const [row] = await world.db.sql<{ n: number }[]>`select count(*)::int as n from parked_keys`;
  return row?.n ?? 0;
}

/**
 * Whether the database knows the group to be at the end of every log: one that has gone back is behind the group's
 * commits.
 */
export async function isStored(
  { db, broker }: ConsumerWorld,
  excused: (at: TopicPartition) => boolean,
): Promise<boolean> {
  const rows = await db.sql<{ topic: string; partition: number; next: string }[]>`
    select topic, partition, next_offset::text as next from consumer_positions where group_name = ${group}`;
  const stored = new Map(rows.map((row) => [partitionName(row), BigInt(row.next)]));
  for (const topic of topics)
    for (const [partition, end] of await broker.admin.offsets(topic, "end")) {
      const at = { topic, partition };
      if ((stored.get(partitionName(at)) ?? 0n) !== end && !excused(at)) return false;
    }
  return true;
}

/**
 * Whether every partition has been assigned once: before, a group has nothing to lose, and begins where its logs do.
 */
export async function hasBegun({ db, broker }: ConsumerWorld): Promise<boolean> {
  const [row] = await db.sql<{ n: number }[]>`
    select count(*)::int as n from consumer_positions where group_name = ${group}`;
  const ends = await Promise.all(topics.map((topic) => broker.admin.offsets(topic, "end")));
  return row?.n === ends.reduce((sum, { size }) => sum + size, 0);
}

/** A commit the broker took before does not come out any more, until `resume`. */
export async function holdLateCommits({ fake }: ConsumerWorld, misbehaviour: Partial<Misbehaviour>) {
  fake?.misbehave({ lateCommits: 0 });
  await Bun.sleep(15); // the longest a late commit takes
  return { resume: () => fake?.misbehave({ lateCommits: misbehaviour.lateCommits ?? 0 }) };
}

/** A reset while former members still work on what they have. */
export async function beginAnew(world: ConsumerWorld, misbehaviour: Partial<Misbehaviour>): Promise<void> {
  const late = await holdLateCommits(world, misbehaviour);
  const to = await startsOf(world);
  await until("the group is begun anew", async () => {
    world.fake?.loseAll(group);
    return resetGroup(world.db, world.broker.admin, { group, to }).catch(() => null);
  });
  late.resume();
}

async function startsOf(world: ConsumerWorld) {
  const starts = await Promise.all(
    topics.map(async (topic) =>
      [...(await world.broker.admin.offsets(topic, "start"))].map(([partition, offset]) => ({
        topic,
        partition,
        offset,
      })),
    ),
  );
  return starts.flat();
}

/** The partition a message lies in, by message id. */
export async function placesOf({ broker, fake }: ConsumerWorld): Promise<ReadonlyMap<string, string>> {
  const places = new Map<string, string>();
  for (const topic of topics)
    for (const partition of (await broker.admin.offsets(topic, "end")).keys())
      for (const record of fake?.recordsOf({ topic, partition }) ?? [])
        places.set(inboxEntryOf(record).id, partitionName(record));
  return places;
}
