import { describe, expect, test } from "bun:test";
import type { FetchedRecord } from "../../../shared/messages/broker.ts";
import { deadLetterRow, inboxEntryOf } from "../../../shared/consume/dead-letters/dead-letter.ts";
import { makeDependency } from "../../../shared/consume/failure/dependency.ts";
import { fingerprint } from "../../../shared/consume/failure/fingerprint.ts";
import { makeSetAside } from "../../../shared/consume/failure/set-aside.ts";
import { type FailedMessage } from "../../../shared/consume/failure/failed.ts";
import { backoff, settlesWithin } from "../../../shared/waiting/wait.ts";
import { makeWatchdog } from "../../../shared/consume/member/watchdog.ts";
import { keyOf } from "../../../shared/kafka/fetched.ts";
import { makeLog } from "../../../shared/role/log.ts";
import { Problem } from "../../../shared/problem.ts";

const log = makeLog({}, "error", () => {});
const coded = (code: string) => Object.assign(new Error(code), { code });
const deadlock = () => Object.assign(coded("40P01"), { severity: "ERROR" });
const fetched = (more: Partial<FetchedRecord> = {}): FetchedRecord => ({
  topic: "task-events",
  partition: 3,
  offset: 42n,
  timestamp: 1_700_000_000_000,
  key: "k",
  value: new Uint8Array([0, 0, 0, 0, 9, 1]),
  headers: [],
  generation: 1,
  ...more,
});

describe("a message that failed", () => {
  /** `failures` are what the first and the further tries fail with; after them it works. */
  async function setAsideAfter(failures: readonly unknown[], more: { key?: null; tiersMs?: readonly number[] } = {}) {
    const sealed: [fate: string, failure: string, tries: number][] = [];
    const seal = (fate: string) => async (failed: FailedMessage) => {
      sealed.push([fate, failed.class, failed.attempts.length]);
    };
    let tries = 1;
    const setAside = makeSetAside({
      giveUp: seal("buried"),
      park: seal("parked"),
      flood: { hold: async () => false },
      tiersMs: more.tiersMs ?? [5_000],
      isFatal: (error) => error instanceof Error && error.message === "fatal",
      retried: () => {},
      log,
      now: () => new Date(0),
      stop: new AbortController().signal,
    });
    const again = async () => {
      const failure = failures[tries++];
      if (failure !== undefined) throw failure;
    };
    const fate = await setAside({
      record: fetched(more.key === null ? { key: null } : {}),
      userId: null,
      error: failures[0],
      again,
    });
    return { fate, tries, sealed };
  }
  const times = (count: number, make: () => Error) => Array.from({ length: count }, make);

  test.each([
    ["permanent", () => new Problem("INVARIANT"), 2, "buried"],
    ["invalid", () => new Problem("UNDECODABLE"), 2, "buried"],
    ["unknown", () => new Error("who knows"), 4, "parked"],
  ] as const)("that is %s has its fate sealed after its last try in process", async (failure, make, tries, fate) => {
    const result = await setAsideAfter(times(99, make));
    expect(result.tries).toBe(tries);
    expect(result.sealed).toEqual([[fate, failure, tries]]);
  });

  test("is buried where there is no tier to wait, or no key to park", async () => {
    for (const more of [{ tiersMs: [] }, { key: null }])
      expect(
        (
          await setAsideAfter(
            times(99, () => new Error("who knows")),
            more,
          )
        ).fate,
      ).toBe("dead");
  });

  test("that works at its last try is neither parked nor buried", async () => {
    expect(await setAsideAfter(times(3, () => new Error("not yet")))).toEqual({
      fate: "handled",
      tries: 4,
      sealed: [],
    });
  });

  test("over a deadlock spends none of its tries", async () => {
    const result = await setAsideAfter([...times(10, deadlock), ...times(3, () => new Error("x"))]);
    expect(result).toEqual({ fate: "handled", tries: 14, sealed: [] });
  });

  test("that was told to come back later than the lane can wait is parked at once", async () => {
    const later = () => new Problem("TOO_MANY_STREAMS", "later", { retryAfterSeconds: 60 });
    const throttled = () => Object.assign(later(), { status: 429 });
    expect((await setAsideAfter(times(9, throttled))).sealed).toEqual([["parked", "throttled", 1]]);
  });

  test("with what nothing can mend is handed up", async () => {
    expect(setAsideAfter([new Error("fatal")])).rejects.toThrow("fatal");
  });
});

