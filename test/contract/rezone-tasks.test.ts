import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { makeLog } from "../../shared/role/log.ts";
import type { ReceivedMessage } from "../../shared/messages/message.ts";
import { beginPass, keepRezoned, takeStep, type RezoneOptions } from "../../shared/zones/rezone.ts";
import { Problem } from "../../shared/problem.ts";
import { makeHandleTaskCommands } from "../../workers/task-service/handle-task-commands.ts";
import { rezoneTasks } from "../../workers/task-service/rezone-tasks.ts";
import { withZones } from "../support/other-zones.ts";
import { ada, openWorld, type Task, type World } from "./task-service-world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.db.sql`truncate tasks, idempotency_keys, outbox, zone_decisions`;
});

const log = makeLog({}, "error", () => {});
const newId = () => Bun.randomUUIDv7();
/** Vancouver with Halifax's clocks: 09:00 in December is 13:00Z and not 16:00Z. */
const moved = { "America/Vancouver": "America/Halifax" };

function rezoning(limit = 500): RezoneOptions {
  const step = rezoneTasks({ ...world.write, db: world.db, newId, log, limit });
  return { db: world.db, part: "tasks", step, log };
}

async function rezoneAll(limit?: number): Promise<number> {
  let steps = 0;
  if ((await beginPass(rezoning(limit))) === null)
    do steps += 1;
    while (await takeStep(rezoning(limit)));
  return steps;
}

const dueOf = async (id: string) => (await world.send("GET", `/v1/tasks/${id}`)).body["due_date"];
const make = async (body: Readonly<Record<string, unknown>>): Promise<Task> =>
  (await world.send("POST", "/v1/tasks", { body: { title: "t", ...body } })).body;
const vancouver = { due_date: "2040-12-01T09:00", due_tz: "America/Vancouver" };

test("a due said as a local time moves with the clocks of its zone, told as an ordinary change", async () => {
  const task = await make(vancouver);
  expect(task["due_date"]).toBe("2040-12-01T16:00:00.000Z");
  await rezoneAll();
  expect(await dueOf(task.id)).toBe("2040-12-01T16:00:00.000Z");
  await withZones("2041a", moved, async () => void (await rezoneAll()));
  const { body } = await world.send("GET", `/v1/tasks/${task.id}`);
  expect(body).toMatchObject({ due_date: "2040-12-01T13:00:00.000Z", version: 2, due_tz: "America/Vancouver" });
  expect((await world.events()).at(-1)).toMatchObject({
    type: "TaskUpdated",
    subject: task.id,
    sequence: 2,
    data: { user_id: ada, updated_fields: { due_date: "2040-12-01T13:00:00.000Z" } },
  });
});

test("in the zone of the preferences or of the pattern too, and of a patch", async () => {
  const template = await make({
    due_date: "2040-12-01T09:00",
    recurrence_pattern: { rrule: "FREQ=DAILY", tz: "America/Vancouver" },
  });
  const patched = await make({});
  await world.send("PATCH", `/v1/tasks/${patched.id}`, { body: vancouver });
  await withZones("2041a", moved, async () => void (await rezoneAll()));
  expect(await dueOf(template.id)).toBe("2040-12-01T13:00:00.000Z");
  expect(await dueOf(patched.id)).toBe("2040-12-01T13:00:00.000Z");
});

test("an instant, a whole day, what was said anew as an instant, what is closed and what is past stay", async () => {
  const instant = await make({ due_date: "2040-12-01T16:00:00Z", due_tz: "America/Vancouver" });
  const day = await make({ due_on: "2040-12-01", due_tz: "America/Vancouver" });
  const said = await make(vancouver);
  await world.send("PATCH", `/v1/tasks/${said.id}`, { body: { due_date: "2040-12-02T09:00:00Z" } });
  const done = await make(vancouver);
  await world.send("POST", `/v1/tasks/${done.id}/complete`);
  const past = await make({ ...vancouver, due_date: "2020-12-01T09:00" });
  const before = await Promise.all(
    [instant, day, said, done, past].map(({ id }) => world.send("GET", `/v1/tasks/${id}`)),
  );
  const events = (await world.events()).length;
  await withZones("2041a", moved, async () => void (await rezoneAll()));
  const after = await Promise.all(
    [instant, day, said, done, past].map(({ id }) => world.send("GET", `/v1/tasks/${id}`)),
  );
  expect(after.map(({ body }) => body)).toEqual(before.map(({ body }) => body));
  expect((await world.events()).length).toBe(events);
});

