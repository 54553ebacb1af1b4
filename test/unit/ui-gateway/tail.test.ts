import { afterEach, describe, expect, test } from "bun:test";
import type { Broker, FetchedRecord } from "../../../shared/messages/broker.ts";
import { makeLog } from "../../../shared/role/log.ts";
import { Problem } from "../../../shared/problem.ts";
import { makeHub } from "../../../workers/ui-gateway/stream/hub.ts";
import type { ResetReason } from "../../../workers/ui-gateway/stream/reset-reasons.ts";
import { makeFrameReader, type FrameReader } from "../../../workers/ui-gateway/stream/read-frame.ts";
import { tailUpdates } from "../../../workers/ui-gateway/stream/tail-updates.ts";
import type { Frame } from "../../../workers/ui-gateway/stream/update-frame.ts";
import { partitionOf } from "../../../shared/kafka/partition.ts";
import { until } from "../../support/until.ts";

const ada = "0192f0a0-0000-7000-8000-00000000000a";
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A topic of one partition in memory, whose log can lose its beginning. */
function setup(
  options: {
    readFrame?: FrameReader;
    readEpoch?: () => Promise<string>;
    records?: number;
    markers?: readonly number[];
  } = {},
) {
  const stop = new AbortController();
  const lines: string[] = [];
  const markers = new Set(options.markers ?? []);
  let start = 0;
  let end = options.records ?? 0;
  let wake = Promise.withResolvers<void>();
  let tails = 0;
  const tail: Broker["tail"] = async function* ({ from, signal }) {
    tails++;
    let next = Number(from.get(0));
    signal.addEventListener("abort", () => wake.resolve());
    while (!signal.aborted) {
      if (next < start) throw Object.assign(new Error("gone"), { code: "OFFSET_OUT_OF_RANGE" });
      if (next < end) {
        const records = Array.from(
          { length: end - next },
          (_, i) => ({ topic: "task-updates", partition: 0, offset: BigInt(next + i) }) as FetchedRecord,
        );
        next = end;
        yield {
          records: records.filter(({ offset }) => !markers.has(Number(offset))),
          next: new Map([[0, BigInt(end)]]),
          partitions: 1,
        };
      } else {
        await wake.promise;
        wake = Promise.withResolvers<void>();
      }
    }
  };
  const frame = (offset: bigint): Frame => ({
    partition: 0,
    offset,
    userId: ada,
    taskId: `task ${offset}`,
    sequence: 1,
    changeType: "updated",
    isCompleted: false,
    bytes: new Uint8Array(1),
    json: { start: 0, end: 0 },
  });
  const hub = makeHub({ ring: { maxRecords: 100, maxBytes: 1e6 }, countDropped: () => {} });
  const seen: number[] = [];
  const resets: [ResetReason, string][] = [];
  const given: number[] = [];
  const heard: number[] = [];
  const running = tailUpdates({
    broker: {
      tail,
      admin: {
        offsets: (_: string, at: "start" | "end") =>
          Promise.resolve(new Map([[0, BigInt(at === "end" ? end : start)]])),
      },
    },
    hub,
    readFrame: options.readFrame ?? (({ offset }) => Promise.resolve(frame(offset))),
    readEpoch: options.readEpoch ?? (() => Promise.resolve("e1")),
    warmRecords: 10n,
    freshness: { heard: (partitions) => void heard.push(...partitions), expect: () => {} },
    onGiven: ({ offset }) => void given.push(Number(offset)),
    log: makeLog({}, "debug", (line) => void lines.push(line)),
    signal: stop.signal,
  });
  stops.push(async () => {
    stop.abort();
    wake.resolve();
    await running;
  });
  return {
    hub,
    seen,
    resets,
    given,
    heard,
    lines,
    frame,
    tails: () => tails,
    follow: () => {
      const subscription = hub.subscribe({
        userId: ada,
        change: ({ offset }) => void seen.push(Number(offset)),
        reset: (reason, cursor) => void resets.push([reason, cursor]),
      });
      subscription.startAfter((hub.ringOf(0)?.next() ?? 0n) - 1n);
    },
    append: (count: number) => {
      end += count;
      wake.resolve();
    },
    loseBefore: (offset: number) => {
      start = offset;
      end = Math.max(end, offset);
      wake.resolve();
    },
  };
}

