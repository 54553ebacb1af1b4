import { afterAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { liveLag } from "../../workers/operator/live-lag.ts";
import { redriveDeadLetters } from "../../workers/operator/actions/redrive-dead-letters.ts";
import { planRedrive } from "../../workers/operator/actions/redrive-plan.ts";
import { everyDeadLetter } from "../support/every-dead-letter.ts";
import { until } from "../support/until.ts";
import { operatorWorld } from "../support/operator-world.ts";

setDefaultTimeout(30_000);
const world = await operatorWorld();
const { ops, db } = world;
afterAll(() => world[Symbol.asyncDispose](), 30_000);
beforeEach(() => world.clear());

const by = { who: "test", via: "cli" as const, reason: null };
const parked = async () =>
  (await db.sql<{ message_id: string }[]>`select message_id from parked_messages order by id`).map(
    (row) => row.message_id,
  );
const states = async () =>
  Object.fromEntries(
    (
      await db.sql<{ state: string; n: number }[]>`select state, count(*)::int as n from dead_letters group by state`
    ).map(({ state, n }) => [state, n]),
  );

test("a dry run shows the plan and moves nothing; then each message goes back once, per key in the order of the log", async () => {
  const later = await world.die({ key: "a", offset: 12 });
  const sooner = await world.die({ key: "a", offset: 11 });
  const other = await world.die({ group: "reminder-service", key: "a" });
  const filter = ["--group", "task-update-broadcaster"];
  expect((await ops("dlq", "redrive", ...filter, "--dry-run")).out).toMatch(
    /^would redrive 2 messages of 1 keys\n[^]*^task-update-broadcaster +f00d +permanent +2 +1 /m,
  );
  expect(await states()).toEqual({ dead: 3 });
  const done = await ops.json<{ id: string; moved: number; left: number }>("dlq", "redrive", ...filter);
  expect(done).toMatchObject({ moved: 2, left: 0, complete: true });
  expect(await parked()).toEqual([sooner.messageId, later.messageId]);
  expect(await db.sql`select from dead_letters where id = ${other.id} and state = 'dead'`).toHaveLength(1);
  expect((await ops("dlq", "redrive", "--id", done.id)).out).toContain("2 redriven; 0 of the plan are still dead");
  expect(await parked()).toHaveLength(2);
  expect([...(await world.audited())]).toMatchObject([
    { id: done.id, action: "dlq redrive", state: "done", plan: { messages: 2 } },
  ]);
});

test("without a filter nothing is redriven unless all is said", async () => {
  await world.die();
  expect(await ops("dlq", "redrive")).toMatchObject({
    code: 2,
    err: expect.stringContaining("say which, by a filter, or --all"),
  });
  expect((await ops("dlq", "redrive", "--all")).out).toContain("1 redriven");
});

test("filters choose what goes back, and what was redriven too often stays", async () => {
  await world.die({ key: "a", class: "invalid" });
  const capped = await world.die({ key: "b" });
  await db.sql`update dead_letters set redrives = 5 where id = ${capped.id}`;
  expect((await ops("dlq", "redrive", "--key", "b", "--dry-run")).out).toContain(
    "1 of them were redriven 5 times and stay",
  );
  expect((await ops("dlq", "redrive", "--key", "b")).out).toContain(
    "0 redriven; 1 of the plan are still dead (left alone: 1 over the cap)",
  );
  expect((await ops("dlq", "redrive", "--class", "invalid")).out).toContain("1 redriven");
  expect(await states()).toEqual({ dead: 1, redriven: 1 });
});

test("cut off half-way and run again by its id, a redrive moves each message once", async () => {
  for (let n = 0; n < 30; n++) await world.die({ key: `k${n % 7}` });
  const plan = await planRedrive(db.sql, everyDeadLetter, 5);
  const id = crypto.randomUUID();
  const cut = new AbortController();
  let asked = 0;
  const deps = {
    db,
    maxLag: 1000,
    liveLag: async () => {
      // The third batch is never begun.
      if (++asked === 3) cut.abort();
      return liveLag(world.broker.admin, "task-update-broadcaster");
    },
    pace: { ratePerSecond: 20, signal: cut.signal },
  };
  const first = await redriveDeadLetters(deps, { id, plan, by });
  expect(first.complete).toBe(false);
  expect(first.moved).toBeGreaterThan(0);
  expect(first.moved).toBeLessThan(30);
  // One that was redriven and died again meanwhile is not part of the plan any more.
  const again = (await parked())[0] ?? "";
  await db.sql`update dead_letters set state = 'dead', dead_at = clock_timestamp() where message_id = ${again}`;
  expect((await ops("dlq", "redrive", "--id", id, "--rate", "1000")).out).toContain(
    "30 redriven; 0 of the plan are still dead",
  );
  expect(new Set(await parked()).size).toBe(30);
  expect(await parked()).toHaveLength(30);
  expect(await states()).toEqual({ redriven: 29, dead: 1 });
});

test("killed half-way, the command is run again by the id the audit has, and each message went back once", async () => {
  for (let n = 0; n < 200; n++) await world.die({ key: `k${n % 11}` });
  const command = [process.execPath, "workers/operator/ops.ts", "dlq", "redrive", "--all", "--rate", "100"];
  const env = { ...world.env, PATH: process.env["PATH"] ?? "" };
  const child = Bun.spawn(command, { env, stdout: "ignore", stderr: "ignore" });
  await until("some went back", async () => (await parked()).length >= 40, { timeoutMs: 20_000 });
  child.kill("SIGKILL");
  await child.exited;
  expect((await parked()).length).toBeLessThan(200);
  const [entry] = await world.audited();
  expect(entry).toMatchObject({ action: "dlq redrive", state: "running", plan: { messages: 200 } });
  const done = await ops("dlq", "redrive", "--id", entry?.id ?? "", "--rate", "2000");
  expect(done.out).toContain("200 redriven; 0 of the plan are still dead");
  expect(new Set(await parked()).size).toBe(200);
  expect(await parked()).toHaveLength(200);
  // Of each key in the order of the log.
  const rows = await db.sql<
    { key: string; at: string }[]
  >`select key, "offset"::text as at from parked_messages order by id`;
  for (const queue of Map.groupBy(rows, ({ key }) => key).values())
    expect(queue.map(({ at }) => Number(at))).toEqual(queue.map(({ at }) => Number(at)).toSorted((a, b) => a - b));
});

test("a redrive waits while the group is behind, and goes on when it is not", async () => {
  await world.die();
  const waits: string[] = [];
  let lag = 5000;
  const deps = {
    db,
    maxLag: 1000,
    liveLag: () => Promise.resolve(lag),
    pace: {
      ratePerSecond: 100,
      signal: new AbortController().signal,
      onWait: (why: string) => {
        waits.push(why);
        lag = 10;
      },
    },
  };
  const plan = await planRedrive(db.sql, everyDeadLetter, 5);
  const done = await redriveDeadLetters(deps, { id: crypto.randomUUID(), plan, by });
  expect(done).toMatchObject({ moved: 1, complete: true });
  expect(waits).toEqual(["task-update-broadcaster is 5000 messages behind"]);
});

test("an edited copy goes back in place of its original", async () => {
  const { id, data, key } = await world.die();
  const path = `/tmp/redrive-${crypto.randomUUID()}.json`;
  await Bun.write(path, JSON.stringify({ ...data, updated_fields: { title: "Butter" } }));
  const copy = await ops.json<{ id: string }>("dlq", "edit", id, "--data", path);
  expect((await ops("dlq", "redrive", "--letter", id)).out).toBe("no dead letter fits");
  expect((await ops("dlq", "redrive", "--key", key)).out).toContain("1 redriven");
  const [message] = await db.sql<
    { value: Buffer; message_id: string }[]
  >`select value, message_id from parked_messages`;
  expect(await world.codec.decode("task-events", message?.value ?? null)).toMatchObject({
    data: { updated_fields: { title: "Butter" } },
  });
  expect(await states()).toEqual({ edited: 1, redriven: 1 });
  expect(await ops.json<object>("dlq", "show", copy.id)).toMatchObject({
    state: "redriven",
    messageId: message?.message_id,
  });
});
