import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { readConfig } from "../../shared/config.ts";
import { makeLog } from "../../shared/log.ts";
import { channelSettings, makeChannels } from "../../workers/notification-service/channels.ts";
import { retryDelayMs, retryPolicy } from "../../workers/notification-service/retry-delay.ts";
import { makeWake } from "../../workers/notification-service/wake.ts";

const log = makeLog({}, "error");
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

describe("retries", () => {
  test("the wait lies between nothing and a bound that doubles up to ten minutes", () => {
    const bounds = [1, 2, 3, 10, 11].map((attempt) => retryDelayMs(attempt, retryPolicy, () => 1));
    expect(bounds).toEqual([1_000, 2_000, 4_000, 512_000, 600_000]);
    expect(retryDelayMs(3, retryPolicy, () => 0)).toBe(0);
  });
  test("the last attempt is not followed by another", () => {
    expect(retryDelayMs(12, retryPolicy, () => 1)).toBeNull();
  });
  test("whatever the draw, the wait is within the bound", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 11 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, draw) => {
          const delay = retryDelayMs(attempt, retryPolicy, () => draw);
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThanOrEqual(Math.min(600_000, 1000 * 2 ** (attempt - 1)));
        },
      ),
    );
  });
});

describe("the channels of an environment", () => {
  const names = (env: Record<string, string>) =>
    makeChannels(readConfig(channelSettings, env), { log, now: () => new Date() }).map(({ name }) => name);
  test("without a URL notifications are logged", () => {
    expect(names({})).toEqual(["log"]);
  });
  test("with a URL and a secret they are posted too", () => {
    expect(names({ NOTIFY_WEBHOOK_URL: "https://example.org/hook", NOTIFY_WEBHOOK_SECRET: secret })).toEqual([
      "log",
      "webhook",
    ]);
  });
  test.each<[Record<string, string>, string]>([
    [{ NOTIFY_WEBHOOK_URL: "https://example.org/hook" }, "NOTIFY_WEBHOOK_SECRET is not set"],
    [{ NOTIFY_WEBHOOK_URL: "ftp://example.org" }, "must be a URL beginning with http:// or https://"],
    [{ NOTIFY_WEBHOOK_URL: "example.org/hook" }, "must be a URL beginning with http:// or https://"],
    [{ NOTIFY_WEBHOOK_URL: "https://example.org/hook", NOTIFY_WEBHOOK_SECRET: "whsec_" }, "Secret can't be empty"],
  ])("%j is refused", (env, message) => {
    expect(() => names(env)).toThrow(message);
  });
});

describe("waking a loop", () => {
  const never = new AbortController().signal;
  const msOf = async (work: Promise<void>) => {
    const from = performance.now();
    await work;
    return performance.now() - from;
  };
  test("a wake-up while nobody waits is not lost", async () => {
    const wake = makeWake();
    wake.now();
    expect(await msOf(wake.wait(never))).toBeLessThan(200);
  });
  test("a wake-up ends the wait", async () => {
    const wake = makeWake();
    const waited = msOf(wake.wait(never));
    wake.now();
    expect(await waited).toBeLessThan(200);
  });
  test("after a hint it looks often for a moment, then by the second again", async () => {
    let clock = 0;
    const wake = makeWake(() => clock);
    wake.soon();
    await wake.wait(never);
    expect(await msOf(wake.wait(never))).toBeLessThan(500);
    clock = 10_000;
    expect(await msOf(wake.wait(never))).toBeGreaterThan(900);
  });
  test("an abort ends it", async () => {
    const stop = new AbortController();
    const waited = msOf(makeWake().wait(stop.signal));
    stop.abort();
    expect(await waited).toBeLessThan(200);
    expect(await msOf(makeWake().wait(stop.signal))).toBeLessThan(200);
  });
});
