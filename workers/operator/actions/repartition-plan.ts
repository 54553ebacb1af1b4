import type { Admin } from "../../../shared/messages/broker.ts";
import { readTopicLayouts } from "../../../shared/outbox/topic-layouts.ts";
import type { Sql } from "../../../shared/postgres/db.ts";
import { Problem } from "../../../shared/problem.ts";
import { pause } from "../../../shared/waiting/wait.ts";
import { topicsWithEpoch } from "../stream-epoch.ts";
import { groupsOf, readPlaces } from "../topic-drain.ts";

export type RepartitionPlan = Readonly<{
  topic: string;
  from: number;
  to: number;
  /** What is written to it now, and what of it waits in the outbox. */
  writtenPerSecond: number;
  waiting: number;
  groups: readonly Readonly<{
    group: string;
    members: number;
    lag: number;
    /** What it handled while it was looked at. */
    perSecond: number;
    /** How long it takes to handle what it has not, at that pace; null where it handled nothing. */
    drainSeconds: number | null;
  }>[];
  relays: number;
  /** Keys of the topic that wait behind a failure: their messages are in Postgres, by key, and stay there. */
  parkedKeys: number;
  /** Whether clients' positions in the topic end, so that they read their lists again. */
  newEpoch: boolean;
  /** For how long nothing of the topic will be published; null where a group handles nothing of what it has. */
  expectedPauseSeconds: number | null;
  /** Why it will not be begun; none where it may. */
  refusals: readonly string[];
}>;

export const maxPartitions = 1000;
/** Relays take their leases anew, groups commit, the broker makes the partitions and relays hear of them. */
const handoverSeconds = 1;
const commitSeconds = 1;
const growSeconds = 1;

type RepartitionPlanDeps = Readonly<{ sql: Sql; admin: Pick<Admin, "topics" | "offsets" | "committed" | "groups"> }>;

/** What giving a topic more partitions would mean now. Looks at the groups for `sampleMs`, to see how fast they are. */
export async function planRepartition(
  { sql, admin }: RepartitionPlanDeps,
  { topic, to }: Readonly<{ topic: string; to: number }>,
  sampleMs = 2_500,
): Promise<RepartitionPlan> {
  const found = (await admin.topics()).find(({ name }) => name === topic);
  if (found === undefined) throw new Problem("NOT_FOUND", `there is no topic "${topic}"`);
  const before = await readPlaces(admin, topic);
  const startedAt = performance.now();
  await pause(sampleMs);
  const after = await readPlaces(admin, topic);
  const seconds = (performance.now() - startedAt) / 1000;
  const members = await admin.groups();
  const facts = await readFacts(sql, topic);
  const layout = (await readTopicLayouts(sql)).find((one) => one.topic === topic);

  const groups = after.groups.map(({ group, lag, committed }) => {
    const earlier = before.groups.find((one) => one.group === group)?.committed ?? committed;
    const perSecond = Math.max(0, Number(committed - earlier) / seconds);
    const drainSeconds = lag === 0 ? 0 : perSecond === 0 ? null : lag / perSecond;
    return {
      group,
      members: members.find(({ name }) => name === group)?.members ?? 0,
      lag,
      perSecond: round(perSecond),
      drainSeconds: drainSeconds === null ? null : round(drainSeconds),
    };
  });
  const drains = groups.map(({ drainSeconds }) => drainSeconds);
  const drain = drains.reduce((longest, one) => (longest === null || one === null ? null : Math.max(longest, one)), 0);
  const from = found.partitions;
  return {
    topic,
    from,
    to,
    writtenPerSecond: round(Number(after.end - before.end) / seconds),
    waiting: facts.waiting,
    groups,
    relays: facts.relays,
    parkedKeys: facts.parkedKeys,
    newEpoch: topicsWithEpoch.has(topic),
    expectedPauseSeconds: drain === null ? null : round(handoverSeconds + drain + commitSeconds + growSeconds),
    refusals: [
      ...refuseNumber({ from, to, recorded: layout?.partitions ?? null }),
      ...groups.flatMap(({ group, members: some, lag }) => {
        const paused = facts.paused.includes(group);
        if (lag === 0 || (some > 0 && !paused)) return [];
        return [`${group} has not handled ${lag} messages and ${paused ? "is paused" : "has no members"}`];
      }),
      ...(facts.running === null ? [] : [`the repartition ${facts.running} is not over: resume or abort it`]),
      ...(facts.oldRelays === 0
        ? []
        : [`${facts.oldRelays} relays of an earlier build run, which would not wait: replace them first`]),
    ],
  };
}

/**
 * A multiple alone: then a key stays where it was or goes to a new partition, never to one that had other keys'
 * messages before. So (partition, offset) still orders a key's messages, as redrives take them.
 */
function refuseNumber({
  from,
  to,
  recorded,
}: Readonly<{ from: number; to: number; recorded: number | null }>): readonly string[] {
  // Somebody else added partitions: the same steps put every producer and reader right.
  if (to === from && recorded !== from) return [];
  if (to === from) return [`it has ${from} partitions`];
  if (to < from) return [`it has ${from} partitions, and partitions cannot be taken away`];
  if (to > maxPartitions) return [`at most ${maxPartitions} partitions`];
  if (to % from !== 0) return [`${to} is no multiple of ${from}: keys would move among the partitions there are`];
  return [];
}

type Facts = Readonly<{
  waiting: number;
  relays: number;
  oldRelays: number;
  parkedKeys: number;
  paused: readonly string[];
  running: string | null;
}>;

async function readFacts(sql: Sql, topic: string): Promise<Facts> {
  const groups = groupsOf(topic);
  const [facts] = await sql<Facts[]>`
    select
      (select count(*)::int from outbox where topic = ${topic} and published_at is null) as waiting,
      (select count(*)::int from outbox_relays where seen_at > clock_timestamp() - interval '4 s') as relays,
      (select count(*)::int from outbox_relays where seen_at > clock_timestamp() - interval '4 s' and not obeys_layouts) as "oldRelays",
      (select count(*)::int from parked_keys k join consumer_groups g using (epoch)
        where k.topic = ${topic} and g.name = any(${[...groups]}::text[])) as "parkedKeys",
      (select coalesce(array_agg(group_name), '{}') from consumer_controls where paused and group_name = any(${[...groups]}::text[])) as paused,
      (select id from audit where action = 'topics repartition' and state = 'running') as running`;
  if (facts === undefined) throw new Error("the database did not answer");
  return facts;
}

const round = (value: number): number => Math.round(value * 10) / 10;
