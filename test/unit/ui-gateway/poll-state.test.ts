import { expect, test } from "bun:test";
import type { Follow, Sink } from "../../../workers/ui-gateway/stream/follow.ts";
import { makeFreshness } from "../../../workers/ui-gateway/stream/freshness.ts";
import type { Frame } from "../../../workers/ui-gateway/stream/update-frame.ts";
import { pollUpdates } from "../../../workers/ui-gateway/stream/poll-updates.ts";

/** A poll with a minute to wait, beside an instance that hears of Kafka when the test says so. */
function setup() {
  let nowMs = 0;
  const freshness = makeFreshness(() => nowMs);
  const sinks: Sink[] = [];
  const follow: Follow = (_user, _since, sink) => {
    sinks.push(sink);
    return Promise.resolve({ cursor: () => "e1.0.7", stop: () => {} });
  };
  let answered = 0;
  const poll = (since: string | null) => {
    const { signal } = new AbortController();
    const polled = pollUpdates(follow, { userId: "ada", since, waitSeconds: 60, signal, freshness });
    void polled.then(() => answered++);
    return polled;
  };
  const pass = (seconds: number) => {
    nowMs += seconds * 1000;
    freshness.look();
  };
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { poll, pass, hear: () => freshness.heard([0]), sinks, answered: () => answered, settle };
}

test("a poll that waits is answered when its instance hears of no changes any more, and the next one when it does again", async () => {
  const { poll, pass, hear, sinks, answered, settle } = setup();
  hear();
  const first = poll("e1.0.7");
  sinks[0]?.caughtUp("e1.0.7");
  pass(14);
  await settle();
  expect(answered()).toBe(0);
  pass(1);
  expect(await first).toEqual({ items: [], cursor: "e1.0.7", reset: null, state: "stale" });
  const second = poll("e1.0.7");
  sinks[1]?.caughtUp("e1.0.7");
  pass(1);
  await settle();
  // No answer because it is stale, only because that changes: clients would ask without end.
  expect(answered()).toBe(1);
  hear();
  expect((await second).state).toBe("live");
});

test("a poll that is answered at once says the state, and one that is behind is given all first", async () => {
  const { poll, pass, hear, sinks, answered, settle } = setup();
  hear();
  const behind = poll("e1.0.7");
  pass(20);
  const asking = poll(null);
  sinks[1]?.caughtUp("e1.0.7");
  expect((await asking).state).toBe("stale");
  await settle();
  expect(answered()).toBe(1);
  sinks[0]?.caughtUp("e1.0.7");
  expect((await behind).state).toBe("stale");
});

const frame = (userId: string): Frame => ({
  partition: 0,
  offset: 8n,
  userId,
  taskId: `of ${userId}`,
  sequence: 1,
  changeType: "updated",
  isCompleted: false,
  bytes: new TextEncoder().encode(`"of ${userId}"`),
  json: { start: 0, end: 8 },
});

test("a poll is answered with nothing of another user, even if it is handed to it", async () => {
  const { poll, sinks } = setup();
  const polled = poll("e1.0.7");
  sinks[0]?.change(frame("bob"));
  sinks[0]?.change(frame("ada"));
  sinks[0]?.caughtUp("e1.0.8");
  expect((await polled).items).toEqual(['"of ada"']);
});

test("a poll that is reset is given nothing of before", async () => {
  const { poll, sinks } = setup();
  const polled = poll("e1.0.7");
  sinks[0]?.change(frame("ada"));
  sinks[0]?.reset("gap", "e2.0.3");
  expect(await polled).toMatchObject({ items: [], reset: "gap" });
});

test("an instance is as fresh as the partition it has heard of longest ago", () => {
  let nowMs = 0;
  const freshness = makeFreshness(() => nowMs);
  freshness.heard([0, 1]);
  nowMs = 10_000;
  freshness.heard([1]);
  expect([freshness.ageSeconds(), freshness.state()]).toEqual([10, "live"]);
  nowMs = 15_000;
  freshness.heard([1]);
  expect([freshness.ageSeconds(), freshness.state()]).toEqual([15, "stale"]);
  freshness.heard([0]);
  expect([freshness.ageSeconds(), freshness.state()]).toEqual([0, "live"]);
});
