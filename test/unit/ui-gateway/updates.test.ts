import { describe, expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import { makeHub } from "../../../workers/ui-gateway/stream/hub.ts";
import type { ResetReason } from "../../../workers/ui-gateway/stream/reset-reasons.ts";
import { decideResume, type ResumeFacts } from "../../../workers/ui-gateway/stream/resume.ts";
import type { Follow } from "../../../workers/ui-gateway/stream/follow.ts";
import { makeFreshness } from "../../../workers/ui-gateway/stream/freshness.ts";
import { pollUpdates } from "../../../workers/ui-gateway/stream/poll-updates.ts";
import { makeWaiting } from "../../../workers/ui-gateway/stream/waiting.ts";
import type { ChangeType } from "../../../shared/messages/records.ts";
import { makeRing } from "../../../workers/ui-gateway/stream/ring.ts";
import { makeFrame, mergeChanges, type Frame } from "../../../workers/ui-gateway/stream/update-frame.ts";
import { partitionOf } from "../../../shared/kafka/partition.ts";

const ada = "0192f0a0-0000-7000-8000-00000000000a";
const bob = "0192f0a0-0000-7000-8000-00000000000b";

function frame(offset: number, over: Partial<Frame> = {}): Frame {
  return {
    partition: 0,
    offset: BigInt(offset),
    userId: ada,
    taskId: `task ${offset}`,
    sequence: 1,
    changeType: "updated",
    isCompleted: false,
    bytes: new Uint8Array(10),
    json: { start: 0, end: 0 },
    ...over,
  };
}

describe("the frame of a record", () => {
  const changed = {
    task_id: "t",
    user_id: ada,
    change_type: "updated" as const,
    payload: JSON.stringify({ id: "t", user_id: ada, title: "two\nlines" }, null, 2),
    timestamp: new Date(0),
  };
  const at = { partition: 3, offset: 17n };

  test("is one event with its payload an object, whatever line breaks the payload had", () => {
    const made = makeFrame({ ...at, key: ada }, changed, { epoch: "e1", sequence: 5 });
    if (made === "mixed") throw new Error("mixed");
    const [id, event, data, ...rest] = new TextDecoder().decode(made.bytes).split("\n");
    expect([id, event, ...rest]).toEqual(["id: e1.3.17", "event: task.changed", "", ""]);
    expect(JSON.parse(data?.slice("data: ".length) ?? "")).toMatchObject({
      change_type: "updated",
      payload: { title: "two\nlines" },
    });
    const json = new TextDecoder().decode(made.bytes.subarray(made.json.start, made.json.end));
    expect(json).toBe(data?.slice("data: ".length) ?? "");
  });

  test.each([
    ["another key", { ...at, key: bob }, changed],
    ["no key", { ...at, key: null }, changed],
    ["another user in the record", { ...at, key: ada }, { ...changed, user_id: bob }],
    ["another user in the payload", { ...at, key: ada }, { ...changed, payload: JSON.stringify({ user_id: bob }) }],
    ["a payload of nobody", { ...at, key: ada }, { ...changed, payload: "[]" }],
  ])("is not made of %s", (_, record, data) =>
    expect(makeFrame(record, data, { epoch: "e", sequence: 1 })).toBe("mixed"),
  );
});

describe("two changes of one task, of which only the newer view is given", () => {
  const made = (change_type: ChangeType, over: object = {}, title = "t") => {
    const payload = JSON.stringify({ id: "t", user_id: ada, status: "open", deleted_at: null, title, ...over });
    const changed = { task_id: "t", user_id: ada, change_type, payload, timestamp: new Date(0) };
    const one = makeFrame({ partition: 3, offset: 17n, key: ada }, changed, { epoch: "e1", sequence: 5 });
    if (one === "mixed") throw new Error("mixed");
    return one;
  };
  const completed = { status: "completed" };
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const told = ({ bytes, json }: Frame) => JSON.parse(text(bytes.subarray(json.start, json.end))) as object;

  test.each([
    ["created", "updated", {}, "created"],
    ["created", "updated", completed, "created"],
    ["created", "completed", completed, "completed"],
    ["updated", "updated", {}, "updated"],
    ["completed", "updated", completed, "completed"],
    // Reopened: it is not completed any more.
    ["completed", "updated", {}, "updated"],
    ["completed", "deleted", completed, "deleted"],
    ["deleted", "deleted", {}, "deleted"],
    // Restored.
    ["deleted", "updated", {}, "updated"],
    ["updated", "created", {}, "created"],
  ] as const)("%s, then %s of %p, is told as %s", (before, after, over, expected) => {
    const newer = made(after, over, "\u201enew\u201c");
    const merged = mergeChanges(made(before), newer);
    expect(told(merged)).toEqual({ ...told(newer), change_type: expected });
    expect(merged.changeType).toBe(expected);
    expect(text(merged.bytes)).toBe(text(newer.bytes).replace(`"${after}"`, `"${expected}"`));
    // And so on, with the next.
    expect(told(mergeChanges(merged, newer))).toEqual(told(merged));
  });

  test("wait for a slow client as one", () => {
    const waiting = makeWaiting();
    waiting.put("t", made("completed", completed));
    waiting.put("t", made("updated", completed, "x"));
    const newest = mergeChanges(made("completed"), made("updated", completed, "x"));
    expect(waiting.bytes()).toBe(newest.bytes.byteLength);
    expect(text(waiting.take() ?? new Uint8Array())).toBe(text(newest.bytes));
    expect([waiting.bytes(), waiting.count()]).toEqual([0, 0]);
  });

  test("are one in the answer of a poll", async () => {
    const follow: Follow = async (_user, _since, sink) => {
      sink.change(made("created"));
      sink.change(made("completed", completed));
      sink.change(made("updated", completed, "x"));
      sink.caughtUp("e1.3.17");
      return { cursor: () => "e1.3.17", stop: () => {} };
    };
    const { signal } = new AbortController();
    const asked = { userId: ada, since: "e1.3.1", waitSeconds: 0, signal, freshness: makeFreshness() };
    const { items } = await pollUpdates(follow, asked);
    expect(items.map((item) => JSON.parse(item))).toMatchObject([
      { change_type: "completed", payload: { title: "x" } },
    ]);
  });
});

describe("the ring of a partition", () => {
  test("keeps within its count and its bytes, and knows from where on it is whole", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.nat(30)), { maxLength: 200 }),
        fc.integer({ min: 1, max: 20 }),
        (records, maxRecords) => {
          const ring = makeRing(100n, { maxRecords, maxBytes: 200 });
          const all: Frame[] = [];
          for (const [i, [isShown, size]] of records.entries()) {
            const shown = isShown ? frame(100 + i, { bytes: new Uint8Array(size) }) : null;
            if (shown) all.push(shown);
            ring.push(BigInt(100 + i), shown);
            expect(ring.bytes()).toBeLessThanOrEqual(200);
          }
          expect(ring.next()).toBe(BigInt(100 + records.length));
          const { frames: whole, isAll } = ring.above(ring.start() - 1n, ada, 1e9);
          expect(isAll).toBeTrue();
          expect(whole.length).toBeLessThanOrEqual(maxRecords);
          expect(whole).toEqual(all.filter(({ offset }) => offset >= ring.start()));
          expect(ring.bytes()).toBe(whole.reduce((sum, { bytes }) => sum + bytes.byteLength, 0));
          // It holds as much as it may: with what it let go last it would be too much.
          const gone = all.findLast(({ offset }) => offset < ring.start());
          if (gone) expect(whole.length === maxRecords || ring.bytes() + gone.bytes.byteLength > 200).toBe(true);
        },
      ),
    );
  });

  test("what it has let go stays gone, however much that was", () => {
    const ring = makeRing(0n, { maxRecords: 10, maxBytes: 1e9 });
    for (let i = 0; i < 5_000; i++) {
      ring.push(BigInt(i), frame(i, { bytes: new Uint8Array(7) }));
      const { frames } = ring.above(-1n, ada, 1e9);
      expect([frames.length, frames.at(-1)?.offset]).toEqual([Math.min(10, i + 1), BigInt(i)]);
    }
    expect([ring.start(), ring.next(), ring.bytes()]).toEqual([4_990n, 5_000n, 70]);
  });

  test("gives a user only their own, above the offset, in order", () => {
    const ring = makeRing(0n, { maxRecords: 10, maxBytes: 1000 });
    for (let i = 0; i < 6; i++) ring.push(BigInt(i), frame(i, { userId: i % 2 ? bob : ada }));
    expect(ring.above(0n, ada, 1e9).frames.map(({ offset }) => offset)).toEqual([2n, 4n]);
  });

  test("gives them in parts that follow one another, each within its bytes but for a frame that is larger alone", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 30 })), { maxLength: 100 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 20 }),
        (records, maxBytes, maxRecords) => {
          const ring = makeRing(0n, { maxRecords, maxBytes: 1e9 });
          for (const [i, [isAdas, size]] of records.entries())
            ring.push(BigInt(i), frame(i, { userId: isAdas ? ada : bob, bytes: new Uint8Array(size) }));
          const seen: Frame[] = [];
          for (let after = ring.start() - 1n, isAll = false; !isAll;) {
            const part = ring.above(after, ada, maxBytes);
            isAll = part.isAll;
            const size = part.frames.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
            if (part.frames.length > 1) expect(size).toBeLessThanOrEqual(maxBytes);
            if (!isAll) expect(part.frames).not.toBeEmpty();
            seen.push(...part.frames);
            after = seen.at(-1)?.offset ?? after;
          }
          expect(seen).toEqual([...ring.above(ring.start() - 1n, ada, 1e9).frames]);
        },
      ),
    );
  });
});

