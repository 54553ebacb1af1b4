import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { scopedSeries } from "./scoped-series.ts";
import { ada, openWorld, type World } from "./task-service-world.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

const mistakesOf = ({ errors }: Readonly<Record<string, unknown>>): readonly string[] =>
  Array.isArray(errors) ? errors.map(({ path }: { path: string }) => path) : [];

describe.skipIf(!url)("what a task of a series, or none of one, may not be told (needs DATABASE_URL)", () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  }, 60_000);
  afterAll(() => world?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    await world.db.sql`truncate tasks, idempotency_keys, outbox`;
    ignored.length = 0;
  });
  const { ignored, place, pattern, ask, makeSeries, live, ruleOf, patch } = scopedSeries(() => world);

  test("a pattern of its own is refused to an occurrence, naming the scope that changes its series", async () => {
    const { id, occurrences } = await makeSeries();
    for (const recurrence_pattern of ["daily", null]) {
      const answer = await patch(occurrences[1], "this", { recurrence_pattern });
      expect([answer.status, answer.body.errors]).toEqual([
        422,
        [
          {
            path: "/recurrence_pattern",
            message: expect.stringMatching(/scope=all .*scope=future|scope=all or scope=future/),
          },
        ],
      ]);
    }
    expect(await live(id)).toEqual(["02 water", "03 water", "04 water", "05 water"]);
    const other = { rrule: "FREQ=DAILY;INTERVAL=2", tz: "UTC", start: place(2) };
    expect((await patch(occurrences[1], "all", { recurrence_pattern: other })).status).toBe(200);
    expect(await ruleOf(id)).toBe("FREQ=DAILY;INTERVAL=2");
  });

  test("made plain again, a template is the one to-do there is, as its earliest open occurrence was", async () => {
    const made = await world.send("POST", "/v1/tasks", {
      body: { title: "water", due_date: `${place(1)}Z`, tags: ["home"] },
    });
    const { id } = made.body;
    await world.send("PATCH", `/v1/tasks/${id}`, { body: { recurrence_pattern: pattern } });
    const [done, next, later] = [await ask(id, 2), await ask(id, 3), await ask(id, 4)];
    await world.send("POST", `/v1/tasks/${done}/complete`);
    await world.send("PATCH", `/v1/tasks/${next}`, { body: { title: "water the fern" } });
    const before = await world.events();
    const stale = await world.send("PATCH", `/v1/tasks/${id}`, { body: { recurrence_pattern: null }, ifMatch: '"1"' });
    expect(stale.status).toBe(412);
    const answer = await world.send("PATCH", `/v1/tasks/${id}`, {
      body: { recurrence_pattern: null, priority: "High" },
    });
    expect([answer.status, answer.headers.get("etag")]).toEqual([200, '"3"']);
    expect(answer.body).toMatchObject({
      id,
      title: "water the fern",
      priority: "High",
      tags: ["home"],
      due_date: `${place(3)}.000Z`,
      is_recurring_template: false,
      recurrence_pattern: null,
      version: 3,
    });
    const open = await world.send("GET", "/v1/tasks?status=open&templates=true");
    expect(open.body.items.map((task: { id: string }) => task.id)).toEqual([id]);
    const told = (await world.events()).slice(before.length).map(({ type, subject }) => [type, subject]);
    expect(told).toEqual([["TaskUpdated", id], ...[next, later].toSorted().map((each) => ["TaskDeleted", each])]);
    // Asked for before the worker heard of it: none is made any more.
    await ask(id, 5);
    expect([
      ignored,
      (await world.send("PATCH", `/v1/tasks/${id}`, { body: { recurrence_pattern: null } })).body.version,
    ]).toEqual([["no_template"], 3]);
  });

  test("made plain with a due of its own, it has that; with none open, it stays as it is", async () => {
    const { id } = await makeSeries();
    const body = { recurrence_pattern: null, due_on: "2099-12-24" };
    expect((await world.send("PATCH", `/v1/tasks/${id}`, { body })).body).toMatchObject({
      due_on: "2099-12-24",
      due_date: null,
    });
    expect(await live(id)).toEqual([]);
    const idle = (await world.send("POST", "/v1/tasks", { body: { title: "rest", recurrence_pattern: "daily" } })).body
      .id;
    const plain = await world.send("PATCH", `/v1/tasks/${idle}`, { body: { is_recurring_template: false } });
    expect(plain.body).toMatchObject({ title: "rest", due_date: null, is_recurring_template: false });
  });

  test("what is for occurrences is refused by a code of its own where a task is none of a series", async () => {
    const plain = (await world.send("POST", "/v1/tasks", { body: { title: "plain" } })).body.id;
    const { id } = await makeSeries();
    for (const task of [plain, id])
      for (const [method, path, body] of [
        ["POST", `/v1/tasks/${task}/stop-after`, undefined],
        ["DELETE", `/v1/tasks/${task}?scope=future`, undefined],
        ["PATCH", `/v1/tasks/${task}?scope=all`, { title: "x" }],
      ] as const) {
        const answer = await world.send(method, path, body === undefined ? {} : { body });
        expect([answer.status, answer.body.code]).toEqual([409, "TASK_HAS_NO_SERIES"]);
        expect(String(answer.body["detail"]).includes("template")).toBe(task === id);
      }
  });

  test("every route of a deleted task answers as of one that never was, but for deleting it again", async () => {
    const { occurrences } = await makeSeries();
    const plain = (await world.send("POST", "/v1/tasks", { body: { title: "plain" } })).body.id;
    for (const id of [plain, occurrences[1]]) {
      await world.send("DELETE", `/v1/tasks/${id}`);
      const body = { title: "x" };
      const answers = await Promise.all([
        world.send("GET", `/v1/tasks/${id}`),
        world.send("PATCH", `/v1/tasks/${id}`, { body }),
        world.send("PATCH", `/v1/tasks/${id}`, { body: { recurrence_pattern: null } }),
        world.send("PATCH", `/v1/tasks/${id}?scope=all`, { body }),
        world.send("POST", `/v1/tasks/${id}/complete`),
        world.send("POST", `/v1/tasks/${id}/reopen`),
        world.send("POST", `/v1/tasks/${id}/stop-after`),
        // Of an occurrence it deletes others too, and again nothing.
        ...(id === plain ? [world.send("DELETE", `/v1/tasks/${id}?scope=all`)] : []),
      ]);
      expect(answers.map(({ status, body: { code } }) => `${status} ${code}`)).toEqual(
        answers.map(() => "404 TASK_NOT_FOUND"),
      );
      expect((await world.send("DELETE", `/v1/tasks/${id}`)).status).toBe(204);
    }
  });

  test("a local due is meant in the zone of the preferences, and refused to whoever has none", async () => {
    const make = () => world.send("POST", "/v1/tasks", { body: { title: "x", due_date: "2030-07-01T10:00" } });
    expect([(await make()).status, mistakesOf((await make()).body)]).toEqual([422, ["/due_date"]]);
    await world.db
      .sql`insert into preferences (user_id, settings) values (${ada}, ${world.db.sql.json({ tz: "Europe/Berlin" })})`;
    const { status, body } = await make();
    expect([status, body.due_date, body.due_tz]).toEqual([201, "2030-07-01T08:00:00.000Z", null]);
    const moved = await world.send("PATCH", `/v1/tasks/${body.id}`, { body: { due_date: "2030-12-01T10:00" } });
    expect(moved.body.due_date).toBe("2030-12-01T09:00:00.000Z");
    await world.db.sql`delete from preferences where user_id = ${ada}`;
  });
});
