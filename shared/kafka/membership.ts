import { Consumer, type Message } from "@platformatic/kafka";
import type { Admin, Assignment, FetchedRecord, JoinOptions, Member } from "../messages/broker.ts";
import type { Log } from "../role/log.ts";
import type { KafkaAdministration } from "./administer.ts";
import { readCommitted } from "./aborted.ts";
import { gatherFetches } from "./gather-fetches.ts";
import { keyOf, toHeaders } from "./fetched.ts";
import { hasProtocolError } from "./kafka-error.ts";
import type { Naming } from "./naming.ts";
import type { ClientOptions } from "./settings.ts";
import { deadline, pause } from "../waiting/wait.ts";
import { within } from "./within.ts";

/** A commit unanswered for as long as the group waits for a member means this client is no part of it any more. */
export const rebalanceTimeoutMs = 15_000;

/**
 * A fetch of a topic with nothing new is answered after so long. For as long a partition taken over can go unread, as
 * the client asks nothing more of a broker that has not answered yet.
 */
const waitMs = 1_000;

/** At most this many records go to `onRecords` at once; one fetch may hold many more. */
const maxRecords = 500;

/**
 * One member of a group: a new client for every join, classic protocol and round-robin assignment (cooperative
 * assignment hangs, and Redpanda has no KIP-848). It commits only when told, and is never used again once it has
 * failed.
 */
export async function joinGroup(
  { gatherMs, ...base }: ClientOptions & Readonly<{ gatherMs: number | undefined }>,
  naming: Naming,
  admin: KafkaAdministration,
  ghosts: Ghosts,
  log: Log,
  options: JoinOptions,
): Promise<Member> {
  const consumer = new Consumer({
    ...base,
    groupId: naming.physical(options.group),
    groupProtocol: "classic",
    protocols: [{ name: "roundrobin", version: 1 }],
    autocommit: false,
    retries: 5,
    // The least that brokers take by default: the partitions of a killed member stand still for as long.
    sessionTimeout: 6_000,
    rebalanceTimeout: rebalanceTimeoutMs,
    heartbeatInterval: 1_000,
    maxWaitTime: waitMs,
    minBytes: 1,
    maxBytes: 1 << 20,
    maxBytesPerPartition: 256 << 10,
    highWaterMark: 64,
  });
  readCommitted(consumer);
  if (gatherMs !== undefined) gatherFetches(consumer, gatherMs);
  let over = false;
  const fail = (error: Error) => {
    if (over) return;
    over = true;
    options.onFailed(error);
  };
  const announced = announce(admin, options, fail);
  consumer.on("error", fail);
  // The client goes on with heartbeats that nobody takes; by then the group has given its partitions to others.
  consumer.on("consumer:heartbeat:error", ({ error }) => {
    if (error !== undefined && hasProtocolError(error, "GROUP_AUTHORIZATION_FAILED")) fail(error);
  });
  consumer.on("consumer:group:rebalance", () => {
    announced.rebalancing();
    if (!over) options.onRebalancing();
  });
  consumer.on("consumer:group:join", ({ generationId = 0, assignments = [] }) => {
    if (over) return;
    void announced.joined(
      generationId,
      assignments.flatMap(({ topic, partitions }) =>
        partitions.map((partition) => ({ topic: naming.logical(topic) ?? topic, partition })),
      ),
    );
  });

  let joined = false;
  void exorcise(ghosts, admin, options.group, () => over || joined);
  const leave = async () => {
    over = true;
    if (consumer.memberId !== null) ghosts.add({ group: options.group, memberId: consumer.memberId });
    // Never destroy the stream while it is read: a commit waiting for a rejoin would stay unsettled for ever.
    if (stream !== undefined) await within(2_000, stream.close());
    await within(3_000, consumer.close(true));
  };
  let stream: Awaited<ReturnType<typeof consumer.consume>> | undefined;
  try {
    stream = await consumer.consume({
      topics: options.topics.map(naming.physical),
      mode: "committed",
      fallbackMode: "earliest",
    });
  } catch (error) {
    await leave();
    throw error;
  }
  joined = true;
  const live = stream;
  live.on("error", fail);
  live.on("close", () => fail(new Error("the stream of records ended")));

  let reading = false;
  const read = async () => {
    if (reading) return;
    reading = true;
    try {
      for (let records = take(live, naming); records.length > 0; records = take(live, naming)) {
        // At a stop what is left is dropped, not left unread: closing waits for an empty buffer.
        if (over) continue;
        const newest = records.at(-1)?.generation ?? 0;
        await announced.told(newest);
        if (!over) await options.onRecords(records);
      }
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    } finally {
      reading = false;
    }
  };
  live.on("readable", () => void read());

  log.debug("group_joined", { group: options.group });
  return {
    commit: (offsets) =>
      deadline(
        rebalanceTimeoutMs,
        "committing offsets",
        consumer.commit({
          offsets: offsets.map(({ topic, partition, offset, leaderEpoch = -1 }) => ({
            topic: naming.physical(topic),
            partition,
            offset,
            leaderEpoch,
          })),
        }),
      ),
    isActive: () => !over && consumer.isActive(),
    [Symbol.asyncDispose]: leave,
  };
}