describe("the hub", () => {
  const setup = (partitions = 6) => {
    const dropped: string[] = [];
    const hub = makeHub({
      ring: { maxRecords: 100, maxBytes: 10_000 },
      countDropped: (reason) => dropped.push(reason),
    });
    const from = new Map(Array.from({ length: partitions }, (_, partition) => [partition, 0n] as const));
    hub.restart("e1", from, "epoch");
    hub.setLive();
    const follow = (userId: string) => {
      const seen: Frame[] = [];
      const resets: [ResetReason, string][] = [];
      const subscription = hub.subscribe({
        userId,
        change: (one) => seen.push(one),
        reset: (reason, cursor) => resets.push([reason, cursor]),
      });
      return { seen, resets, ...subscription };
    };
    return { hub, dropped, from, follow };
  };
  const home = partitionOf(ada, 6);

  test("gives a change to its user's followers alone, above what they have seen", () => {
    const { hub, follow } = setup();
    const [one, two, notYet, other] = [follow(ada), follow(ada), follow(ada), follow(bob)];
    one.startAfter(-1n);
    two.startAfter(0n);
    other.startAfter(-1n);
    hub.take(home, 0n, frame(0));
    hub.take(home, 1n, frame(1));
    expect(one.seen).toHaveLength(2);
    expect(two.seen.map(({ offset }) => offset)).toEqual([1n]);
    expect([...notYet.seen, ...other.seen]).toEqual([]);
    one.stop();
    hub.take(home, 2n, frame(2));
    expect(one.seen).toHaveLength(2);
  });

  test("drops what is not above the last of its task, and still moves on", () => {
    const { hub, dropped, follow } = setup();
    const one = follow(ada);
    one.startAfter(-1n);
    for (const [offset, sequence] of [1, 2, 2, 1, 3].entries())
      hub.take(home, BigInt(offset), frame(offset, { taskId: "t", sequence }));
    expect(one.seen.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    expect(dropped).toEqual(["old", "old"]);
    expect(hub.cursorOf(ada)).toBe(`e1.${home}.4`);
  });

  test("a record that is read again, as after a lost connection, moves nothing back and is given to nobody", () => {
    const { hub, dropped, follow } = setup();
    const one = follow(ada);
    one.startAfter(-1n);
    for (const offset of [0, 1, 2]) hub.take(home, BigInt(offset), frame(offset));
    hub.take(home, 0n, null);
    hub.take(home, 1n, frame(1, { taskId: "never seen" }));
    hub.pass(home, 1n);
    expect(one.seen.map(({ offset }) => offset)).toEqual([0n, 1n, 2n]);
    expect(dropped).toEqual([]);
    expect(hub.cursorOf(ada)).toBe(`e1.${home}.2`);
    expect(
      hub
        .ringOf(home)
        ?.above(-1n, ada, 10_000)
        .frames.map(({ offset }) => offset),
    ).toEqual([0n, 1n, 2n]);
  });

  test("gives a change that lies in another partition than its user's, now and to whoever comes back, until there is a newer one", () => {
    const { hub, dropped, follow } = setup();
    const one = follow(ada);
    one.startAfter(500n);
    hub.take((home + 1) % 6, 0n, frame(0, { taskId: "t", sequence: 1 }));
    expect(one.seen).toHaveLength(1);
    expect(hub.straysOf(ada)).toHaveLength(1);
    expect(hub.straysOf(bob)).toEqual([]);
    hub.take(home, 0n, frame(1, { taskId: "t", sequence: 2 }));
    expect(hub.straysOf(ada)).toEqual([]);
    expect(dropped).toEqual([]);
  });

  test("tells those whose partition is another one once there are more to read again there, and nobody else", () => {
    const { hub, follow } = setup();
    const users = Array.from({ length: 40 }, (_, n) => `user ${n}`);
    const followers = users.map((user) => ({ user, ...follow(user) }));
    for (const { startAfter } of followers) startAfter(9n);
    for (let partition = 0; partition < 6; partition++) hub.pass(partition, 10n);
    hub.grow(6);
    expect(followers.flatMap(({ resets }) => resets)).toEqual([]);
    hub.grow(12);
    for (const { user, resets } of followers) {
      const now = partitionOf(user, 12);
      expect(resets).toEqual(partitionOf(user, 6) === now ? [] : [["moved", `e1.${now}.-1`]]);
      const offset = hub.ringOf(now)?.next() ?? 0n;
      hub.take(now, offset, frame(Number(offset), { userId: user, taskId: user }));
    }
    for (const { seen } of followers) expect(seen).toHaveLength(1);
  });

  test("knows nothing before it is begun, and nothing of before once it is begun anew", () => {
    const fresh = makeHub({ ring: { maxRecords: 100, maxBytes: 10_000 }, countDropped: () => {} });
    expect([fresh.isLive(), fresh.cursorOf(ada), fresh.ringOf(home)]).toEqual([false, null, null]);
    const { hub, dropped, from, follow } = setup();
    const one = follow(ada);
    one.startAfter(-1n);
    hub.take(home, 0n, frame(0, { taskId: "t", sequence: 5 }));
    hub.take((home + 1) % 6, 0n, frame(0, { taskId: "astray", sequence: 1 }));
    hub.restart("e2", from, "gap");
    expect(hub.straysOf(ada)).toEqual([]);
    // Not live yet: who moves is told with the rest.
    hub.grow(7);
    expect(one.resets).toEqual([]);
    hub.setLive();
    const now = hub.partitionOfUser(ada);
    hub.take(now, 0n, frame(0, { taskId: "t", sequence: 5 }));
    expect([one.seen.length, one.resets.length, dropped]).toEqual([3, 1, []]);
  });

  test("tells followers to read again after a restart, once all there was has been read", () => {
    const { hub, from, follow } = setup();
    const one = follow(ada);
    // Further on than the log that begins anew.
    one.startAfter(500n);
    hub.restart("e2", from, "epoch");
    expect(hub.cursorOf(ada)).toBeNull();
    hub.take(home, 0n, frame(0));
    expect([one.seen, one.resets]).toEqual([[], []]);
    hub.setLive();
    expect(one.resets).toEqual([["epoch", `e2.${home}.0`]]);
    hub.take(home, 1n, frame(1));
    expect(one.seen).toHaveLength(1);
    hub.setLive();
    expect(one.resets).toHaveLength(1);
  });

  test("passes what is no record: the next one is the first behind it", () => {
    const { hub, follow } = setup();
    const one = follow(ada);
    one.startAfter(-1n);
    hub.pass(home, 10n);
    expect([hub.cursorOf(ada), hub.ringOf(home)?.next()]).toEqual([`e1.${home}.9`, 10n]);
    hub.take(home, 9n, frame(9));
    hub.take(home, 10n, frame(10));
    expect(one.seen.map(({ offset }) => offset)).toEqual([10n]);
  });
});

describe("where a client goes on", () => {
  const facts: ResumeFacts = {
    cursor: null,
    epoch: "e1",
    partition: 2,
    ringStart: 900n,
    ringNext: 1000n,
    maxReplay: 500n,
    log: () => Promise.resolve({ start: 600n, end: 1010n }),
  };
  test.each([
    [null, { from: "now" }],
    ["e1.2.999", { from: "ring", after: 999n }],
    ["e1.2.899", { from: "ring", after: 899n }],
    ["e1.2.898", { from: "log", after: 898n }],
    ["e1.2.599", { from: "log", after: 599n }],
    ["e1.2.598", { from: "reset", reason: "too-old" }],
    ["e1.2.1", { from: "reset", reason: "too-old" }],
    ["e1.2.1000", { from: "later", after: 1000n }],
    ["e1.2.1009", { from: "later", after: 1009n }],
    ["e1.2.1010", { from: "reset", reason: "beyond-end" }],
    ["e0.2.950", { from: "reset", reason: "epoch" }],
    ["e1.3.950", { from: "reset", reason: "foreign" }],
    ["nonsense", { from: "reset", reason: "unreadable" }],
  ] as const)("after %p: %p", async (cursor, expected) => {
    expect(await decideResume({ ...facts, cursor })).toEqual(expected);
  });

  test("further back than the most that is replayed is too old, though the log still has it", async () => {
    const log = () => Promise.resolve({ start: 0n, end: 1000n });
    expect(await decideResume({ ...facts, cursor: "e1.2.499", log })).toEqual({ from: "log", after: 499n });
    expect(await decideResume({ ...facts, cursor: "e1.2.498", log })).toEqual({ from: "reset", reason: "too-old" });
  });

  test("asks the broker only when memory cannot tell", async () => {
    const log = () => Promise.reject(new Error("asked"));
    for (const cursor of ["e1.2.950", "e0.2.1", "e1.3.1", "e1.2.1", "x", null])
      expect((await decideResume({ ...facts, cursor, log })).from).toBeString();
    expect(decideResume({ ...facts, cursor: "e1.2.700", log })).rejects.toThrow("asked");
  });
});
