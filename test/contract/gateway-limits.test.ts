import { expect, setDefaultTimeout, test } from "bun:test";
import { signIn, type Client } from "../support/client.ts";
import { ownRedis, redisProgram } from "../support/own-redis.ts";
import { readScrape } from "../support/read-scrape.ts";
import { startSystem, type System } from "../support/system.ts";
import { until } from "../support/until.ts";

// Nothing here waits for a time: the limit is for machines that are busy with something else.
setDefaultTimeout(60_000);

const program = await redisProgram(process.env["REDIS_URL"]);
const needsRedis = test.skipIf(program === null);
if (program === null && process.env["REQUIRE_ALL"] === "1")
  throw new Error("there is no Redis server of its own to start");

const burst = 100;
const ticketCost = 5;

async function setup(redisUrl: string) {
  const system = await startSystem({
    roles: { "ui-gateway": 2 },
    env: { REDIS_URL: redisUrl, RATE_USER_BURST: String(burst), RATE_USER_PER_SECOND: "1" },
  });
  const started = performance.now();
  const client = async (instance: number, user: string) => signIn(system.url("ui-gateway", instance), user);
  /** The statuses of so many requests that the gateway answers by itself, one after another. */
  const ask = async (who: Client, times: number): Promise<readonly number[]> => {
    const statuses: number[] = [];
    for (let i = 0; i < times; i++) statuses.push((await who.call("POST", "/v1/stream/ticket")).status);
    return statuses;
  };
  /** The most that one bucket can have granted by now. */
  const most = () => Math.floor((burst + (performance.now() - started) / 1000) / ticketCost);
  return { system, client, ask, most, [Symbol.asyncDispose]: () => system[Symbol.asyncDispose]() };
}

async function metric(system: System, name: string, instance = 1): Promise<number | undefined> {
  const text = await (await fetch(`${system.metricsUrl("ui-gateway", instance)}/metrics`)).text();
  return readScrape(text).series.find((series) => series.name === name)?.value;
}

const granted = (statuses: readonly number[]) => statuses.filter((status) => status === 201).length;
const refused = (statuses: readonly number[]) => statuses.filter((status) => status === 429).length;

needsRedis(
  "instances share a user's bucket; while Redis is frozen or killed each answers at once and keeps its own",
  async () => {
    await using redis = await ownRedis(program ?? "");
    await using world = await setup(redis.url);
    const { system, client, ask, most } = world;

    const ada = [await client(1, "ada"), await client(2, "ada")] as const;
    /** What one took is told within a moment; another learns of it by its own first request. */
    const learns = (who: Client, left: number) =>
      until(`${left} points are left at most`, async () => {
        const { headers } = await who.call("GET", "/v1/nothing");
        return Number(/r=(\d+)/.exec(headers.get("ratelimit") ?? "")?.[1]) <= left;
      });
    expect(granted(await ask(ada[0], 10))).toBe(10);
    await learns(ada[1], burst - 10 * ticketCost);
    const second = await ask(ada[1], 15);
    await learns(ada[0], 4);
    const third = await ask(ada[0], 15);
    expect(10 + granted([...second, ...third])).toBeLessThanOrEqual(most());
    expect([granted(second) > 0, refused([...second, ...third]) > 15]).toEqual([true, true]);
    expect((await redis.send("KEYS", "*:rate:user:*")) as unknown[]).toHaveLength(1);

    for (const [user, away, back] of [
      ["bob", redis.freeze, redis.thaw],
      ["eve", redis.kill, redis.start],
    ] as const) {
      expect(await metric(system, "rate_limits_shared")).toBe(1);
      await away();
      const one = await client(1, user);
      const statuses = await ask(one, 30);
      expect(granted(statuses) + refused(statuses)).toBe(30);
      expect(granted(statuses)).toBeGreaterThanOrEqual(burst / ticketCost);
      expect(granted(statuses)).toBeLessThanOrEqual(most());
      // The other counts for itself.
      expect(granted(await ask(await client(2, user), 30))).toBeGreaterThanOrEqual(burst / ticketCost);
      await until("that is told", async () => (await metric(system, "rate_limits_shared")) === 0);
      await back();
      await until("it is shared again", async () => (await metric(system, "rate_limits_shared")) === 1);
    }
    expect(await metric(system, "rate_limit_ledger_failures_total")).toBeGreaterThan(0);
    expect(await metric(system, "rate_limited_total")).toBeGreaterThan(30);
  },
);

test("without a Redis instances count for themselves, and where it is off nothing is counted", async () => {
  await using world = await setup("");
  const { system, client, ask } = world;
  const statuses = await ask(await client(1, "ada"), 30);
  expect([granted(statuses) >= 20, refused(statuses) > 0]).toEqual([true, true]);
  const free = await system.start("ui-gateway", { RATE_USER_PER_SECOND: "off", RATE_ADDRESS_PER_SECOND: "0" });
  const ada = await client(free, "ada");
  expect(granted(await ask(ada, 30))).toBe(30);
  expect((await ada.call("GET", "/v1/session")).headers.get("ratelimit")).toBeNull();
});
