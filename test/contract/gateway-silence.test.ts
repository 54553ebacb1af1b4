import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { openStream, signIn, type Stream } from "../support/client.ts";
import { ownStack, skipOwnParts, type OwnStack } from "../support/own-stack.ts";
import { readScrape } from "../support/read-scrape.ts";
import { until } from "../support/until.ts";
import { startGateways, type Change, type GatewayWorld } from "./gateway-world.ts";

// Kafka is silent for as long as it takes until the gateway says so, and is waited for afterwards.
setDefaultTimeout(150_000);
const patience = { timeoutMs: 60_000 };
const skip = skipOwnParts();

let own: OwnStack;
let world: GatewayWorld;
beforeAll(async () => {
  if (skip) return;
  own = await ownStack(["kafka"]);
  world = await startGateways({ roles: { "ui-gateway": 1 }, stack: own.urls });
}, 150_000);
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await own?.[Symbol.asyncDispose]();
}, 60_000);

const states = ({ events }: Stream) =>
  events.filter(({ event }) => event === "state").map(({ data }) => String(data["state"]));
const versions = (stream: Stream) => stream.changes().map(({ data }) => Number(data.payload["view_version"]));
const hears = (stream: Stream, state: string) =>
  stream.waitFor(state, ({ event, data }) => event === "state" && data["state"] === state, 60_000);

async function setup() {
  const address = world.system.url("ui-gateway");
  const user = await signIn(address, `silence-${crypto.randomUUID().slice(0, 8)}`);
  const headers = { authorization: `Bearer ${user.token}` };
  const taskId = crypto.randomUUID();
  const ready = async () => {
    const answer = await fetch(`${world.system.metricsUrl("ui-gateway")}/readyz`);
    return { status: answer.status, text: await answer.text() };
  };
  return {
    change: (version: number): Change => ({ userId: user.userId, taskId, version }),
    open: (lastEventId: string | null = null) => openStream(address, user, lastEventId),
    poll: async (since: string) => {
      const query = new URLSearchParams({ since, wait: "55" });
      const answer = await fetch(`${address}/v1/sync?${query}`, { headers });
      return (await answer.json()) as { items: unknown[]; cursor: string; reset: unknown; state: string };
    },
    ready,
    age: async () => {
      const text = await (await fetch(`${world.system.metricsUrl("ui-gateway")}/metrics`)).text();
      return readScrape(text).series.find(({ name }) => name === "gateway_heard_age_seconds")?.value ?? Number.NaN;
    },
  };
}

test.skipIf(skip)(
  "while Kafka says nothing the gateway says so everywhere, and goes on with everything once and in order",
  async () => {
    const { change, open, poll, ready, age } = await setup();
    using stream = await open();
    await world.publish(change(1), change(2));
    await stream.waitFor("both", () => versions(stream).length === 2);
    expect(states(stream)).toEqual([]);
    expect(await age()).toBeLessThan(15);
    const polling = poll(stream.lastId() ?? "");

    own.freeze("kafka");
    // Written into the silence: the broker has it in its socket, and answers when it can.
    const writing = world.publish(change(3), change(4), change(5));
    await hears(stream, "stale");
    expect(await polling).toMatchObject({ items: [], reset: null, state: "stale" });
    expect(await age()).toBeGreaterThanOrEqual(15);
    expect(await ready()).toMatchObject({ status: 503, text: expect.stringContaining("updates heard of") });
    // Who comes now is told, too; with a position, without one, or by a poll that asks for the state only.
    using late = await open();
    using resumed = await open(stream.lastId());
    await hears(late, "stale");
    await hears(resumed, "stale");
    const next = poll(stream.lastId() ?? "");

    own.thaw("kafka");
    await writing;
    for (const one of [stream, late, resumed]) {
      await hears(one, "live");
      await one.waitFor("the last", ({ data }) => data?.payload?.["view_version"] === 5, 60_000);
      expect(states(one)).toEqual(["stale", "live"]);
    }
    expect([versions(stream), versions(late), versions(resumed)]).toEqual([
      [1, 2, 3, 4, 5],
      [3, 4, 5],
      [3, 4, 5],
    ]);
    await next;
    await until("ready again", async () => (await ready()).status === 200, patience);
    await until("a young age", async () => (await age()) < 15, patience);
  },
);
