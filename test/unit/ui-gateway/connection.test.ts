import { describe, expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import { openConnection, type EndReason } from "../../../workers/ui-gateway/stream/connection.ts";
import { startTimerWheel } from "../../../workers/ui-gateway/stream/timer-wheel.ts";
import { makeWaiting } from "../../../workers/ui-gateway/stream/waiting.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (chunk: Uint8Array | null) => (chunk === null ? null : new TextDecoder().decode(chunk));

describe("what waits for a client", () => {
  test("a task's newer change replaces the waiting one and moves to the tail", () => {
    const waiting = makeWaiting();
    for (const [key, value] of [
      ["a", "a1"],
      ["b", "b2"],
      ["a", "a3"],
    ] as const)
      waiting.put(key, bytes(value));
    expect([text(waiting.take()), text(waiting.take()), waiting.take()]).toEqual(["b2", "a3", null]);
    expect(waiting.bytes()).toBe(0);
  });

  test("all is dropped but the entry that is spared, with its bytes", () => {
    const waiting = makeWaiting();
    for (const key of ["state", "a", "b"]) waiting.put(key, bytes(`${key}!`));
    waiting.clear("state");
    expect([waiting.count(), waiting.bytes()]).toEqual([1, 6]);
    waiting.put("c", bytes("c"));
    expect([text(waiting.take()), text(waiting.take()), waiting.take()]).toEqual(["state!", "c", null]);
    waiting.put("state", bytes("s"));
    waiting.clear();
    expect([waiting.count(), waiting.bytes()]).toEqual([0, 0]);
  });

  test("ids only rise, nothing of a task's last state is lost, and the bytes are counted, however puts and takes mix", () => {
    const step = fc.oneof(fc.constantFrom("a", "b", "c"), fc.constant(null));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const waiting = makeWaiting();
        const taken: number[] = [];
        const last = new Map<string, number>();
        for (const [id, key] of steps.entries())
          if (key === null) taken.push(...[waiting.take()].flatMap((one) => (one === null ? [] : [Number(text(one))])));
          else {
            waiting.put(key, bytes(String(id)));
            last.set(key, id);
          }
        for (let one = waiting.take(); one !== null; one = waiting.take()) taken.push(Number(text(one)));
        expect(taken).toEqual(taken.toSorted((a, b) => a - b));
        for (const id of last.values()) expect(taken).toContain(id);
        expect(waiting.bytes()).toBe(0);
      }),
    );
  });
});

describe("a connection", () => {
  const setup = (maxWaitingBytes = 100_000) => {
    const ends: EndReason[] = [];
    const connection = openConnection({ maxWaitingBytes, onEnd: (reason) => ends.push(reason) });
    return { connection, ends, reader: connection.body.getReader() };
  };
  const big = "x".repeat(16 * 1024);

  test("gives what comes at once while the client takes it", async () => {
    const { connection, reader } = setup();
    connection.put("a", bytes("one"));
    expect(text((await reader.read()).value ?? null)).toBe("one");
    const next = reader.read();
    connection.put("a", bytes("two"));
    expect(text((await next).value ?? null)).toBe("two");
  });

  test("merges per key while the client takes nothing, and goes on in order when it does", async () => {
    const { connection, reader } = setup();
    connection.put("first", bytes(big));
    for (const [key, value] of [
      ["a", "a1"],
      ["b", "b2"],
      ["a", "a3"],
    ] as const)
      connection.put(key, bytes(value));
    const got = [await reader.read(), await reader.read(), await reader.read()];
    expect(got.map(({ value }) => text(value ?? null)?.slice(0, 2))).toEqual(["xx", "b2", "a3"]);
  });

  test("ends as slow above its budget, counting what merging could not save", () => {
    const { connection, ends } = setup(1000);
    connection.put("first", bytes(big));
    for (let i = 0; i < 100; i++) connection.put("same", bytes("y".repeat(900)));
    expect(ends).toEqual([]);
    connection.put("other", bytes("z".repeat(200)));
    expect(ends).toEqual(["slow"]);
    expect(connection.ended()).toBeTrue();
  });

  test("one alone is never too much, however large", async () => {
    const { connection, ends, reader } = setup(1000);
    connection.put("first", bytes(big));
    connection.put("a", bytes("y".repeat(5000)));
    expect(ends).toEqual([]);
    await reader.read();
    expect((await reader.read()).value).toHaveLength(5000);
  });

  test("says its last word and closes; ends once, however often and by whom", async () => {
    const { connection, ends, reader } = setup();
    connection.end("drain", bytes("bye"));
    connection.end("age");
    connection.put("a", bytes("late"));
    expect(text((await reader.read()).value ?? null)).toBe("bye");
    expect((await reader.read()).done).toBeTrue();
    expect(ends).toEqual(["drain"]);
  });

  test("a client that goes away ends it", async () => {
    const { connection, ends, reader } = setup();
    await reader.cancel();
    connection.put("a", bytes("late"));
    expect(ends).toEqual(["gone"]);
  });

  test("has room again once less than half of its budget waits", async () => {
    const { connection, reader } = setup(1000);
    expect(connection.room()).toBeNull();
    connection.put("first", bytes(big));
    connection.put("a", bytes("y".repeat(600)));
    let hasRoom = false;
    const room = connection.room()?.then(() => (hasRoom = true));
    await Promise.resolve();
    expect(hasRoom).toBeFalse();
    await reader.read();
    await room;
    expect(hasRoom).toBeTrue();
  });
});

describe("the timer wheel", () => {
  test("calls back in time, once, and not what was called off", async () => {
    using wheel = startTimerWheel(5);
    const called: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    wheel.after(0.02, () => called.push("first"));
    const callOff = wheel.after(0.02, () => called.push("never"));
    wheel.after(0.06, () => {
      called.push("last");
      resolve();
    });
    callOff();
    await promise;
    expect(called).toEqual(["first", "last"]);
  });
});