describe("waiting for what is down", () => {
  function setup(probes: readonly boolean[]) {
    let asked = 0;
    const stop = new AbortController();
    const probe = async () => {
      if (!(probes[asked++] ?? true)) throw coded("ECONNREFUSED");
    };
    return { dependency: makeDependency({ probe, log, stop: stop.signal }), asked: () => asked, stop };
  }
  const failing = (times: number, error: () => Error) => {
    let left = times;
    return async () => {
      if (left-- > 0) throw error();
      return "done";
    };
  };

  test("goes on for as long as the probe fails, then tries again", async () => {
    const { dependency, asked } = setup([false, false, false, true]);
    expect(await dependency.retry(failing(1, () => coded("ECONNREFUSED")))).toBe("done");
    expect(asked()).toBe(4);
    expect(dependency.isWaiting()).toBe(false);
  });

  test("ends when the probe answers twice and the failure stays", async () => {
    const { dependency, asked } = setup([]);
    expect(dependency.retry(failing(3, () => coded("ECONNRESET")))).rejects.toMatchObject({
      code: "DEPENDENCY_ANSWERS",
    });
    await dependency.retry(failing(3, () => coded("ECONNRESET"))).catch(() => {});
    expect(asked()).toBeGreaterThanOrEqual(2);
  });

  test.each(["25006", "53100", "53300", "57P03"])(
    "never ends over a state that Postgres says itself (%s), whatever the probe answers",
    async (code) => {
      const { dependency } = setup([]);
      const error = () => Object.assign(coded(code), { name: "PostgresError", severity: "ERROR" });
      expect(await dependency.retry(failing(6, error))).toBe("done");
    },
  );

  test("what Postgres says itself says nothing of the failure after it", async () => {
    const { dependency } = setup([]);
    const full = () => Object.assign(coded("53100"), { name: "PostgresError", severity: "ERROR" });
    const errors = [full(), full(), coded("ECONNRESET")];
    const attempt = async () => {
      const error = errors.shift();
      if (error !== undefined) throw error;
      return "done";
    };
    expect(await dependency.retry(attempt)).toBe("done");
  });

  test("is one wait from the first failure to the end, told with what fails and with null", async () => {
    const told: unknown[] = [];
    const stop = new AbortController();
    const dependency = makeDependency({
      probe: async () => {},
      tell: (error) => told.push(error instanceof Error ? error.message : error),
      log,
      stop: stop.signal,
    });
    const waiting: boolean[] = [];
    let left = 2;
    await dependency.retry(async () => {
      waiting.push(dependency.isWaiting());
      if (left-- > 0) throw new Problem("UNAVAILABLE", "the registry");
    });
    expect(told).toEqual(["the registry", "the registry", null]);
    expect([...waiting, dependency.isWaiting()]).toEqual([false, true, true, false]);
  });

  test("tells what the probe fails with, where that is another outage than the message's", async () => {
    const told: unknown[] = [];
    const failures = [
      coded("ECONNRESET"),
      Object.assign(coded("25006"), { name: "PostgresError", severity: "ERROR" }),
      new Error("no outage"),
    ];
    const dependency = makeDependency({
      probe: async () => {
        const failure = failures.shift();
        if (failure !== undefined) throw failure;
      },
      tell: (error) => told.push(error === null ? null : Reflect.get(Object(error), "code")),
      log,
      stop: new AbortController().signal,
    });
    await dependency.retry(failing(1, () => coded("CONNECTION_CLOSED")));
    expect(told).toEqual(["CONNECTION_CLOSED", "ECONNRESET", "25006", null]);
  });

  test("survives a probe that throws at once", async () => {
    let asked = 0;
    const probe = () => {
      if (asked++ === 0) throw coded("ECONNREFUSED");
      return Promise.resolve();
    };
    const dependency = makeDependency({ probe, log, stop: new AbortController().signal });
    expect(await dependency.retry(failing(1, () => coded("ECONNREFUSED")))).toBe("done");
    expect(asked).toBe(2);
  });

  test("counts answers anew after the probe has failed again", async () => {
    const { dependency } = setup([true, true, false, true]);
    expect(await dependency.retry(failing(4, () => coded("ECONNRESET"))).catch(({ code }) => code)).toBe(
      "DEPENDENCY_ANSWERS",
    );
    const flapping = setup([true, false, true, false, true, false, true, true]);
    expect(await flapping.dependency.retry(failing(4, () => coded("ECONNRESET")))).toBe("done");
  });

  test("does not concern a failure of another kind", async () => {
    const { dependency, asked } = setup([]);
    expect(dependency.retry(failing(1, () => new Error("a bug")))).rejects.toThrow("a bug");
    expect(asked()).toBe(0);
  });

  test("ends with the role", async () => {
    const { dependency, stop } = setup(Array(999).fill(false));
    const waiting = dependency.retry(failing(99, () => coded("ECONNREFUSED")));
    await Bun.sleep(20); // lets it begin to wait
    expect(dependency.isWaiting()).toBe(true);
    stop.abort();
    expect(waiting).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await waiting.catch(() => {});
  });
});