test("one that is completed between the look and the change stays", async () => {
  const { id } = await make(vancouver);
  let isDone = false;
  const sql = new Proxy(world.db.sql, {
    apply: (target, self, args: readonly unknown[]) => {
      const found = Reflect.apply(target as (...given: readonly unknown[]) => Promise<unknown>, self, args);
      if (isDone || !String((args[0] as readonly string[]).join("?")).includes("due_local_at = due_date")) return found;
      isDone = true;
      return found.then(async (rows) => {
        await world.send("POST", `/v1/tasks/${id}/complete`);
        return rows;
      });
    },
  });
  const step = rezoneTasks({ ...world.write, db: { sql }, newId, log });
  await withZones("2041a", moved, () => step("00000000-0000-0000-0000-000000000000"));
  expect(isDone).toBe(true);
  expect((await world.send("GET", `/v1/tasks/${id}`)).body).toMatchObject({
    version: 2,
    due_date: "2040-12-01T16:00:00.000Z",
  });
});

test("a due an older build changed, which knows nothing of local times, stays", async () => {
  const task = await make(vancouver);
  await world.db.sql`update tasks set due_date = '2040-12-05T10:00Z', version = 2 where id = ${task.id}`;
  await withZones("2041a", moved, async () => void (await rezoneAll()));
  expect(await dueOf(task.id)).toBe("2040-12-05T10:00:00.000Z");
});

const handle = makeHandleTaskCommands(() => {});
/** Handles the command for an occurrence of a template, and gives its id. */
async function occurrence(template: Task, place: string, due: string): Promise<string> {
  const data = {
    occurrence_id: newId(),
    template_id: template.id,
    user_id: ada,
    recurrence_id: place,
    due_on: null,
    due_date: new Date(due),
    due_tz: "America/Vancouver",
    requested_at: new Date(),
    completed_at: null,
  };
  const message: ReceivedMessage = {
    type: "CreateOccurrence",
    data,
    key: template.id,
    subject: data.occurrence_id,
    sequence: 1,
    id: newId(),
    time: new Date(),
    source: "recurring-task-worker",
    correlationId: "c",
    causationId: null,
    traceparent: null,
    topic: "task-commands",
    partition: 0,
    offset: 0n,
    timestamp: 0,
    value: new Uint8Array(),
    headers: [],
  };
  const context = { signal: new AbortController().signal, log, now: new Date() };
  await world.db.transaction((tx) => handle(message, { ...context, tx }));
  return data.occurrence_id;
}

test("an occurrence at its place in the series moves, one moved by a person does not", async () => {
  const template = await make({
    recurrence_pattern: { rrule: "FREQ=DAILY", tz: "America/Vancouver", start: "2040-12-01T09:00" },
  });
  const own = await occurrence(template, "2040-12-01T09:00:00", "2040-12-01T16:00:00Z");
  const other = await occurrence(template, "2040-12-02T09:00:00", "2040-12-02T20:00:00Z");
  await withZones("2041a", moved, async () => void (await rezoneAll()));
  expect(await dueOf(own)).toBe("2040-12-01T13:00:00.000Z");
  expect(await dueOf(other)).toBe("2040-12-02T20:00:00.000Z");
});

test("a pass is made once for an edition, in bounded steps, from where it was cut off", async () => {
  const tasks = await Promise.all([1, 2, 3, 4, 5].map(() => make(vancouver)));
  await withZones("2041a", moved, async () => {
    expect(await beginPass(rezoning(2))).toBeNull();
    expect(await takeStep(rezoning(2))).toBe(true);
    const after = await Promise.all(tasks.map(({ id }) => dueOf(id)));
    expect(after.filter((due) => due === "2040-12-01T13:00:00.000Z").length).toBe(2);
    expect(await rezoneAll(2)).toBe(2);
    expect(await Promise.all(tasks.map(({ id }) => dueOf(id)))).toEqual(tasks.map(() => "2040-12-01T13:00:00.000Z"));
    const events = (await world.events()).length;
    expect(await takeStep(rezoning(2))).toBe(false);
    expect(await rezoneAll(2)).toBe(1);
    expect((await world.events()).length).toBe(events);
  });
});

test("a step that fails is taken again from the same place, and no two instances are at one step", async () => {
  await make(vancouver);
  await beginPass(rezoning());
  const failing = { ...rezoning(), step: () => Promise.reject(new Error("planted")) };
  await expect(takeStep(failing)).rejects.toThrow("planted");
  let inside = 0;
  let most = 0;
  const slow = {
    ...rezoning(),
    step: async (after: string) => {
      most = Math.max(most, ++inside);
      expect(after).toBe("00000000-0000-0000-0000-000000000000");
      await Promise.resolve();
      await world.db.sql`select pg_sleep(0.05)`;
      inside -= 1;
      return null;
    },
  };
  await Promise.all([takeStep(slow), takeStep(slow), takeStep(slow)]);
  expect(most).toBe(1);
});

