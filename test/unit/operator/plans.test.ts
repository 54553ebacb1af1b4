import { expect, test } from "bun:test";
import { describeGroups } from "../../../workers/operator/actions/describe-groups.ts";
import { planReset } from "../../../workers/operator/actions/reset-plan.ts";
import { offsetsAtTime } from "../../../workers/operator/offsets-at-time.ts";
import { inBatches } from "../../../workers/operator/pace.ts";
import { readTime } from "../../../workers/operator/read-time.ts";
import { reviveRecord } from "../../../workers/operator/revive-record.ts";

const now = new Date("2026-03-01T12:00:00Z");

test("a time is RFC 3339 or an age, and nothing else", () => {
  const cases: readonly (readonly [string, string | null])[] = [
    ["2026-03-01T09:00:00Z", "2026-03-01T09:00:00.000Z"],
    ["2026-03-01T09:00+02:00", "2026-03-01T07:00:00.000Z"],
    ["2026-03-01", "2026-03-01T00:00:00.000Z"],
    ["90s", "2026-03-01T11:58:30.000Z"],
    ["2h", "2026-03-01T10:00:00.000Z"],
    ["3d", "2026-02-26T12:00:00.000Z"],
    ["yesterday", null],
    ["2026-13-01", null],
    ["5", null],
    ["", null],
  ];
  for (const [text, time] of cases) expect([text, readTime(text, now)?.toISOString() ?? null]).toEqual([text, time]);
});

test("a reset says what is handled again and what never, from where the group really stands", () => {
  const place = (partition: number, offset: number) => ({ topic: "task-events", partition, offset: BigInt(offset) });
  const steps = planReset({
    committed: [place(0, 10), place(1, 2)],
    start: [place(0, 0), place(1, 5), place(2, 3)],
    to: [place(0, 4), place(1, 9), place(2, 3)],
  });
  expect(steps.map(({ from, again, skipped }) => [from, again, skipped])).toEqual([
    [10n, 6, 0],
    // Its commit is below the log's start: what lay between is gone.
    [2n, 0, 4],
    [null, 0, 0],
  ]);
});

const lag = {
  group: "reminder-service",
  topic: "task-events",
  committed: 1n,
  end: 9n,
  messages: 8,
  seconds: 60,
} as const;
const facts = { now, lags: [{ ...lag, partition: 0 }], members: [], controls: [], failures: [] };
const blockedOf = (more: object) =>
  describeGroups({ ...facts, ...more }).find(({ group }) => group === "reminder-service")?.blocked;

test("a group is blocked when it is paused, or when nobody reads what waits", () => {
  expect(blockedOf({})).toEqual({ since: new Date("2026-03-01T11:59:00Z"), why: "nobody reads it" });
  expect(blockedOf({ lags: [] })).toBeNull();
  expect(blockedOf({ members: [{ name: "reminder-service", state: "Stable", members: 2 }] })).toBeNull();
  const control = { group: "reminder-service", paused: true, setBy: "ada", reason: null, setAt: now };
  expect(blockedOf({ controls: [control] })).toEqual({ since: now, why: "paused by ada" });
  expect(describeGroups(facts)).toHaveLength(6);
});

test("the offset at a time is that of the first record not older, in every partition at once", async () => {
  const logs = new Map([
    [0, [10, 20, 20, 30, 40]],
    [1, [25]],
    [2, []],
  ]);
  const ends = new Map([...logs].map(([partition, times]) => [partition, 100n + BigInt(times.length)]));
  const admin = {
    offsets: (_: string, at: "start" | "end") =>
      Promise.resolve(at === "end" ? ends : new Map([...logs].map(([partition]) => [partition, 100n]))),
    read: (topic: string, at: ReadonlyMap<number, bigint>) =>
      Promise.resolve(
        [...at].map(([partition, offset]) => ({
          topic,
          partition,
          offset,
          key: null,
          value: null,
          headers: [],
          generation: 0,
          timestamp: logs.get(partition)?.[Number(offset - 100n)] ?? Number.NaN,
        })),
      ),
  };
  const at = async (ms: number) => [...(await offsetsAtTime(admin, "task-events", new Date(ms))).values()].map(Number);
  expect(await at(0)).toEqual([100, 100, 100]);
  expect(await at(20)).toEqual([101, 100, 100]);
  expect(await at(26)).toEqual([103, 101, 100]);
  expect(await at(99)).toEqual([105, 101, 100]);
});

test("batches stop when nothing is left, wait while something is in the way, and end early at the signal", async () => {
  let left = 25;
  const sizes: number[] = [];
  const waits: string[] = [];
  const busy = ["one", "two"];
  const stop = new AbortController();
  const pace = {
    ratePerSecond: 40,
    inTheWay: () => Promise.resolve(busy.shift() ?? null),
    onWait: (why: string) => void waits.push(why),
    signal: stop.signal,
  };
  const step = (size: number) => {
    const items = Math.min(size, left);
    left -= items;
    sizes.push(items);
    return Promise.resolve({ items, more: left > 0 });
  };
  const started = performance.now();
  expect(await inBatches(pace, step)).toBe(true);
  expect(sizes).toEqual([10, 10, 5]);
  expect(waits).toEqual(["one"]);
  // Two rests at 40 a second, and two waits of 500 ms.
  expect(performance.now() - started).toBeGreaterThan(1400);
  stop.abort();
  expect(await inBatches(pace, step)).toBe(false);
});

test("JSON becomes a record again: times where the schema has them, all else as it was", () => {
  const schema = {
    type: "record",
    name: "R",
    fields: [
      { name: "at", type: { type: "long", logicalType: "timestamp-millis" } },
      { name: "due", type: ["null", { type: "long", logicalType: "timestamp-millis" }] },
      { name: "none", type: ["null", { type: "long", logicalType: "timestamp-millis" }] },
      { name: "title", type: "string" },
      { name: "times", type: { type: "array", items: { type: "long", logicalType: "timestamp-millis" } } },
    ],
  } as const;
  const text = "2026-03-01T10:00:00.000Z";
  expect(reviveRecord(schema, { at: text, due: text, none: null, title: text, times: [text], more: text })).toEqual({
    at: new Date(text),
    due: new Date(text),
    none: null,
    title: text,
    times: [new Date(text)],
    more: text,
  });
  expect(reviveRecord(schema, { at: "soon" })).toEqual({ at: "soon" });
  expect(reviveRecord(schema, [1])).toEqual([1]);
});
