import { Consumer } from "@platformatic/kafka";
import type { TailAnswer, TailOptions } from "../messages/broker.ts";
import type { Log } from "../role/log.ts";
import { fetchRequest } from "./fetch-request.ts";
import { readAnswer } from "./fetched.ts";
import { hasProtocolError } from "./kafka-error.ts";
import type { Naming } from "./naming.ts";
import type { Explain } from "./refused.ts";
import type { ClientOptions } from "./settings.ts";
import { orAborted, sleep } from "../waiting/wait.ts";
import { within } from "./within.ts";

/** How often a tail that grows looks for added partitions. */
const growEveryMs = 15_000;

/**
 * Reads partitions from given offsets with a client that never joins a group. One loop and one client per leader:
 * several fetches at once on one client were measured at 200 to 600 ms. A waiting fetch is woken as soon as a record is
 * there.
 */
export async function* tail(
  base: ClientOptions,
  naming: Naming,
  log: Log,
  { topic, from, grows = false, signal }: TailOptions,
  explain: Explain = (error) => error,
): AsyncGenerator<TailAnswer> {
  const next = new Map(from);
  const epochs = new Map<number, number>();
  let topicId: string | null = null;
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  const queue = handOver<TailAnswer>(ended);
  const physical = naming.physical(topic);

  /** Follows every partition until its leader moves or a fetch fails, then looks again who leads. */
  const follow = async () => {
    for (let failures = 0; !ended.aborted;) {
      await using client = openClient(base, log);
      try {
        if (grows) await grow(client.consumer);
        const leaders = await leadersOf(client.consumer, physical, [...next.keys()]);
        topicId ??= leaders.topicId;
        if (leaders.topicId !== topicId) throw notInLog(`${topic} was deleted and made anew`);
        const round = new AbortController();
        const over = AbortSignal.any([ended, round.signal]);
        if (grows) void growLater(client.consumer, over).then((grown) => grown && round.abort());
        const results = await Promise.allSettled(
          [...leaders.byNode].map(([node, partitions]) =>
            followLeader(node, partitions, leaders.topicId, over, () => (failures = 0)).finally(() => round.abort()),
          ),
        );
        const failed = results.find((result) => result.status === "rejected");
        if (failed !== undefined) throw failed.reason;
      } catch (error) {
        if (ended.aborted) return;
        if (isNotInLog(error)) throw error;
        if (hasProtocolError(error, outOfRange)) throw notInLog(`an offset of ${topic} is not in the log`, error);
        log.warn("tail_interrupted", { topic, failures, error: explain(error, "tail", { topics: [topic] }) });
        await sleep(Math.min(2_000, 50 * 2 ** failures++), ended);
      }
    }
  };

  /** Whether the topic has partitions that are not read yet; they are from now on. */
  const grow = async (consumer: Consumer): Promise<boolean> => {
    const metadata = await consumer.metadata({ topics: [physical], forceUpdate: true });
    const { partitionsCount = 0 } = metadata.topics.get(physical) ?? {};
    const added = Array.from({ length: partitionsCount }, (_, partition) => partition).filter((one) => !next.has(one));
    for (const partition of added) next.set(partition, 0n);
    if (added.length > 0) log.info("partitions_found", { topic, partitions: added });
    return added.length > 0;
  };
  const growLater = async (consumer: Consumer, over: AbortSignal): Promise<boolean> => {
    for (;;) {
      await sleep(growEveryMs, over);
      if (over.aborted) return false;
      // What cannot be asked now is asked again; if it stays so, the fetches beside this fail too.
      if (await grow(consumer).catch(() => false)) return true;
    }
  };

  const followLeader = async (
    node: number,
    partitions: readonly number[],
    topicId: string,
    over: AbortSignal,
    progressed: () => void,
  ) => {
    await using client = openClient(base, log);
    await leadersOf(client.consumer, physical, partitions);
    while (!over.aborted) {
      const at = new Map(partitions.map((partition) => [partition, next.get(partition) ?? 0n]));
      const request = client.consumer.fetch(fetchRequest(node, topicId, at, 500, undefined, epochs));
      request.catch(() => {});
      const response = await orAborted(request, over);
      if (response === null) return;
      progressed();
      const answers = response.responses.flatMap(({ partitions: read }) =>
        read.map((answer) => {
          const { partitionIndex, divergingEpoch } = answer;
          if ((divergingEpoch?.endOffset ?? -1n) >= 0n)
            throw notInLog(`${topic}/${partitionIndex} was cut off, and has grown again`);
          return { partitionIndex, ...readAnswer(topic, partitionIndex, next.get(partitionIndex) ?? 0n, answer) };
        }),
      );
      for (const answer of answers) {
        next.set(answer.partitionIndex, answer.next);
        if (answer.epoch !== null) epochs.set(answer.partitionIndex, answer.epoch);
      }
      // The broker answers with what it has something of; the others have nothing new.
      await queue.give({
        records: answers.flatMap(({ records }) => records),
        next: new Map(partitions.map((partition) => [partition, next.get(partition) ?? 0n])),
        partitions: next.size,
      });
    }
  };

  const following = follow().then(
    () => queue.end(null),
    (error: unknown) => queue.end(error),
  );
  try {
    yield* queue.taken();
  } finally {
    stop.abort();
    await following;
  }
}

