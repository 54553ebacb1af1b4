import { afterEach, describe, expect, test } from "bun:test";
import { makeFreshness } from "../../../workers/ui-gateway/stream/freshness.ts";
import { makeMetrics } from "../../../shared/role/metrics.ts";
import { Problem } from "../../../shared/problem.ts";
import type { Follow, Sink } from "../../../workers/ui-gateway/stream/follow.ts";
import { makeStreams } from "../../../workers/ui-gateway/stream/streams.ts";
import { startTimerWheel, type TimerWheel } from "../../../workers/ui-gateway/stream/timer-wheel.ts";
import type { Frame } from "../../../workers/ui-gateway/stream/update-frame.ts";

const wheels: TimerWheel[] = [];
afterEach(() => {
  for (const wheel of wheels.splice(0)) wheel[Symbol.dispose]();
});

/** Streams of at most three for each user and eight in all, whose changes are given by hand. */
function setup({ followed = Promise.resolve() }: { followed?: Promise<void> } = {}) {
  const wheel = startTimerWheel();
  wheels.push(wheel);
  const sinks: Sink[] = [];
  let stopped = 0;
  const follow: Follow = async (_user, _cursor, sink) => {
    sinks.push(sink);
    await followed;
    return { cursor: () => null, stop: () => void stopped++ };
  };
  const limits = {
    perUser: 3,
    perInstance: 8,
    maxWaitingBytes: 100_000,
    heartbeatSeconds: 15,
    maxAgeSeconds: 600,
  };
  const metrics = makeMetrics("ui-gateway", { process: false });
  let nowMs = 0;
  const freshness = makeFreshness(() => nowMs);
  const streams = makeStreams({ follow, freshness, wheel, limits, metrics, now: () => new Date() });
  const who = (userId: string) => ({ userId, sessionId: "s", expiresAt: new Date(Date.now() + 3_600_000) });
  const open = async (userId: string) => {
    const client = new AbortController();
    const answer = await streams.open(who(userId), null, client.signal);
    const reader = answer.body?.getReader();
    if (reader === undefined) throw new Error("no body");
    return { leave: () => client.abort(), reader };
  };
  type Reader = Awaited<ReturnType<typeof open>>["reader"];
  /** What comes until the stream is quiet, and whether it has ended. */
  const read = async (reader: Reader) => {
    let text = "";
    for (;;) {
      const next = await Promise.race([reader.read(), Bun.sleep(20).then(() => null)]);
      if (next === null) return { text, ended: false };
      if (next.done) return { text, ended: true };
      text += new TextDecoder().decode(next.value);
    }
  };
  const change = (userId: string, size: number): Frame => ({
    partition: 0,
    offset: 1n,
    userId,
    taskId: crypto.randomUUID(),
    sequence: 1,
    changeType: "updated",
    isCompleted: false,
    bytes: new Uint8Array(size),
    json: { start: 0, end: 0 },
  });
  const refusal = async (work: () => unknown) => {
    try {
      await work();
    } catch (error) {
      if (error instanceof Problem) return error.code;
      throw error;
    }
    return null;
  };
  /** Kafka is not heard of for so long, and heard of again for 0. */
  const silentFor = (seconds: number) => {
    freshness.heard([0]);
    nowMs += seconds * 1000;
    freshness.look();
  };
  return { silentFor, streams, open, read, sinks, change, refusal, who, stopped: () => stopped };
}

