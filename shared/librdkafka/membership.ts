import type {
  KafkaConsumer,
  LibrdKafkaError,
  Message,
  TopicPartition,
  TopicPartitionOffset,
} from "@confluentinc/kafka-javascript";
import type { Admin, FetchedRecord, JoinOptions, Member } from "../messages/broker.ts";
import { keyOf } from "../kafka/fetched.ts";
import { announce, rebalanceTimeoutMs } from "../kafka/membership.ts";
import type { Naming } from "../kafka/naming.ts";
import { within } from "../kafka/within.ts";
import type { Log } from "../role/log.ts";
import { deadline } from "../waiting/wait.ts";
import { called, codes, eventCode, toError } from "./errors.ts";
import type { RdKafka } from "./load.ts";
import type { RdKafkaOptions } from "./settings.ts";
import type { TellStatistics } from "./statistics.ts";

/** At most this many records go to `onRecords` at once. */
const maxRecords = 500;
/** The client calls back only while it is asked for records: at least so often. */
const askEveryMs = 100;
/** When nobody has taken records for so long, the client stops fetching and goes on calling back. */
const holdAfterMs = 200;
const joinMs = 30_000;

type MemberParts = Readonly<{
  client: RdKafka;
  base: RdKafkaOptions;
  pace: Readonly<{ "fetch.wait.max.ms": number; "fetch.min.bytes": number }>;
  naming: Naming;
  admin: Pick<Admin, "committed" | "offsets" | "topicId">;
  log: Log;
  tellStatistics: TellStatistics;
}>;

/**
 * One member of a group: classic protocol, round-robin, eager, as the first driver's, so that members of both make one
 * group. The client does not tell the broker's generation; it is counted here, one more for each assignment, and
 * between two assignments no record is taken: so each has the one it was fetched in.
 */
export async function joinGroup(
  { client, base, pace, naming, admin, log, tellStatistics }: MemberParts,
  options: JoinOptions,
): Promise<Member> {
  let over = false;
  let generation = 0;
  /** What is assigned, by the broker's names; `null` from a rebalance until the next assignment. */
  let assigned: readonly TopicPartition[] | null = null;
  const first = Promise.withResolvers<void>();
  first.promise.catch(() => {});
  const fail = (error: Error) => {
    first.reject(error);
    if (over) return;
    over = true;
    options.onFailed(error);
  };
  const announced = announce(admin, options, fail);
  const commits = makeCommits();
  let asking: Promise<unknown> = Promise.resolve();

  const take = (partitions: readonly TopicPartition[]) => void acquire(partitions).catch(fail);
  const acquire = async (partitions: readonly TopicPartition[]) => {
    generation += 1;
    const mine = generation;
    // Records that are on their way are of the assignment before.
    await asking;
    if (mine !== generation) return;
    consumer.assign([...partitions]);
    assigned = partitions;
    first.resolve();
    if (over) return;
    void announced.joined(
      mine,
      partitions.map(({ topic, partition }) => ({ topic: naming.logical(topic) ?? topic, partition })),
    );
  };
  /** Of what is assigned, what is not fetched just now. */
  let paused: readonly TopicPartition[] | null = null;
  const unpause = () => {
    if (paused !== null) consumer.resume([...paused]);
    paused = null;
  };
  const giveBack = () => {
    generation += 1;
    assigned = null;
    announced.rebalancing();
    // A commit begun in here goes out before the partitions are given back.
    if (!over) options.onRebalancing();
    // A pause outlives an assignment: a partition that came back would stand still.
    unpause();
    consumer.unassign();
  };
  const rebalance = (error: LibrdKafkaError, partitions: TopicPartition[]) => {
    try {
      if (error.code === codes.assignPartitions) take(partitions);
      else if (error.code === codes.revokePartitions) giveBack();
      else fail(toError(error));
    } catch (cause) {
      // The client is closed meanwhile: its calls throw.
      if (!over) fail(cause instanceof Error ? cause : new Error(String(cause)));
    }
  };

  let wake = () => {};
  const consumer: KafkaConsumer = new client.KafkaConsumer(
    {
      ...base,
      ...pace,
      "group.id": naming.physical(options.group),
      "partition.assignment.strategy": "roundrobin",
      "enable.auto.commit": false,
      "enable.auto.offset.store": false,
      // The least that brokers take by default: the partitions of a killed member stand still for as long.
      "session.timeout.ms": 6_000,
      "heartbeat.interval.ms": 1_000,
      "max.poll.interval.ms": rebalanceTimeoutMs,
      "isolation.level": "read_committed",
      "fetch.max.bytes": 1 << 20,
      "message.max.bytes": 1 << 20,
      "max.partition.fetch.bytes": 256 << 10,
      // What waits in the client; what a rebalance finds there is fetched again by another.
      "queued.min.messages": 1_000,
      "queued.max.messages.kbytes": 4 << 10,
      rebalance_cb: rebalance,
      offset_commit_cb: commits.answered,
      ...({ queue_non_empty_cb: () => wake() } as object), // not in its types; its KafkaJS style is woken by it
    },
    { "auto.offset.reset": "earliest" },
  );
  consumer.setDefaultConsumeTimeout(0);
  consumer.on("event.error", (error) => {
    log.warn("kafka_consumer_error", { error: error.message, code: eventCode(error) });
    if (eventCode(error) === codes.fatal) fail(toError(error));
  });
  consumer.on("event.stats", tellStatistics);

  let stopped: Promise<void> | null = null;
  const leave = async () => {
    over = true;
    wake();
    await within(1_000, reading);
    await within(
      4_000,
      called((done) => consumer.disconnect(done)),
    );
  };

  /** Records that are there, of the generation they were fetched in. */
  const ask = async (): Promise<readonly FetchedRecord[]> => {
    const at = generation;
    const asked = called<Message[]>((done) => consumer.consume(maxRecords, done));
    asking = asked.catch(() => {});
    return (await asked).map((message) => toFetched(message, naming, at));
  };
  /** Until there may be something, or the client wants to be asked again. */
  const pause = (ms: number = askEveryMs) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => (clearTimeout(timer), resolve());
    });
  /** While `work` lasts the client is kept in its group, and told to fetch nothing more. */
  const hold = async (work: Promise<void>) => {
    let isDone = false;
    const done = work.finally(() => (isDone = true));
    done.catch(() => {});
    const began = performance.now();
    while (!isDone && !over) {
      // The answer to a commit stands in the queue behind records: they are taken along, until there are many.
      const isLate = performance.now() - began >= holdAfterMs || waiting.length >= maxRecords;
      if (isLate && assigned !== null && paused === null) {
        consumer.pause([...assigned]);
        paused = assigned;
      }
      if (isLate || commits.areAwaited()) waiting.push(...(await ask()));
      await Promise.race([done.catch(() => {}), pause(commits.areAwaited() ? 2 : askEveryMs)]);
    }
    if (!over) unpause();
    await done;
  };
  /** Taken from the client while the one before were still worked on. */
  const waiting: FetchedRecord[] = [];
  const read = async () => {
    try {
      while (!over) {
        const records = waiting.length > 0 ? waiting.splice(0) : await ask();
        if (records.length === 0) {
          await pause();
          continue;
        }
        const newest = records.at(-1)?.generation ?? 0;
        await hold(announced.told(newest).then(() => (over ? undefined : options.onRecords(records))));
      }
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    }
  };
  let reading: Promise<void> = Promise.resolve();
  try {
    await called((done) => consumer.connect({ timeout: 5_000 }, done));
    consumer.subscribe(options.topics.map(naming.physical));
    reading = read();
    await deadline(joinMs, `joining the group ${options.group}`, first.promise);
  } catch (error) {
    await leave();
    throw error;
  }
  log.debug("group_joined", { group: options.group });
  return {
    commit: (offsets) => {
      const wanted = offsets.map(({ topic, partition, offset, leaderEpoch = -1 }) => ({
        topic: naming.physical(topic),
        partition,
        offset: Number(offset),
        leaderEpoch,
      }));
      const answer = commits.awaited(wanted);
      consumer.commit(wanted);
      wake();
      return deadline(rebalanceTimeoutMs, "committing offsets", answer);
    },
    isActive: () => !over && assigned !== null,
    [Symbol.asyncDispose]: () => (stopped ??= leave()),
  };
}

