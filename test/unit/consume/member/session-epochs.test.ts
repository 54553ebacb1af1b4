import { expect, test } from "bun:test";
import { sessionWorld, zero, group } from "../../../support/session-world.ts";
import { until } from "../../../support/until.ts";

test("a log that grew beyond the commit after a loss stands for whoever reads it next, and again for the one after", async () => {
  const { broker, worked, start, send, committed } = await sessionWorld();
  await send(8);
  const first = start();
  await until("the commit", async () => (await committed()) === 8n);
  await first.end();
  broker.cutOff(zero, 4n);
  await send(9);
  for (let n = 0; n < 2; n++) {
    const next = start();
    await until("it stands", () => next.standing.names().length > 0);
    expect(next.standing.names()).toEqual(["task-events/0"]);
    await next.end();
  }
  expect([worked.length, await committed()]).toEqual([8, 8n]);
});

test.each([
  ["kept the log", 0n],
  ["has nothing left of what was committed", 8n],
])("a later leader that %s is read on", async (_, start) => {
  const world = await sessionWorld();
  await world.send(8);
  const first = world.start();
  await until("the commit", async () => (await world.committed()) === 8n);
  await first.end();
  world.broker.truncate(zero, start);
  world.broker.cutOff(zero, 8n);
  await world.send(2);
  const next = world.start();
  await until("the commit", async () => (await world.committed()) === 10n);
  expect(next.standing.names()).toEqual([]);
  await next.end();
});

test("where an operator said to go on, nothing is compared", async () => {
  const { broker, start, send, committed } = await sessionWorld();
  await send(8);
  const first = start();
  await until("the commit", async () => (await committed()) === 8n);
  await first.end();
  broker.cutOff(zero, 4n);
  await send(9);
  await broker.admin.setOffsets(group, [{ ...zero, offset: 6n }]);
  const next = start();
  await until("the commit", async () => (await committed()) === 13n);
  expect(next.standing.names()).toEqual([]);
  await next.end();
});
