import { describe, expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import { makeLimiter, type Policy } from "../../../shared/limits/limiter.ts";
import { rateHeaders } from "../../../workers/ui-gateway/limits/rate-headers.ts";
import { shareLimiter, type Ledger } from "../../../workers/ui-gateway/limits/share-limiter.ts";
import { clientAddress } from "../../../shared/limits/client-address.ts";
import { addressCostOf, costOf } from "../../../workers/ui-gateway/limits/route-costs.ts";
import { until } from "../../support/until.ts";

const policy: Policy = { name: "user", burst: 10, perSecond: 2 };

function setup(of: Policy = policy) {
  let at = 1_000;
  const limiter = makeLimiter(of, { now: () => at });
  return { limiter, pass: (ms: number) => (at += ms) };
}

describe("a bucket", () => {
  test("gives what is there, says what is left, and refuses without taking", () => {
    const { limiter, pass } = setup();
    expect(limiter.take("a", 4)).toMatchObject({ isOver: false, left: 6, fullInSeconds: 2, retryAfterSeconds: 0 });
    expect(limiter.take("a", 7)).toMatchObject({ isOver: true, left: 6, retryAfterSeconds: 1 });
    expect(limiter.take("a", 6)).toMatchObject({ isOver: false, left: 0, fullInSeconds: 5 });
    expect(limiter.take("a", 5)).toMatchObject({ isOver: true, left: 0, retryAfterSeconds: 3 });
    expect(limiter.take("b", 10).isOver).toBe(false);
    pass(2_499);
    expect(limiter.take("a", 5).isOver).toBe(true);
    pass(1);
    expect(limiter.take("a", 5).isOver).toBe(false);
  });

  test("whoever does as Retry-After says is not refused again", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 15 }), { maxLength: 30 }), (costs) => {
        const { limiter, pass } = setup();
        for (const cost of costs) {
          const { isOver, retryAfterSeconds } = limiter.take("a", cost);
          if (!isOver) continue;
          pass(retryAfterSeconds * 1_000);
          expect(limiter.take("a", cost).isOver).toBe(false);
        }
      }),
    );
  });

  test("never gives more than a full one and what came since", () => {
    const step = fc.record({ ms: fc.integer({ min: 0, max: 3_000 }), cost: fc.integer({ min: 1, max: 10 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const { limiter, pass } = setup();
        let passed = 0;
        let given = 0;
        for (const { ms, cost } of steps) {
          passed += ms;
          pass(ms);
          if (!limiter.take("a", cost).isOver) given += cost;
          expect(given).toBeLessThanOrEqual(policy.burst + (passed / 1000) * policy.perSecond + 1e-3);
        }
      }),
    );
  });

  test("what is charged afterwards makes a debt of one bucket at most", () => {
    const { limiter, pass } = setup();
    limiter.charge("a", 1_000);
    expect(limiter.take("a", 1)).toMatchObject({ isOver: true, left: 0, fullInSeconds: 10, retryAfterSeconds: 6 });
    pass(5_500);
    expect(limiter.take("a", 1).isOver).toBe(false);
  });

  test("becomes only emptier by what others say of it", () => {
    const { limiter } = setup();
    limiter.take("a", 8);
    limiter.merge("a", 500);
    expect(limiter.look("a", 0).left).toBe(2);
    limiter.merge("a", 4_500);
    expect(limiter.look("a", 0).left).toBe(1);
    limiter.merge("b", 5_000);
    expect(limiter.take("b", 1).isOver).toBe(true);
  });

  test("a request that costs more than a bucket holds is granted on a full one", () => {
    const { limiter } = setup();
    expect(limiter.take("a", 50).isOver).toBe(false);
    expect(limiter.take("a", 1).isOver).toBe(true);
  });

  test("is told in structured fields", () => {
    const { limiter } = setup({ name: "user", burst: 100, perSecond: 3 });
    expect(rateHeaders(limiter.take("a", 7))).toEqual({
      "ratelimit-policy": '"user";q=100;w=34',
      ratelimit: '"user";r=93;t=3',
    });
  });
});