/**
 * Commits that wait for the broker's answer. The client tells of an answer in one place, by the offsets it is about;
 * its call with a callback calls back before the broker has taken anything.
 */
function makeCommits() {
  const waiting = new Map<string, PromiseWithResolvers<void>[]>();
  const nameOf = (offsets: readonly TopicPartitionOffset[]) =>
    offsets
      .map(({ topic, partition, offset }) => `${topic}/${partition}=${offset}`)
      .toSorted()
      .join();
  return {
    areAwaited: () => waiting.size > 0,
    awaited: (offsets: readonly TopicPartitionOffset[]): Promise<void> => {
      const one = Promise.withResolvers<void>();
      const name = nameOf(offsets);
      waiting.set(name, [...(waiting.get(name) ?? []), one]);
      return one.promise;
    },
    answered: (error: LibrdKafkaError | null | undefined, offsets: readonly TopicPartitionOffset[]): void => {
      const name = nameOf(offsets);
      const [first, ...others] = waiting.get(name) ?? [];
      if (others.length > 0) waiting.set(name, others);
      else waiting.delete(name);
      const failed = error ?? offsets.find((one) => one.error)?.error;
      if (failed) first?.reject(toError(failed));
      else first?.resolve();
    },
  };
}

function toFetched(message: Message, naming: Naming, generation: number): FetchedRecord {
  const { topic, partition, offset, timestamp = -1, key, value, headers = [], leaderEpoch } = message;
  return {
    topic: naming.logical(topic) ?? topic,
    partition,
    offset: BigInt(offset),
    timestamp,
    // Of a record it is bytes; what a producer may give is text too.
    ...keyOf(typeof key === "string" ? Buffer.from(key) : key),
    value,
    headers: headers.flatMap((header) =>
      Object.entries(header).map(
        ([name, content]) => [name, typeof content === "string" ? Buffer.from(content) : content] as const,
      ),
    ),
    generation,
    ...(leaderEpoch === undefined ? {} : { leaderEpoch }),
  };
}
