import { makeMeters } from "../../shared/consume/meters.ts";
import type { Positions } from "../../shared/consume/log/positions.ts";
import { runSession } from "../../shared/consume/member/run-session.ts";
import { timing, type Session, type SessionEnd } from "../../shared/consume/member/session.ts";
import { makeStanding } from "../../shared/consume/log/standing.ts";
import { makeLog } from "../../shared/role/log.ts";
import { makeMetrics } from "../../shared/role/metrics.ts";
import { makeFakeBroker } from "./fake-broker.ts";

const topic = "task-events";
export const group = "task-update-broadcaster";
export const zero = { topic, partition: 0 } as const;

/**
 * A topic whose records are read by one client after another, each in a session without a database; `worked` are their
 * offsets.
 */
export async function sessionWorld({ partitions = 1 }: Readonly<{ partitions?: number }> = {}) {
  const broker = makeFakeBroker();
  await broker.admin.createTopic({ name: topic, partitions, configs: {} });
  const producer = await broker.producer();
  const worked: bigint[] = [];
  const start = (of: Partial<Omit<Session, "positions">> & Readonly<{ positions?: Partial<Positions> }> = {}) => {
    const log = makeLog({}, "error", () => {});
    const meters = makeMeters(makeMetrics("test", { process: false }), group);
    const standing = makeStanding({ meters, log });
    const stop = new AbortController();
    const ended: Promise<SessionEnd> = runSession({
      broker,
      group,
      topics: [topic],
      work: async (items) => {
        for (const { record, tracked } of items) {
          worked.push(record.offset);
          tracked.finish();
        }
      },
      isWaiting: () => false,
      isLaneWaiting: () => false,
      tries: () => 0,
      onJoined: () => {},
      onCompared: () => {},
      wasSkipped: () => false,
      standing,
      toldToLook: () => {},
      onOwned: () => {},
      meters,
      log,
      stop: stop.signal,
      cutOff: () => {},
      lanes: 1,
      ...of,
      timing: { ...timing, commitEveryMs: 5, ...of.timing },
      positions: {
        compare: () => Promise.resolve({ life: "one", behind: [], doubted: new Map(), remade: [] }),
        store: () => Promise.resolve(),
        life: () => Promise.resolve("one"),
        ...of.positions,
      },
    });
    const end = async () => {
      stop.abort();
      return ended;
    };
    return { standing, end, ended };
  };
  return {
    broker,
    worked,
    start,
    send: (count: number, key = "k") =>
      producer.send(
        Array.from({ length: count }, () => ({ topic, timestamp: 0, key, value: Buffer.from("x"), headers: [] })),
      ),
    committed: async () => (await broker.admin.committed(group))[0]?.offset,
  };
}
