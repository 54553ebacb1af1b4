import { describe, expect, test } from "bun:test";
import { makeFloodGuard } from "../../../../shared/consume/failure/flood-guard.ts";
import { makeLog } from "../../../../shared/role/log.ts";
import { until } from "../../../support/until.ts";

function setup() {
  const stop = new AbortController();
  const changes: boolean[] = [];
  const guard = makeFloodGuard({
    window: 10,
    keys: 3,
    probeMs: { baseMs: 5, maxMs: 10 },
    log: makeLog({}, "error", () => {}),
    stop: stop.signal,
    changed: (flooded) => void changes.push(flooded),
  });
  let broken = true;
  let running = 0;
  let most = 0;
  let tries = 0;
  const again = async () => {
    tries += 1;
    most = Math.max(most, ++running);
    await Bun.sleep(1);
    running -= 1;
    if (broken) throw new Error("broken");
  };
  const fail = (key: string, mark = "a") => guard.hold({ key, mark, again, isFatal: () => false });
  /** Nine of four keys, one after the other: the next fills the window. */
  const almost = async () => {
    for (let n = 0; n < 9; n++) expect(await fail(`k${n % 4}`)).toBe(false);
  };
  return { guard, stop, changes, fail, almost, mend: () => (broken = false), most: () => most, tries: () => tries };
}

describe("when most of the last messages fail alike", () => {
  test("what fails further is held, probed one at a time, and handled once a probe works", async () => {
    const { guard, changes, fail, almost, mend, most, tries } = setup();
    await almost();
    expect(tries()).toBe(0);
    const held = ["k1", "k2", "k3"].map((key) => fail(key));
    expect(guard.isFlooded()).toBe(true);
    await until("some probes", () => tries() > 4);
    expect([most(), guard.held()]).toEqual([1, 3]);
    mend();
    expect(await Promise.all(held)).toEqual([true, true, true]);
    expect([guard.isFlooded(), guard.held(), changes]).toEqual([false, 0, [true, false]] as never);
  });

  test("an operator lets what is held go its way, and what follows until something works", async () => {
    const { guard, fail, almost, tries } = setup();
    await almost();
    const held = fail("k1");
    await until("a probe", () => tries() > 0);
    guard.release();
    expect(await held).toBe(false);
    const before = tries();
    for (let n = 0; n < 30; n++) expect(await fail(`k${n}`)).toBe(false);
    expect(tries()).toBe(before);
    guard.worked("k9");
    for (let n = 0; n < 8; n++) expect(await fail(`k${n}`)).toBe(false);
    const again = fail("k8");
    expect(guard.isFlooded()).toBe(true);
    guard.release();
    expect(await again).toBe(false);
  });

  test("it ends when others work, so that it is no longer most", async () => {
    const { guard, fail, almost } = setup();
    await almost();
    const held = fail("k1");
    for (let n = 0; n < 5; n++) guard.worked(`w${n}`);
    expect(guard.isFlooded()).toBe(false);
    expect(await held).toBe(false);
  });

  test("a stop lets nothing wait", async () => {
    const { stop, fail, almost } = setup();
    await almost();
    const held = fail("k1");
    stop.abort();
    expect(await held).toBe(false);
  });
});

test.each([
  ["of too few keys", (n: number) => [`k${n % 2}`, "a"]],
  ["in different ways", (n: number) => [`k${n}`, `mark ${n % 2}`]],
] as const)("failures %s are no flood", async (_what, of) => {
  const { guard, fail } = setup();
  for (let n = 0; n < 40; n++) {
    const [key = "", mark = ""] = of(n);
    expect(await fail(key, mark)).toBe(false);
  }
  expect(guard.isFlooded()).toBe(false);
});

test("failures among as many successes are no flood", async () => {
  const { guard, fail } = setup();
  for (let n = 0; n < 40; n++) {
    expect(await fail(`k${n}`)).toBe(false);
    guard.worked(`w${n}`);
  }
  expect(guard.isFlooded()).toBe(false);
});
