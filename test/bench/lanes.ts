// Key lanes: messages of many keys in one partition, each handled for 50 ms, against the same one after the other.
import { setTimeout as sleep } from "node:timers/promises";
import type { BatchHandler } from "../../shared/consume/handler.ts";
import { laneCount } from "../../shared/consume/member/lanes.ts";
import { median, type Bench } from "./bench.ts";
import { consumeAll } from "./consume-all.ts";
import { openConsumerParts } from "./consumer-parts.ts";

const topic = "task-events";
const group = "task-update-broadcaster";
const handlerMs = 50;
const keys = 1_000;
const serialRecords = 60;
const counts = [laneCount, 32] as const;

export const bench: Bench = {
  id: "lanes",
  title: `key lanes: handlers of ${handlerMs} ms, 1 partition, ${keys} keys, records per second`,
  run: async ({ rounds, say }) => {
    await using parts = await openConsumerParts({
      topics: [topic],
      partitions: 1,
      connections: Math.max(...counts) + 2,
    });
    const { broker, db, codec } = parts;
    const measure = async (lanes: number): Promise<number> => {
      const records = lanes === 1 ? serialRecords : keys;
      await parts.fill(topic, records, keys);
      const figure = await consumeAll({ broker, db, codec, topic, group, records, lanes, handleBatch: slowly });
      await parts.settle(records);
      return figure;
    };
    const figures = new Map([1, ...counts].map((lanes) => [lanes, [] as number[]]));
    for (let round = 0; round < rounds; round++) {
      const steps = round % 2 === 0 ? [...figures] : [...figures].toReversed();
      for (const [lanes, own] of steps) own.push(await measure(lanes));
      const told = [...figures].map(([lanes, own]) => `${lanes} lanes ${(own.at(-1) ?? 0).toFixed(1)}`);
      say(`round ${round + 1}: ${told.join(", ")} /s`);
    }
    const serial = figures.get(1) ?? [];
    return counts.map((lanes) => {
      const own = figures.get(lanes) ?? [];
      return {
        what: `${lanes} lanes${lanes === laneCount ? " (the default)" : ""} against one`,
        ours: median(own),
        peer: median(serial),
        unit: " records/s",
        ratios: own.map((figure, n) => figure / (serial[n] ?? Number.NaN)),
        target: ">= 20",
        note:
          `${lanes}x is the most ${lanes} lanes can reach` +
          (lanes < 20 ? ": the target is beyond them, raise `lanes` and the pool" : "; the fullest lane ends last"),
      };
    });
  },
};

/** Each message waits for itself, as a handler that calls something slow does. */
const slowly: BatchHandler = async (messages, { tx }) => {
  for (const { id, sequence } of messages) {
    await tx`insert into effects (id, n) values (${id}, ${sequence})`;
    await sleep(handlerMs);
  }
  return messages.map(() => []);
};
