import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { occurrenceId } from "../../shared/tasks/occurrence-id.ts";
import { scopedSeries } from "./scoped-series.ts";
import { ada, ben, openWorld, type Answered, type World } from "./task-service-world.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

describe.skipIf(!url)("a deletion can be taken back (needs DATABASE_URL)", () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  }, 60_000);
  afterAll(() => world?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    await world.db.sql`truncate tasks, idempotency_keys, outbox, occurrences, series cascade`;
  });
  const { makeSeries, live, place, rows } = scopedSeries(() => world);

  type More = Readonly<{ as?: string; key?: string; ifMatch?: string }>;
  const make = async (body: object = {}, as = ada) =>
    (await world.send("POST", "/v1/tasks", { as, body: { title: "water", ...body } })).body;
  const remove = (id: string, scope = "this") => world.send("DELETE", `/v1/tasks/${id}?scope=${scope}`);
  const restore = (id: string, more: More & Readonly<{ scope?: string }> = {}) =>
    world.send("POST", `/v1/tasks/${id}/restore${more.scope === undefined ? "" : `?scope=${more.scope}`}`, more);
  const listed = async (query = "", as = ada) =>
    (await world.send("GET", `/v1/tasks?deleted=true${query}`, { as })).body.items.map(({ id }) => id);
  const age = (id: string, interval: string) => world.db.sql`
    update tasks set deleted_at = deleted_at - ${interval}::interval where id = ${id}`;
  const replaced = ({ status, body }: Answered) => [status, body["code"], (body["current"] as { id: string }).id];

  describe("a task", () => {
    test("is there again as it was, with one event; restored again, nothing happens", async () => {
      const made = await make({ due_date: "2099-03-01T10:00:00Z", tags: ["home"] });
      await world.send("POST", `/v1/tasks/${made.id}/complete`);
      const done = (await world.send("GET", `/v1/tasks/${made.id}`)).body;
      await remove(made.id);
      expect((await world.send("GET", `/v1/tasks/${made.id}`)).status).toBe(404);
      const answer = await restore(made.id);
      expect([answer.status, answer.headers.get("etag")]).toEqual([200, '"4"']);
      const { updated_at: _updatedAt, ...kept } = done;
      expect(answer.body).toMatchObject({ ...kept, version: 4, deleted_at: null, status: "completed" });
      expect((await world.send("GET", `/v1/tasks/${made.id}`)).body).toEqual(answer.body);
      const again = await restore(made.id);
      expect([again.status, again.body]).toEqual([200, answer.body]);
      const told = (await world.events()).map(({ type, sequence, data }) => [type, sequence, data["updated_fields"]]);
      expect(told.slice(2)).toEqual([
        ["TaskDeleted", 3, undefined],
        ["TaskUpdated", 4, { deleted_at: null }],
      ]);
    });

    test("restored by two processes at once, it is restored once", async () => {
      const { id } = await make();
      await remove(id);
      const other = await world.another();
      const both = await Promise.all([restore(id), other("POST", `/v1/tasks/${id}/restore`)]);
      expect(both.map(({ status, body }) => `${status} ${body.version}`)).toEqual(["200 3", "200 3"]);
      expect(await world.events()).toHaveLength(3);
    });

    test("If-Match is compared with the deleted task, whose version the list has", async () => {
      const { id } = await make();
      await remove(id);
      const stale = await restore(id, { ifMatch: '"1"' });
      expect([stale.status, stale.body["current"]]).toMatchObject([412, { id, version: 2 }]);
      expect((await restore(id, { ifMatch: '"2"' })).body.version).toBe(3);
      expect((await restore(id, { ifMatch: '"2"' })).status).toBe(412);
    });

    test("with a key it is done once, and answered the same after it was deleted again", async () => {
      const { id } = await make();
      await remove(id);
      const first = await restore(id, { key: "r1" });
      await remove(id);
      const again = await restore(id, { key: "r1" });
      expect([again.headers.get("idempotent-replayed"), again.body]).toEqual(["true", first.body]);
      expect(await listed()).toEqual([id]);
    });

    test("of another, or that never was, answers 404 and changes nothing", async () => {
      const { id } = await make();
      await remove(id);
      for (const answer of [await restore(id, { as: ben }), await restore(crypto.randomUUID())])
        expect([answer.status, answer.body["code"]]).toEqual([404, "TASK_NOT_FOUND"]);
      expect(await listed("", ben)).toEqual([]);
      expect(await listed()).toEqual([id]);
    });

    test("deleted more than 30 days ago it is not listed, and answers 404 with the reason", async () => {
      const { id } = await make();
      await remove(id);
      await age(id, "29 days 23 hours");
      expect(await listed()).toEqual([id]);
      await age(id, "1 hour");
      expect(await listed()).toEqual([]);
      const answer = await restore(id);
      expect([answer.status, answer.body["code"], answer.body["detail"]]).toEqual([
        404,
        "TASK_NOT_FOUND",
        `The task ${id} was deleted more than 30 days ago, and can no longer be restored`,
      ]);
    });

    test("a scope is refused where there is no series, and so is one that is none", async () => {
      const { id } = await make();
      await remove(id);
      const answer = await restore(id, { scope: "all" });
      expect([answer.status, answer.body["code"]]).toEqual([409, "TASK_HAS_NO_SERIES"]);
      expect((await restore(id, { scope: "future" })).status).toBe(422);
    });
  });

  describe("an occurrence", () => {
    test("comes back to its series", async () => {
      const { occurrences } = await makeSeries();
      await remove(occurrences[1]);
      const answer = await restore(occurrences[1]);
      expect(answer.body).toMatchObject({ recurrence_id: place(3), version: 3, deleted_at: null, status: "open" });
      expect(await live()).toEqual(["02 water", "03 water", "04 water", "05 water"]);
    });

    test("whose date has another task by now is refused with that, until that is deleted", async () => {
      const { id, occurrences } = await makeSeries();
      await remove(occurrences[1]);
      const copy = { template_id: id, recurrence_id: `${place(3)}#2` };
      const there = occurrenceId(id, copy.recurrence_id);
      const at = new Date();
      await world.db
        .sql`insert into tasks ${world.db.sql({ id: there, user_id: ada, title: "copy", created_at: at, updated_at: at, ...copy })}`;
      expect(replaced(await restore(occurrences[1]))).toEqual([409, "OCCURRENCE_REPLACED", there]);
      await world.send("POST", `/v1/tasks/${there}/complete`);
      expect(replaced(await restore(occurrences[1]))).toEqual([409, "OCCURRENCE_REPLACED", there]);
      await remove(there);
      expect((await restore(occurrences[1])).status).toBe(200);
      expect(replaced(await restore(there))).toEqual([409, "OCCURRENCE_REPLACED", occurrences[1]]);
    });

    test("that a split moved into another series is refused with what that made of it, deleted or not", async () => {
      const { id, occurrences } = await makeSeries();
      const split = await world.send("PATCH", `/v1/tasks/${occurrences[2]}?scope=future`, { body: { title: "feed" } });
      const moved = split.body.id;
      expect(replaced(await restore(occurrences[2]))).toEqual([409, "OCCURRENCE_REPLACED", moved]);
      await remove(moved, "all");
      expect(replaced(await restore(occurrences[2]))).toEqual([409, "OCCURRENCE_REPLACED", moved]);
      // Deleted before the split, it is of the series that it was of.
      await remove(occurrences[1]);
      expect((await restore(occurrences[1])).body["template_id"]).toBe(id);
    });

    test("of a series that was made a plain task is refused with that", async () => {
      const { id, occurrences } = await makeSeries();
      await world.send("PATCH", `/v1/tasks/${id}`, { body: { recurrence_pattern: null } });
      expect(replaced(await restore(occurrences[1]))).toEqual([409, "OCCURRENCE_REPLACED", id]);
    });

    test("beyond the end that stop-after gave its series comes back alone", async () => {
      const { id, occurrences } = await makeSeries();
      await world.send("POST", `/v1/tasks/${occurrences[1]}/stop-after`);
      expect(await live()).toEqual(["02 water", "03 water"]);
      expect((await restore(occurrences[3])).status).toBe(200);
      expect(await live(id)).toEqual(["02 water", "03 water", "05 water"]);
    });
  });

  describe("a series", () => {
    test("deleted as a whole comes back with what was deleted with it, by its template or an occurrence", async () => {
      for (const by of ["template", "occurrence"]) {
        const { id, occurrences } = await makeSeries();
        await world.send("POST", `/v1/tasks/${occurrences[0]}/complete`);
        await remove(occurrences[1]);
        await remove(occurrences[2], "all");
        expect(await live(id)).toEqual(["02 water"]);
        const answer = await restore(by === "template" ? id : occurrences[2], { scope: "all" });
        expect([answer.status, answer.headers.get("x-events-made")]).toEqual([200, "3"]);
        // What was deleted on its own before is not part of it.
        expect(await live(id)).toEqual(["02 water", "04 water", "05 water"]);
        expect((await rows()).find((row) => row.id === id)?.live).toBe(true);
        const again = await restore(id, { scope: "all" });
        expect([again.status, again.headers.get("x-events-made")]).toEqual([200, null]);
      }
    });

    test("its template alone comes back to the occurrences that were left", async () => {
      const { id, occurrences } = await makeSeries();
      await remove(id);
      const answer = await restore(id, { ifMatch: '"2"' });
      expect(answer.body).toMatchObject({ id, version: 3, is_recurring_template: true });
      expect(await live(id)).toHaveLength(occurrences.length);
    });

    test("of another answers 404, whatever the scope", async () => {
      const { id, occurrences } = await makeSeries();
      await remove(occurrences[1], "all");
      for (const each of [id, ...occurrences])
        expect((await restore(each, { as: ben, scope: "all" })).status).toBe(404);
      expect(await live(id)).toEqual([]);
    });
  });

  describe("the list of deleted tasks", () => {
    /** Deleted in this order, a day apart, the last one a day ago. */
    const deleteInTurn = async (titles: readonly string[]) => {
      const ids: string[] = [];
      for (const [index, title] of titles.entries()) {
        const { id } = await make({ title });
        ids.unshift(id);
        await remove(id);
        await age(id, `${titles.length - index} days`);
      }
      return ids;
    };

    test("has the newest deletion first, in pages, with a count; live ones are not among them", async () => {
      const ids = await deleteInTurn(["a", "b", "c", "d", "e"]);
      await make({ title: "live" });
      const seen: string[] = [];
      let query = "&limit=2&count=true";
      for (;;) {
        const { body } = await world.send("GET", `/v1/tasks?deleted=true${query}`);
        expect(body.count).toBe(5);
        seen.push(...body.items.map(({ id }) => id));
        if (body.next_cursor === null) break;
        query = `&limit=2&count=true&cursor=${body.next_cursor}`;
      }
      expect(seen).toEqual(ids);
      expect(await listed("&sort=deleted")).toEqual(ids.toReversed());
      expect(await listed("&sort=-created")).toEqual(ids);
    });

    test("is narrowed like the other", async () => {
      const [plants, car] = await deleteInTurn(["wash the car", "water the plants"]);
      await world.send("POST", `/v1/tasks/${(await make({ title: "plants" })).id}/complete`);
      expect(await listed("&q=plan")).toEqual([plants ?? ""]);
      expect(await listed(`&filter=${encodeURIComponent('"car" | completed')}`)).toEqual([car ?? ""]);
      expect(await listed("&status=completed")).toEqual([]);
      expect(await listed(`&ids=${car}`)).toEqual([car ?? ""]);
    });

    test("has templates where they are asked for", async () => {
      const { id, occurrences } = await makeSeries();
      await remove(occurrences[3], "all");
      expect((await listed()).toSorted()).toEqual(occurrences.toSorted());
      expect((await listed("&templates=true")).toSorted()).toEqual([id, ...occurrences].toSorted());
    });

    test("leaves out what only an undone completion removed", async () => {
      const { id, occurrences } = await makeSeries();
      await remove(occurrences[2]);
      await remove(occurrences[3]);
      await world.db.sql`
        insert into series (id, template_id, user_id, status) values (${id}, ${id}, ${ada}, 'stopped')`;
      await world.db.sql`
        insert into occurrences (id, series_id, number, recurrence_id, schedule_key, starts_at, due_passes_at, state, taken_back)
        values (${occurrences[3]}, ${id}, 4, ${place(5)}, ${id}, now(), now(), 'deleted', true)`;
      expect(await listed()).toEqual([occurrences[2]]);
    });

    test("an order by deletion is refused for tasks that are not deleted", async () => {
      const { status, body } = await world.send("GET", "/v1/tasks?sort=-deleted");
      expect([status, body["errors"]]).toEqual([422, [{ path: "query.sort", message: "goes with deleted=true" }]]);
    });

    test("reads a user's deletions alone, by their index", async () => {
      await world.db.sql`
        insert into tasks (id, user_id, title, created_at, updated_at, deleted_at)
        select gen_random_uuid(), case when n % 100 = 0 then ${ada} else ${ben} end::uuid, 'x', now(), now(), now() - n * interval '1 s'
        from generate_series(1, 20000) n`;
      await world.db.sql`analyze tasks`;
      const plan = await world.db.sql<{ "QUERY PLAN": string }[]>`
        explain select * from tasks
        where user_id = ${ada} and deleted_at > now() - interval '30 days' order by deleted_at desc, id desc limit 50`;
      expect(plan.map((line) => line["QUERY PLAN"]).join("\n")).toContain("tasks_deleted");
    });
  });
});
