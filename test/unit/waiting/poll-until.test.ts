import { describe, expect, test } from "bun:test";
import { pollUntil } from "../../../shared/waiting/poll-until.ts";

const never = new AbortController().signal;

describe("looking until there is something", () => {
  test("looks once where it is there, and where there is no patience", async () => {
    let looks = 0;
    const look = (found: string | null) => async () => {
      looks += 1;
      return found;
    };
    expect(await pollUntil(look("here"), { ms: 1_000, signal: never })).toBe("here");
    expect(await pollUntil(look(null), { ms: 0, signal: never })).toBeNull();
    expect(looks).toBe(2);
  });

  test("gives what a later look finds, also a falsy value", async () => {
    let looks = 0;
    expect(await pollUntil(async () => (++looks < 4 ? null : false), { ms: 5_000, signal: never })).toBe(false);
    expect(looks).toBe(4);
  });

  test("looks a last time when the patience has ended", async () => {
    const began = performance.now();
    let last = 0;
    const found = await pollUntil(async () => ((last = performance.now() - began), null), { ms: 100, signal: never });
    expect(found).toBeNull();
    expect(last).toBeGreaterThanOrEqual(100);
  });

  test("ends with the request that waits, in the middle of a pause too", async () => {
    const gone = new AbortController();
    const waiting = pollUntil(async () => null, { ms: 60_000, signal: gone.signal });
    setTimeout(() => gone.abort(new Error("the client has gone")), 70);
    const began = performance.now();
    expect(await waiting.catch((error: Error) => error.message)).toBe("the client has gone");
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test("what a look throws is thrown", async () => {
    const broken = pollUntil(() => Promise.reject(new Error("away")), { ms: 1_000, signal: never });
    expect(await broken.catch((error: Error) => error.message)).toBe("away");
  });
});
