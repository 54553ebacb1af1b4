import { expect, test } from "bun:test";
import type { FetchedRecord } from "../../../../shared/messages/broker.ts";
import { makeDependency } from "../../../../shared/consume/failure/dependency.ts";
import { makeItem, type QueuedRecord } from "../../../../shared/consume/member/item.ts";
import { makeMeters } from "../../../../shared/consume/meters.ts";
import { readRecord } from "../../../../shared/consume/handle-batch.ts";
import { makeLaneWork, type LaneWork } from "../../../../shared/consume/member/work-lane.ts";
import { makeLog } from "../../../../shared/role/log.ts";
import type { ReceivedMessage } from "../../../../shared/messages/message.ts";
import { makeMetrics } from "../../../../shared/role/metrics.ts";
import { Problem } from "../../../../shared/problem.ts";
import { group } from "../../../support/consumer-world.ts";
import { makeJsonCodec } from "../../../support/json-codec.ts";
import { fetched } from "../../../support/kernel-parts.ts";

const log = makeLog({}, "error", () => {});
const codec = makeJsonCodec();

/** A lane whose messages come to the ends given; each step is told in order. */
function setup(of: Partial<Pick<LaneWork, "handle" | "read" | "setAside">> = {}) {
  const steps: string[] = [];
  const stop = new AbortController();
  const lost = new Set<number>();
  const numbersOf = (messages: readonly ReceivedMessage[]) => messages.map(({ sequence }) => sequence).join();
  const handle: LaneWork["handle"] = async (messages) => {
    steps.push(`handle ${numbersOf(messages)}`);
    return { handled: new Set(messages), parked: new Set(), lost: new Set(), derived: 0 };
  };
  const work = makeLaneWork({
    read: of.read ?? ((record) => readRecord(codec, record)),
    handle: async (messages) => {
      if (of.handle) await of.handle(messages);
      return handle(messages);
    },
    giveUp: async ({ record }) => void steps.push(`give up ${record.offset}`),
    setAside:
      of.setAside ??
      (async ({ record }) => {
        steps.push(`set aside ${record.offset}`);
        return "parked";
      }),
    worked: () => {},
    settled: (record, outcome) => void steps.push(`${outcome} ${record.offset}`),
    dependency: makeDependency({ probe: async () => {}, log, stop: stop.signal }).ofLane(),
    meters: makeMeters(makeMetrics("test", { process: false }), group),
    log,
    now: () => new Date(),
    stop: stop.signal,
  });
  const itemOf = (record: FetchedRecord): QueuedRecord =>
    makeItem(record, () => ({
      finish: () => void steps.push(`finish ${record.offset}`),
      isOwned: () => !lost.has(Number(record.offset)),
    }));
  return {
    steps,
    stop,
    lose: (n: number) => void lost.add(n),
    run: async (...numbers: readonly number[]) => {
      let fatal: unknown = null;
      await work(
        numbers.map((n) => itemOf(fetched(n))),
        (error) => (fatal = error),
      );
      return fatal;
    },
  };
}

const doneOf = (n: number) => [`finish ${n}`, `done ${n}`];

test("a batch is handled as one, and finished when it is", async () => {
  const lane = setup();
  expect(await lane.run(1, 2)).toBe(null);
  expect(lane.steps).toEqual(["handle 1,2", ...doneOf(1), ...doneOf(2)]);
});

test("of a batch that fails each message is handled alone, and only what fails alone is set aside", async () => {
  const lane = setup({
    handle: async (messages) => {
      if (messages.some(({ sequence }) => sequence === 2)) throw new Error("no");
      return { handled: new Set(), parked: new Set(), lost: new Set(), derived: 0 };
    },
  });
  await lane.run(1, 2, 3);
  expect(lane.steps).toEqual([
    "handle 1",
    ...doneOf(1),
    "set aside 2",
    "finish 2",
    "parked 2",
    "handle 3",
    ...doneOf(3),
  ]);
});

test.each([
  ["a batch", [1, 2]],
  ["one message", [1]],
])("what a stop cuts short of %s is left unfinished, to be delivered again", async (_, numbers) => {
  const lane = setup({
    handle: async () => {
      lane.stop.abort();
      throw new Error("cut short");
    },
    setAside: async ({ error }) => {
      throw error;
    },
  });
  expect(await lane.run(...numbers)).toBe(null);
  expect(lane.steps).toEqual([]);
});

test("what a lane cannot go on after is handed up, and nothing of the batch is finished", async () => {
  const fatal = new Error("fatal");
  const lane = setup({
    handle: async () => {
      throw fatal;
    },
    setAside: async ({ error }) => {
      throw error;
    },
  });
  expect(await lane.run(1, 2)).toBe(fatal);
  expect(lane.steps).toEqual([]);
});

test("a record that is none is buried behind what comes before it, and ahead of what comes after", async () => {
  const lane = setup({
    read: async (record) => {
      if (record.offset === 2n) throw new Problem("UNDECODABLE");
      return readRecord(codec, record);
    },
  });
  await lane.run(1, 2, 3);
  expect(lane.steps).toEqual(["handle 1", ...doneOf(1), "give up 2", "finish 2", "dead 2", "handle 3", ...doneOf(3)]);
});

test("a type this build does not know is passed, and records of a lost partition are not begun", async () => {
  const lane = setup({
    read: async (record) => (record.offset === 2n ? { unknown: "TaskSnored" } : readRecord(codec, record)),
  });
  lane.lose(3);
  await lane.run(1, 2, 3);
  expect(lane.steps).toEqual(["finish 2", "skipped 2", "handle 1", ...doneOf(1)]);
});
