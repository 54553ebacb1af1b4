import { afterEach, describe, expect, test } from "bun:test";
import { makeMetrics } from "../../shared/metrics.ts";
import { Problem } from "../../shared/problem.ts";
import type { Follow, Sink } from "../../workers/ui-gateway/follow.ts";
import { makeStreams } from "../../workers/ui-gateway/streams.ts";
import { startTimerWheel, type TimerWheel } from "../../workers/ui-gateway/timer-wheel.ts";
import type { Frame } from "../../workers/ui-gateway/update-frame.ts";

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
  const streams = makeStreams({ follow, wheel, limits, metrics, now: () => new Date() });
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
  return { streams, open, read, sinks, change, refusal, who, stopped: () => stopped };
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