const outOfRange = "OFFSET_OUT_OF_RANGE";

function notInLog(message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code: outOfRange });
}

function isNotInLog(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === outOfRange;
}

function openClient(base: ClientOptions, log: Log): AsyncDisposable & { consumer: Consumer } {
  // The group is never joined, so it never exists on the broker. Retries are the caller's: the client would ask the old
  // leader again.
  const consumer = new Consumer({ ...base, groupId: `${base.clientId}-reader`, retries: 0, autocommit: false });
  consumer.on("error", (error: Error) => log.warn("kafka_reader_error", { error }));
  return { consumer, [Symbol.asyncDispose]: () => within(1_000, consumer.close(true)) };
}

/** Which partitions each broker leads. Rejects while one of them has no leader. */
export async function leadersOf(consumer: Consumer, physicalTopic: string, partitions: readonly number[]) {
  const metadata = await consumer.metadata({ topics: [physicalTopic], forceUpdate: true });
  const topic = metadata.topics.get(physicalTopic);
  if (topic === undefined) throw new Error(`there is no topic ${physicalTopic}`);
  const byNode = Map.groupBy(partitions, (partition) => topic.partitions[partition]?.leader ?? -1);
  if (byNode.has(-1)) throw new Error(`partitions ${byNode.get(-1)} of ${physicalTopic} have no leader`);
  return { topicId: topic.id, byNode };
}

/**
 * Hands values from several givers to one taker; a giver goes on when its value has been taken, or nobody takes any
 * more: the signal is aborted. The taker may leave at any value; whoever gave it has to be told by the signal.
 */
function handOver<T>(signal: AbortSignal) {
  const waiting: { value: T; taken: () => void }[] = [];
  let wake = () => {};
  let over: { error: unknown } | null = null;
  signal.addEventListener("abort", () => {
    for (const { taken } of waiting.splice(0)) taken();
    wake();
  });
  return {
    give: (value: T) =>
      new Promise<void>((taken) => {
        if (signal.aborted) return taken();
        waiting.push({ value, taken });
        wake();
      }),
    end: (error: unknown) => {
      over ??= { error };
      wake();
    },
    taken: async function* (): AsyncGenerator<T> {
      for (;;) {
        if (signal.aborted) break;
        const first = waiting.shift();
        if (first !== undefined) {
          // Free the giver first: it fetches while the taker works.
          first.taken();
          yield first.value;
        } else if (over !== null) {
          if (over.error !== null) throw over.error;
          break;
        } else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}