/** Members of this process that may not have been able to say goodbye. */
export type Ghosts = Set<Readonly<{ group: string; memberId: string }>>;

/**
 * After an outage of the broker the group still counts the old client in and waits out its session, 6 s in which none
 * of its partitions is read. So it is taken out as soon as the broker answers, while the new client joins. Most have
 * left properly: then the broker says so, and all is well too.
 */
async function exorcise(
  ghosts: Ghosts,
  admin: KafkaAdministration,
  group: string,
  isOver: () => boolean,
): Promise<void> {
  for (const ghost of [...ghosts].filter((one) => one.group === group))
    while (!isOver() && ghosts.has(ghost))
      try {
        await admin.removeMember(group, ghost.memberId);
        ghosts.delete(ghost);
      } catch (error) {
        if (hasProtocolError(error, "UNKNOWN_MEMBER_ID") || hasProtocolError(error, "GROUP_ID_NOT_FOUND"))
          ghosts.delete(ghost);
        else await pause(200);
      }
}

/**
 * Tells of an assignment once its committed offsets and the bounds of its logs are known: of the newest generation, and
 * only if no rebalance has begun meanwhile. Told then, it would end the pause of the rebalance, and lanes and commits
 * would run during it.
 */
export function announce(
  admin: Pick<Admin, "committed" | "offsets" | "topicId">,
  options: Pick<JoinOptions, "group" | "onAssigned">,
  fail: (error: Error) => void,
) {
  let newest = 0;
  /** Rebalances seen so far. An assignment that one of them has ended is told to nobody. */
  let rebalances = 0;
  let toldOf = 0;
  let waiting: (() => void)[] = [];
  return {
    joined: async (generation: number, owned: readonly { topic: string; partition: number }[]) => {
      newest = generation;
      const at = rebalances;
      try {
        const partitions = await bounds(admin, options.group, owned);
        if (generation !== newest || at !== rebalances) return;
        options.onAssigned({ generation, partitions });
        toldOf = generation;
        for (const go of waiting) go();
        waiting = [];
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)));
        for (const go of waiting) go();
      }
    },
    rebalancing: () => {
      rebalances += 1;
    },
    /** Settles once the assignment of this generation, or of a later one, has been told. */
    told: async (generation: number) => {
      if (generation > toldOf) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}

async function bounds(
  admin: Pick<Admin, "committed" | "offsets" | "topicId">,
  group: string,
  owned: readonly { topic: string; partition: number }[],
): Promise<Assignment["partitions"]> {
  if (owned.length === 0) return [];
  const topics = [...new Set(owned.map(({ topic }) => topic))];
  const commits = await admin.committed(group);
  const logs = new Map(
    await Promise.all(
      topics.map(
        async (topic) =>
          [
            topic,
            {
              topicId: await admin.topicId(topic),
              start: await admin.offsets(topic, "start"),
              end: await admin.offsets(topic, "end"),
            },
          ] as const,
      ),
    ),
  );
  return owned.map(({ topic, partition }) => {
    const start = logs.get(topic)?.start.get(partition) ?? 0n;
    const end = logs.get(topic)?.end.get(partition) ?? 0n;
    const commit = commits.find((one) => one.topic === topic && one.partition === partition);
    const { offset: committed, ...epoch } = { offset: start, ...commit, topic, partition };
    const topicId = logs.get(topic)?.topicId;
    return { ...epoch, committed, start, end, ...(topicId === undefined ? {} : { topicId }) };
  });
}

function take(stream: { read: () => unknown }, naming: Naming): FetchedRecord[] {
  const records: FetchedRecord[] = [];
  while (records.length < maxRecords) {
    // The stream is in object mode: `read` gives one message, or null when its buffer is empty.
    const message = stream.read() as Message | null;
    if (message === null) break;
    records.push({
      topic: naming.logical(message.topic) ?? message.topic,
      partition: message.partition,
      offset: message.offset,
      timestamp: Number(message.timestamp),
      ...keyOf(message.key),
      value: message.value ?? null,
      headers: toHeaders(message.headerEntries),
      generation: generationOf(message),
      leaderEpoch: message.leaderEpoch,
    });
  }
  return records;
}

/**
 * The generation the record was put into the buffer in. Without it stale records could not be told apart, so it must be
 * there.
 */
function generationOf({ metadata: { consumer } }: Message): number {
  if (typeof consumer === "object" && consumer !== null && "generationId" in consumer)
    if (typeof consumer.generationId === "number") return consumer.generationId;
  throw new Error("the client no longer says in which generation a record was fetched");
}