describe("a dead letter", () => {
  const row = (record: FetchedRecord, error: unknown = new Error("no")) =>
    deadLetterRow({ record, group: "reminder-service", class: "unknown", error, attempts: [], now: new Date(5) });
  const headersOf = (record: FetchedRecord, error?: unknown) =>
    new Map<string, unknown>(JSON.parse(row(record, error).headers));

  test("keeps key and bytes and has its own id, the same at every try", () => {
    const one = row(fetched());
    expect([one.topic, one.key, [...one.value], one.sequence]).toEqual([
      "reminder-service-dlq",
      "k",
      [0, 0, 0, 0, 9, 1],
      null,
    ]);
    expect(row(fetched()).messageId).toBe(one.messageId);
    expect(row(fetched({ offset: 43n })).messageId).not.toBe(one.messageId);
  });

  test("says where the record was and which schema it names", () => {
    expect(Object.fromEntries(headersOf(fetched()))).toMatchObject({
      "x-original-partition": "3",
      "x-original-offset": "42",
      "x-original-timestamp": "2023-11-14T22:13:20.000Z",
      "x-schema-id": "9",
    });
    expect(headersOf(fetched({ value: new Uint8Array([7]) })).get("x-schema-id")).toBe("none");
  });

  test("keeps a stack of 4 KB at most, its causes below", () => {
    const error = new Error("outer", { cause: new Error("ö".repeat(5_000)) });
    const stack = String(headersOf(fetched(), error).get("x-error-stack"));
    expect(Buffer.byteLength(stack)).toBeLessThanOrEqual(4_096);
    expect(stack).toContain("caused by");
  });

  test("keeps a key Postgres cannot hold beside one it can", () => {
    const odd = fetched({ key: "a\0b" });
    expect(row(odd).key).toBe("a\u{fffd}b");
    expect(Buffer.from(String(headersOf(odd).get("x-original-key")), "base64").toString()).toBe("a\0b");
  });

  test("keeps a key that is no text, and says what was not there at all", () => {
    const bytes = Buffer.from([0xff, 0x00, 0x61]);
    const record = fetched(keyOf(bytes));
    expect(Buffer.from(String(headersOf(record).get("x-original-key")), "base64").equals(bytes)).toBe(true);
    expect(headersOf(record).get("x-original-null")).toBeUndefined();
    expect(headersOf(fetched({ key: null, value: null })).get("x-original-null")).toBe("key,value");
    expect(keyOf(Buffer.from("\u{fffd}ö"))).toEqual({ key: "\u{fffd}ö" });
  });

  test("without a readable envelope is known by its place in the log", () => {
    expect(inboxEntryOf(fetched())).toEqual(inboxEntryOf(fetched({ key: "other" })));
    expect(inboxEntryOf(fetched()).id).not.toBe(inboxEntryOf(fetched({ partition: 4 })).id);
    expect(inboxEntryOf(fetched()).time).toEqual(new Date(1_700_000_000_000));
  });
});

test("failures of one kind have one fingerprint, of another kind another", () => {
  const fail = (id: string) => new Error(`task ${id} has 17 "things"`);
  const a = fingerprint("unknown", fail("0b8f9a52-6c1e-4d35-9d52-7a35a3a5f0aa"));
  expect(fingerprint("unknown", fail("11111111-2222-4333-8444-555555555555"))).toBe(a);
  expect(fingerprint("permanent", fail("11111111-2222-4333-8444-555555555555"))).not.toBe(a);
  expect(fingerprint("unknown", new Error("something else"))).not.toBe(a);
  expect(a).toMatch(/^[0-9a-f]{16}$/);
});

test("the watchdog counts only time in which something should have moved and did not", () => {
  const watchdog = makeWatchdog(100);
  const seen: boolean[] = [];
  for (const [at, signature, excused] of [
    [0, "a", false],
    [90, "a", false],
    [100, "a", false],
    [110, "b", false],
    [200, "b", true],
    [299, "b", false],
    [300, "b", false],
  ] as const)
    seen.push(watchdog.isSuspicious(at, signature, excused));
  expect(seen).toEqual([false, false, true, false, false, false, true]);
  watchdog.reset(300);
  expect(watchdog.isSuspicious(399, "b", false)).toBe(false);
});

test("backoff stays under its ceiling and a wait ends by itself", async () => {
  for (let round = 0; round < 50; round++)
    expect(backoff(round, { baseMs: 10, maxMs: 100 })).toBeLessThanOrEqual(Math.min(100, 10 * 2 ** round));
  expect(await settlesWithin(1_000, Promise.reject(new Error("x")))).toBe(true);
  expect(await settlesWithin(5, new Promise(() => {}))).toBe(false);
});