describe("more streams than a user may have", () => {
  test("the oldest makes room for the newest, is told so, and not to come back at once", async () => {
    const { open, read, stopped } = setup();
    const streams = [];
    for (let i = 0; i < 5; i++) streams.push(await open("ada"));
    const told = await Promise.all(streams.map(({ reader }) => read(reader)));
    expect(told.map(({ ended }) => ended)).toEqual([true, true, false, false, false]);
    for (const { text } of told.slice(0, 2)) {
      expect(text).toContain('event: drain\ndata: {"reason":"replaced"}');
      expect(Number(/retry: (\d+)\nevent: drain/.exec(text)?.[1])).toBeWithin(30_000, 60_001);
    }
    expect(stopped()).toBe(2);
  });

  test("one whose client does not take what it is sent goes before older ones that do", async () => {
    const { open, read, sinks, change } = setup();
    const [first, ghost, third] = [await open("ada"), await open("ada"), await open("ada")];
    const readers = [first, third].map(async ({ reader }) => {
      for (let size = 0; size < 40_000;) size += (await reader.read()).value?.byteLength ?? 0;
    });
    for (const sink of sinks) for (let i = 0; i < 2; i++) sink.change(change("ada", 20_000));
    await Promise.all(readers);
    await open("ada");
    expect((await read(first.reader)).ended).toBeFalse();
    expect((await read(third.reader)).ended).toBeFalse();
    expect((await read(ghost.reader)).ended).toBeTrue();
  });

  test("nobody else's make room, however full the instance is; one of their own does", async () => {
    const { open, refusal } = setup();
    for (const user of ["ada", "ada", "ada", "bob", "bob", "bob", "eve", "eve"]) await open(user);
    expect(await refusal(() => open("eve"))).toBe("TOO_MANY_STREAMS");
    expect(await refusal(() => open("bob"))).toBeNull();
  });

  test("those that are still being opened count, with or without a client, and make no room", async () => {
    const opening = Promise.withResolvers<void>();
    const { streams, refusal, who } = setup({ followed: opening.promise });
    const client = new AbortController();
    const open = () => streams.open(who("ada"), null, client.signal);
    const answers = [open(), open(), open()];
    client.abort();
    expect(await refusal(open)).toBe("TOO_MANY_STREAMS");
    opening.resolve();
    await Promise.all(answers);
    expect(await refusal(open)).toBeNull();
  });

  test("polls count beside streams: vanished streams keep none out, and none ends a stream", async () => {
    const { streams, open, read, refusal } = setup();
    const mine = [await open("ada"), await open("ada"), await open("ada")];
    const leave = [1, 2, 3].map(() => streams.admit("ada"));
    expect(await refusal(() => streams.admit("ada"))).toBe("TOO_MANY_STREAMS");
    leave[0]?.();
    leave[0]?.();
    expect(await refusal(() => streams.admit("ada"))).toBeNull();
    expect(await refusal(() => streams.admit("ada"))).toBe("TOO_MANY_STREAMS");
    for (const { reader } of mine) expect((await read(reader)).ended).toBeFalse();
  });
});

test("an instance that stops says so to each stream, and takes no stream or poll any more", async () => {
  const { streams, open, read, refusal } = setup();
  const { reader } = await open("ada");
  await streams.drain(50);
  expect(await read(reader)).toMatchObject({ text: expect.stringContaining('"stopping"'), ended: true });
  expect([await refusal(() => open("ada")), await refusal(() => streams.admit("ada"))]).toEqual([
    "UNAVAILABLE",
    "UNAVAILABLE",
  ]);
});

test("a stream says when its instance hears of no changes, and when it does again", async () => {
  const { open, read, silentFor } = setup();
  const early = await open("ada");
  silentFor(14);
  silentFor(15);
  const late = await open("ada");
  silentFor(0);
  for (const { reader } of [early, late]) {
    const { text } = await read(reader);
    const states = [...text.matchAll(/event: state\ndata: (.*)\n\n/g)].map(([, data]) => data);
    expect(states).toEqual(['{"state":"stale"}', '{"state":"live"}']);
  }
});

test("a reset takes the state of the instance from nobody whose connection is full", async () => {
  const { open, read, sinks, change, silentFor } = setup();
  const slow = await open("ada");
  silentFor(15);
  for (let i = 0; i < 2; i++) sinks[0]?.change(change("ada", 20_000));
  silentFor(0);
  sinks[0]?.reset("gap", "e1.0.1");
  const { text } = await read(slow.reader);
  const events = [...text.matchAll(/event: (reset|state)\ndata: (.*)\n\n/g)].map(([, event, data]) => [event, data]);
  expect(events).toEqual([
    ["state", '{"state":"stale"}'],
    ["state", '{"state":"live"}'],
    ["reset", '{"reason":"gap","cursor":"e1.0.1"}'],
  ]);
});

describe("what a stream gives", () => {
  /** A change whose bytes can be told from others. */
  const marked = (change: (userId: string, size: number) => Frame, mark: string, size: number): Frame => ({
    ...change("ada", 0),
    bytes: new TextEncoder().encode(mark.padEnd(size, ".")),
  });

  test("after a reset nothing that waited from before it: the client would lay it over what it reads again", async () => {
    const { open, read, sinks, change } = setup();
    const { reader } = await open("ada");
    const [sink] = sinks;
    if (sink === undefined) throw new Error("nobody follows");
    // The first goes into the socket's buffer, which nobody reads; what follows waits.
    sink.change(marked(change, "first", 40_000));
    sink.change(marked(change, "before the reset", 1_000));
    sink.reset("gap", "e.0.7");
    sink.change(marked(change, "after the reset", 1_000));
    const { text } = await read(reader);
    expect(text).toContain("first");
    expect(text).not.toContain("before the reset");
    expect(text.indexOf("event: reset")).toBeLessThan(text.indexOf("after the reset"));
    expect(text).toContain('data: {"reason":"gap","cursor":"e.0.7"}');
  });

  test("nothing of another user, even if it is handed to it", async () => {
    const { open, read, sinks, change } = setup();
    const { reader } = await open("ada");
    sinks[0]?.change({ ...marked(change, "of bob", 100), userId: "bob" });
    sinks[0]?.change(marked(change, "of ada", 100));
    const { text } = await read(reader);
    expect(text).toContain("of ada");
    expect(text).not.toContain("of bob");
  });
});