describe("a shared bucket", () => {
  /** As Redis: one bucket for all who tell it. */
  function makeLedger() {
    const { limiter } = setup();
    const told: (readonly [string, number])[] = [];
    let answer: "counts" | "fails" | "hangs" = "counts";
    const ledger: Ledger = {
      add: (_, taken) => {
        if (answer === "fails") return Promise.reject(new Error("away"));
        if (answer === "hangs") return new Promise(() => {});
        for (const { key, cost } of taken) told.push([key, cost]);
        const missing = (key: string, cost: number) => policy.burst - limiter.charge(key, cost).left;
        return Promise.resolve(taken.map(({ key, cost }) => (missing(key, cost) / policy.perSecond) * 1_000));
      },
    };
    return { ledger, told, is: (now: typeof answer) => (answer = now) };
  }
  const open = ({ ledger }: ReturnType<typeof makeLedger>, failures: unknown[] = []) =>
    shareLimiter(policy, { ledger, now: () => 1_000, onFailure: (error) => failures.push(error) });

  test("what one instance gives the next does not, once it was told; many requests are told as one", async () => {
    const world = makeLedger();
    const [one, two] = [open(world), open(world)];
    for (let i = 0; i < 8; i++) expect(one.take("a", 1).isOver).toBe(false);
    await until("one has told", () => world.told.length > 0);
    expect(world.told).toEqual([["a", 8]]);
    // It learns of the rest with the first it takes itself.
    expect(two.take("a", 1).isOver).toBe(false);
    await until("two knows", () => two.look("a", 2).isOver);
    expect(two.take("a", 1).isOver).toBe(false);
    expect(two.take("a", 1).isOver).toBe(true);
    one.stop();
    two.stop();
  });

  test.each(["fails", "hangs"] as const)("while the ledger %s, an instance counts for itself", async (how) => {
    const world = makeLedger();
    const failures: unknown[] = [];
    const one = open(world, failures);
    world.is(how);
    for (let i = 0; i < 10; i++) expect(one.take("a", 1).isOver).toBe(false);
    expect(one.take("a", 1)).toMatchObject({ isOver: true, retryAfterSeconds: 1 });
    if (how === "fails") {
      await until("it was noticed", () => failures.length > 0);
      world.is("counts");
      expect(one.take("b", 1).isOver).toBe(false);
      await until("it is told again", () => world.told.length > 0);
      // What could not be told is not told later; and a ledger that knows less fills no bucket.
      expect(world.told).toEqual([["b", 1]]);
      expect(one.take("a", 1).isOver).toBe(true);
    }
    one.stop();
  });
});

test.each<[string, string | null, number, string]>([
  ["10.0.0.1", "1.2.3.4", 0, "10.0.0.1"],
  ["10.0.0.1", "6.6.6.6, 1.2.3.4", 1, "1.2.3.4"],
  ["10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2", 2, "1.2.3.4"],
  ["10.0.0.1", "1.2.3.4:5678", 1, "1.2.3.4"],
  ["10.0.0.1", "nonsense", 1, "10.0.0.1"],
  ["10.0.0.1", null, 1, "10.0.0.1"],
  ["10.0.0.1", "1.2.3.4", 2, "10.0.0.1"],
  ["::ffff:10.0.0.1", null, 0, "10.0.0.1"],
  ["2001:db8:1:2:3:4:5:6", null, 0, "2001:db8:1:2::/64"],
  ["2001:db8:1:2::9", null, 0, "2001:db8:1:2::/64"],
  ["10.0.0.1", "[2001:db8:1:2::9]:443", 1, "2001:db8:1:2::/64"],
  ["", null, 0, "unknown"],
])("a connection from %s that says %j behind %i proxies counts for %s", (peer, said, proxies, address) => {
  expect(clientAddress(peer, said, proxies)).toBe(address);
});

test.each<[string, string, number]>([
  ["GET", "/v1/tasks", 1],
  ["HEAD", "/v1/export.ics", 50],
  ["POST", "/v1/batch", 20],
  ["POST", "/v1/tasks", 5],
  ["PATCH", "/v1/tasks/1", 5],
  ["PATCH", "/v1/tasks/1?scope=this", 5],
  ["PATCH", "/v1/tasks/1?scope=all", 20],
  ["DELETE", "/v1/tasks/1?scope=this&scope=future", 20],
  ["POST", "/v1/tasks/1/stop-after", 20],
  ["POST", "/v1/tasks/1/restore", 20],
  ["POST", "/v1/tasks/1/restore?scope=all", 20],
  ["POST", "/v1/series/1/skip", 50],
  ["POST", "/v1/series/1/occurrences/2030-01-01T09:00/complete", 10],
  ["GET", "/v1/series", 5],
  ["GET", "/v1/series/1/occurrences", 10],
  ["PUT", "/v1/preferences", 25],
  ["POST", "/v1/stream/ticket", 5],
  ["GET", "/v1/stream", 5],
  ["POST", "/v1/notifications/1/resend", 25],
  ["POST", "/v1/anything/new", 5],
])("%s %s costs %i points", (method, address, points) => {
  const { pathname: path, searchParams: query } = new URL(address, "http://x");
  expect(costOf({ method, path, query })).toBe(points);
});

test("signing in costs an address, other requests nothing before it is known who sends them", () => {
  expect(addressCostOf({ method: "POST", path: "/v1/session" })).toBe(5);
  expect(addressCostOf({ method: "GET", path: "/v1/tasks" })).toBeNull();
});
