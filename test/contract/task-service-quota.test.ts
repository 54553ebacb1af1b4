import { afterAll, beforeAll, expect, test } from "bun:test";
import { openWorld, type World } from "./task-service-world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld({ openTasks: 5, tasks: 8, templates: 2 });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const pattern = { rrule: "FREQ=DAILY", start: "2099-01-01T09:00", tz: "UTC" };
const make = async (as: string, body: object = {}, key?: string) =>
  await world.send("POST", "/v1/tasks", { as, body: { title: "x", ...body }, ...(key === undefined ? {} : { key }) });
const user = () => crypto.randomUUID();

test("open tasks are bounded, and completing or deleting one makes room; another's do not count", async () => {
  const ada = user();
  const made = [];
  for (let i = 0; i < 5; i++) made.push((await make(ada)).body);
  const refused = await make(ada);
  expect(refused.status).toBe(409);
  expect(refused.body).toMatchObject({
    code: "QUOTA_EXCEEDED",
    retryable: false,
    detail: "You may have 5 open tasks: complete or delete some first",
  });
  expect((await make(user())).status).toBe(201);
  const [one, two] = made.map(({ id }) => `/v1/tasks/${id}`);
  expect((await world.send("POST", `${one}/complete`, { as: ada })).status).toBe(200);
  expect((await make(ada)).status).toBe(201);
  // Reopened, it would be one too many.
  expect((await world.send("POST", `${one}/reopen`, { as: ada })).body).toMatchObject({ code: "QUOTA_EXCEEDED" });
  expect((await world.send("DELETE", `${two}`, { as: ada })).status).toBe(204);
  expect((await world.send("POST", `${one}/reopen`, { as: ada })).status).toBe(200);
  expect((await make(ada)).status).toBe(409);
});

test("restoring needs room as making does, of an occurrence and a series too", async () => {
  const ada = user();
  const restore = (path: string) => world.send("POST", `/v1/tasks/${path}`, { as: ada });
  const deleted = (await make(ada)).body;
  expect((await world.send("DELETE", `/v1/tasks/${deleted.id}`, { as: ada })).status).toBe(204);
  const series = (await make(ada, { recurrence_pattern: pattern })).body;
  const at = new Date();
  const occurrence = crypto.randomUUID();
  await world.db.sql`insert into tasks ${world.db.sql({
    id: occurrence,
    user_id: ada,
    title: "x",
    created_at: at,
    updated_at: at,
    template_id: series.id,
    recurrence_id: "2099-01-01T09:00:00",
  })}`;
  expect((await world.send("DELETE", `/v1/tasks/${occurrence}?scope=all`, { as: ada })).status).toBe(204);
  for (let i = 0; i < 5; i++) expect((await make(ada)).status).toBe(201);
  for (const path of [`${deleted.id}/restore`, `${occurrence}/restore`, `${series.id}/restore?scope=all`])
    expect((await restore(path)).body).toMatchObject({ code: "QUOTA_EXCEEDED", retryable: false });
  // Of a series alone nothing is open; templates have a bound of their own.
  expect((await restore(`${series.id}/restore`)).status).toBe(200);
  for (let i = 0; i < 2; i++) await make(ada, { recurrence_pattern: pattern });
  await world.send("DELETE", `/v1/tasks/${series.id}`, { as: ada });
  expect((await make(ada, { recurrence_pattern: pattern })).status).toBe(201);
  expect((await restore(`${series.id}/restore`)).body).toMatchObject({ code: "QUOTA_EXCEEDED" });
});

test("tasks that are kept are bounded, completed ones included", async () => {
  const ada = user();
  for (let i = 0; i < 8; i++) {
    const { body } = await make(ada);
    if (i < 7) await world.send("POST", `/v1/tasks/${body.id}/complete`, { as: ada });
  }
  expect((await make(ada)).body["detail"]).toBe(
    "You may have 8 tasks, completed ones included: delete some first" as never,
  );
});

test("templates are bounded, however they come to be", async () => {
  const ada = user();
  const plain = (await make(ada)).body;
  const first = (await make(ada, { recurrence_pattern: pattern })).body;
  expect((await make(ada, { recurrence_pattern: pattern })).status).toBe(201);
  expect((await make(ada, { recurrence_pattern: pattern })).body).toMatchObject({
    code: "QUOTA_EXCEEDED",
    detail: "You may have 2 recurring templates: delete some first",
  });
  const becomes = () =>
    world.send("PATCH", `/v1/tasks/${plain.id}`, { as: ada, body: { recurrence_pattern: pattern } });
  expect((await becomes()).body).toMatchObject({ code: "QUOTA_EXCEEDED" });
  expect((await world.send("DELETE", `/v1/tasks/${first.id}`, { as: ada })).status).toBe(204);
  expect((await becomes()).status).toBe(200);
});

test("a request that was done is answered again, whatever there is by now", async () => {
  const ada = user();
  const first = await make(ada, {}, "k1");
  for (let i = 0; i < 4; i++) await make(ada);
  const again = await make(ada, {}, "k1");
  expect([again.status, again.body.id, again.headers.get("idempotent-replayed")]).toEqual([201, first.body.id, "true"]);
  expect((await make(ada, {}, "k2")).status).toBe(409);
});

test("many at once, through two processes, get the room there is and little more", async () => {
  const ada = user();
  const other = await world.another();
  const through = (send: World["send"]) => send("POST", "/v1/tasks", { as: ada, body: { title: "x" } });
  const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => through(at % 2 === 0 ? world.send : other)));
  const made = answers.filter(({ status }) => status === 201).length;
  expect(made).toBeGreaterThanOrEqual(5);
  expect(made).toBeLessThanOrEqual(10);
});

test("a batch counts all it may add, and is refused whole; done under a key, it is answered whatever there is by now", async () => {
  const ada = user();
  const batch = (operations: readonly object[], key?: string) =>
    world.send("POST", "/v1/batch", { as: ada, body: { operations }, ...(key === undefined ? {} : { key }) });
  const creates = (count: number, more: object = {}) =>
    Array.from({ length: count }, () => ({ op: "create", task: { title: "x", ...more } }));
  expect((await batch(creates(6))).body).toMatchObject({ code: "QUOTA_EXCEEDED" });
  expect((await batch(creates(3, { recurrence_pattern: pattern }))).body).toMatchObject({ code: "QUOTA_EXCEEDED" });
  const done = await batch(creates(5), "k");
  expect(done.status).toBe(200);
  const again = await batch(creates(5), "k");
  expect([again.status, again.body, again.headers.get("idempotent-replayed")]).toEqual([200, done.body, "true"]);
  const [first] = done.body["results"] as { id: string }[];
  const complete = { op: "complete", id: first?.id };
  // What a batch takes away counts when it is done.
  expect((await batch([complete, ...creates(1)])).body).toMatchObject({ code: "QUOTA_EXCEEDED" });
  expect((await batch([complete])).status).toBe(200);
  expect((await batch([...creates(1), { op: "reopen", id: first?.id }])).body).toMatchObject({
    code: "QUOTA_EXCEEDED",
  });
  expect((await batch(creates(1))).status).toBe(200);
  expect((await make(ada)).status).toBe(409);
});
