import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openStream, signIn, type Client } from "../support/client.ts";
import { startSystem, type System } from "../support/system.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(180_000);

const burst = 600;

let system: System;
/**
 * A gateway as it comes, and one where next to nothing comes back while the test runs, so that only what is counted
 * decides.
 */
let urls: Readonly<{ usual: string; slow: string }>;
beforeAll(async () => {
  // The way of a task to its stream, and what makes occurrences.
  const roles = ["task-service", "outbox-relay", "task-update-broadcaster", "recurring-task-worker", "ui-gateway"];
  system = await startSystem({ roles: Object.fromEntries(roles.map((role) => [role, 1])) });
  const slow = await system.start("ui-gateway", { RATE_USER_PER_SECOND: "1" });
  urls = { usual: system.url("ui-gateway"), slow: system.url("ui-gateway", slow) };
});
afterAll(() => system?.[Symbol.asyncDispose]());

const create = async (user: Client, title: string) => (await user.call("POST", "/v1/tasks", { title })).status;
const times = (statuses: readonly number[], wanted: number) => statuses.filter((status) => status === wanted).length;

test("a busy client, forty writes a second for ten seconds, meets no limit", async () => {
  const ada = await signIn(urls.usual, "ada");
  const sent: Promise<number>[] = [];
  for (let n = 0; n < 400; n++) {
    sent.push(create(ada, `busy ${n}`));
    await sleep(25);
  }
  expect(times(await Promise.all(sent), 201)).toBe(400);
});

test("of six hundred creates at once a bucket's worth is taken, and others go on", async () => {
  const [eve, ben] = [await signIn(urls.slow, "eve"), await signIn(urls.slow, "ben")];
  const began = performance.now();
  let left = 600;
  const statuses: number[] = [];
  const send = async () => {
    while (left-- > 0) statuses.push(await create(eve, "rush"));
  };
  using stream = await openStream(urls.slow, ben);
  const rush = Promise.all(Array.from({ length: 16 }, send));
  expect(await create(ben, "mine")).toBe(201);
  await rush;
  const seconds = (performance.now() - began) / 1000;
  expect(times(statuses, 201) + times(statuses, 429)).toBe(600);
  expect(times(statuses, 201)).toBeGreaterThanOrEqual(burst / 5);
  expect(times(statuses, 201)).toBeLessThanOrEqual((burst + seconds) / 5);
  await stream.waitFor("ben's task", ({ data }) => data?.payload?.["title"] === "mine");
});

test("changes of a whole series are paid by what they change", async () => {
  const fay = await signIn(urls.slow, "fay");
  const rule = { rrule: "FREQ=DAILY", start: "1970-01-01T09:00", tz: "UTC", catch_up: "all", max_open: 100 };
  const made = await fay.call("POST", "/v1/tasks", { title: "daily", recurrence_pattern: rule });
  expect(made.status).toBe(201);
  // A hundred events at five points each, some of which may have come back.
  const leftOf = (headers: Headers) => Number(/r=(\d+)/.exec(headers.get("ratelimit") ?? "")?.[1]);
  expect(leftOf(made.headers)).toBeLessThanOrEqual(burst - 500 + 2);
  const open = async () => (await fay.call("GET", "/v1/tasks?status=open&limit=200")).body.items;
  const made100 = async () => (await open()).length >= 100;
  await until("100 occurrences are open", made100, { timeoutMs: 120_000, everyMs: 1_000 });
  const [one] = await open();
  const statuses: number[] = [];
  for (let n = 0; n < 10; n++)
    statuses.push((await fay.call("PATCH", `/v1/tasks/${one?.id}?scope=all`, { title: `daily ${n}` })).status);
  // 20 points each, and 5 for each of a hundred events: the second one makes a debt.
  expect(times(statuses, 200)).toBeGreaterThanOrEqual(1);
  expect(times(statuses, 200)).toBeLessThanOrEqual(3);
  expect(times(statuses, 429)).toBe(10 - times(statuses, 200));
});