describe("reading task-updates", () => {
  test("warms up from the newest records, is live only then, and gives what comes", async () => {
    const { hub, append, follow, seen, given } = setup({ records: 30 });
    await until("live", hub.isLive);
    expect([hub.ringOf(0)?.start(), hub.ringOf(0)?.next()]).toEqual([20n, 30n]);
    expect(given).toEqual([]);
    follow();
    append(3);
    await until("three", () => seen.length === 3);
    expect([seen, given]).toEqual([
      [30, 31, 32],
      [30, 31, 32],
    ]);
  });

  test("is live, and stands at the end, where the log ends with what is no record", async () => {
    const { hub, append, follow, seen } = setup({ records: 5, markers: [3, 4] });
    await until("live", hub.isLive);
    expect(hub.cursorOf(ada)).toBe("e1.0.4");
    follow();
    append(1);
    await until("one", () => seen.length === 1);
  });

  test("a record that waits for its schema is not heard of, until it can be read", async () => {
    let isDown = true;
    const world = setup({
      records: 1,
      readFrame: ({ offset }) =>
        isDown ? Promise.reject(new Error("registry down")) : Promise.resolve(world.frame(offset)),
    });
    await until("a try", () => world.lines.some((line) => line.includes("update_waits_for_registry")));
    expect(world.heard).toEqual([]);
    isDown = false;
    await until("heard", () => world.heard.length > 0);
    expect(world.heard).toEqual([0]);
  });

  test("waits for the topic to get its epoch", async () => {
    let asked = 0;
    const readEpoch = () => (++asked < 3 ? Promise.reject(new Error("no epoch")) : Promise.resolve("e9"));
    const { hub, lines } = setup({ readEpoch });
    await until("live", hub.isLive);
    expect(hub.cursorOf(ada)).toBe(`e9.${partitionOf(ada, 1)}.-1`);
    expect(lines.filter((line) => line.includes("updates_interrupted"))).toHaveLength(2);
  });

  test("a record whose schema cannot be fetched yet is waited for, and nothing behind it overtakes", async () => {
    let failures = 3;
    const world = setup({
      readFrame: ({ offset }) =>
        offset === 1n && failures-- > 0
          ? Promise.reject(new Problem("UNAVAILABLE", "the registry is down"))
          : Promise.resolve(world.frame(offset)),
    });
    await until("live", world.hub.isLive);
    world.follow();
    world.append(3);
    await until("three", () => world.seen.length === 3);
    expect(world.seen).toEqual([0, 1, 2]);
    expect(failures).toBe(-1);
  });

  test("when the log has lost what comes next, clients are told to read again and get what is left", async () => {
    const { hub, append, follow, seen, resets, loseBefore, tails } = setup({ records: 5 });
    await until("live", hub.isLive);
    follow();
    append(1);
    await until("one", () => seen.length === 1);
    loseBefore(50);
    await until("reset", () => resets.length === 1);
    expect(resets).toEqual([["gap", "e1.0.49"]]);
    append(2);
    await until("two more", () => seen.length === 3);
    expect([seen, tails()]).toEqual([[5, 50, 51], 2]);
  });
});

describe("reading a record", () => {
  const text = (value: string) => new TextEncoder().encode(value);
  const headers = (type = "TaskChanged", subject = "t", sequence = "4") =>
    [
      ["ce_specversion", "1.0"],
      ["ce_id", crypto.randomUUID()],
      ["ce_source", "task-update-broadcaster"],
      ["ce_type", type],
      ["ce_time", new Date().toISOString()],
      ["ce_subject", subject],
      ["ce_sequence", sequence],
      ["ce_correlationid", "c"],
    ].map(([name = "", value = ""]) => [name, text(value)] as const);
  const record = (over: Partial<FetchedRecord> = {}): FetchedRecord => ({
    topic: "task-updates",
    partition: 0,
    offset: 1n,
    timestamp: 0,
    key: ada,
    value: text("x"),
    headers: headers(),
    generation: 0,
    ...over,
  });
  const data = {
    task_id: "t",
    user_id: ada,
    change_type: "created" as const,
    payload: JSON.stringify({ user_id: ada }),
    timestamp: new Date(0),
  };
  const read = async (
    one: FetchedRecord,
    decode: () => Promise<unknown> = () => Promise.resolve({ type: "TaskChanged", data }),
  ) => {
    const dropped: string[] = [];
    const codec = { decode } as unknown as Parameters<typeof makeFrameReader>[0]["codec"];
    const reader = makeFrameReader({
      codec,
      log: makeLog({}, "error", () => {}),
      countDropped: (why) => dropped.push(why),
    });
    return { frame: await reader(one, "e"), dropped };
  };

  test("gives its frame with the sequence of its header", async () => {
    expect(await read(record())).toMatchObject({ frame: { sequence: 4, taskId: "t", userId: ada }, dropped: [] });
  });

  test.each<[string, string, FetchedRecord, (() => Promise<unknown>) | undefined]>([
    ["of a type this build does not know", "unknown", record(), () => Promise.resolve({ unknown: "X" })],
    ["without a value", "undecodable", record({ value: null }), undefined],
    ["without its headers", "undecodable", record({ headers: [] }), undefined],
    ["with a sequence that is none", "undecodable", record({ headers: headers("TaskChanged", "t", "x") }), undefined],
    ["about another task than its subject", "undecodable", record({ headers: headers("TaskChanged", "u") }), undefined],
    ["that cannot be decoded", "undecodable", record(), () => Promise.reject(new Problem("UNDECODABLE"))],
    [
      "whose payload is no JSON",
      "undecodable",
      record(),
      () => Promise.resolve({ type: "TaskChanged", data: { ...data, payload: "{" } }),
    ],
    ["under another user's key", "mixed", record({ key: "other" }), undefined],
  ])("%s: shown to nobody, counted as %s", async (_, why, one, decode) => {
    expect(await read(one, decode)).toEqual({ frame: null, dropped: [why] });
  });

  test("a registry that is down is no reason to drop it", async () => {
    await expect(read(record(), () => Promise.reject(new Problem("UNAVAILABLE")))).rejects.toMatchObject({
      code: "UNAVAILABLE",
    });
  });
});