test("a step that took so long that another instance went on moves the pass neither back nor to its end", async () => {
  await beginPass(rezoning());
  const ids = ["1", "2"].map((n) => `00000000-0000-0000-0000-00000000000${n}`);
  const isTaken = Promise.withResolvers<void>();
  const mayEnd = Promise.withResolvers<void>();
  const slow = takeStep({
    ...rezoning(),
    step: async () => {
      isTaken.resolve();
      await mayEnd.promise;
      return null;
    },
  });
  await isTaken.promise;
  await world.db.sql`update zone_decisions set held_until = clock_timestamp() - interval '1 second'`;
  expect(await takeStep({ ...rezoning(), step: async () => ids[0] ?? null })).toBe(true);
  mayEnd.resolve();
  await slow;
  const seen: string[] = [];
  await takeStep({ ...rezoning(), step: async (after) => (seen.push(after), null) });
  expect(seen).toEqual([ids[0] ?? ""]);
});

test("an older edition decides nothing again; what it wrote is gone through once more when it has ended", async () => {
  const task = await make(vancouver);
  await withZones("2041a", moved, async () => void (await rezoneAll()));
  // An instance of the older edition runs on and writes.
  expect(await beginPass(rezoning())).toBe("2041a");
  const late = await make(vancouver);
  expect(await dueOf(task.id)).toBe("2040-12-01T13:00:00.000Z");
  await withZones("2041a", moved, async () => void (await rezoneAll()));
  expect(await dueOf(late.id)).toBe("2040-12-01T16:00:00.000Z");
  // By the database's clock: last heard of three minutes ago, half a minute before the pass began.
  await world.db.sql`
    update zone_decisions set seen_at = clock_timestamp() - interval '3 minutes' where edition <> '2041a'`;
  await world.db.sql`
    update zone_decisions set begun_at = clock_timestamp() - interval '150 seconds' where edition = '2041a'`;
  await withZones("2041a", moved, async () => void (await rezoneAll()));
  expect(await dueOf(late.id)).toBe("2040-12-01T13:00:00.000Z");
});

test("a pass of an older edition ends where it is when a newer one begins its own", async () => {
  await Promise.all([1, 2, 3].map(() => make(vancouver)));
  await beginPass(rezoning(1));
  expect(await takeStep(rezoning(1))).toBe(true);
  await withZones("2041a", moved, async () => void (await beginPass(rezoning(1))));
  expect(await takeStep(rezoning(1))).toBe(false);
});

test("one task that cannot be told keeps none of the others from moving", async () => {
  const [bad, good] = [await make(vancouver), await make(vancouver)];
  const failing = new Set([bad.id]);
  const encode: World["write"]["encode"] = (message, by) =>
    failing.has(message.subject) ? Promise.reject(new Problem("INTERNAL", "planted")) : world.write.encode(message, by);
  const step = rezoneTasks({ ...world.write, encode, db: world.db, newId, log });
  await withZones("2041a", moved, async () => {
    expect(await step("00000000-0000-0000-0000-000000000000")).toBeNull();
  });
  expect(await dueOf(bad.id)).toBe("2040-12-01T16:00:00.000Z");
  expect(await dueOf(good.id)).toBe("2040-12-01T13:00:00.000Z");
});

test("an occurrence that follows a changed schedule is said at its new time", async () => {
  const { body } = await world.send("POST", "/v1/tasks", {
    body: {
      title: "t",
      recurrence_pattern: { rrule: "FREQ=DAILY", tz: "America/Vancouver", start: "2040-12-01T09:00" },
    },
  });
  const id = await occurrence(body, "2040-12-01T09:00:00", "2040-12-01T16:00:00Z");
  const pattern = { rrule: "FREQ=DAILY", tz: "America/Vancouver", start: "2040-12-01T18:00" };
  await world.send("PATCH", `/v1/tasks/${body.id}`, { body: { recurrence_pattern: pattern } });
  expect(await dueOf(id)).toBe("2040-12-02T01:00:00.000Z");
  await withZones("2041a", moved, async () => void (await rezoneAll()));
  expect(await dueOf(id)).toBe("2040-12-01T22:00:00.000Z");
});

test("a running role goes through what is stored by itself; one with an older edition says so and decides nothing", async () => {
  const task = await make(vancouver);
  const lines: string[] = [];
  const run = async (line: string, step = rezoning().step) => {
    const stop = new AbortController();
    const telling = makeLog({}, "info", (text) => {
      lines.push(text);
      if (text.includes(line)) stop.abort();
    });
    const role = { signal: stop.signal, log: telling, tellOutage: () => {} };
    await keepRezoned({ db: world.db, part: "tasks", step }, role);
  };
  await withZones("2041a", moved, () => run('"rezone_done"'));
  expect(await dueOf(task.id)).toBe("2040-12-01T13:00:00.000Z");
  await run('"zone_data_older"', () => Promise.reject(new Error("an older edition decided")));
  expect(lines.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual([
    "rezone_begun",
    "rezone_done",
    "zone_data_older",
  ]);
});
