import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { deriveId } from "../../shared/messages/derive-id.ts";
import { until } from "../support/until.ts";
import { scopedSeries } from "./scoped-series.ts";
import { ada, ben, openWorld, type World } from "./task-service-world.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

describe.skipIf(!url)("changes of an occurrence that reach its series (needs DATABASE_URL)", () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  }, 60_000);
  afterAll(() => world?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    await world.db.sql`truncate tasks, idempotency_keys, outbox`;
    ignored.length = 0;
  });
  const { ignored, place, pattern, ask, makeSeries, rows, live, ruleOf, patch } = scopedSeries(() => world);

  test("all: the template changes, and open occurrences follow where they still were as it was", async () => {
    const { id, occurrences } = await makeSeries();
    await world.send("PATCH", `/v1/tasks/${occurrences[2]}`, { body: { title: "mine" } });
    await world.send("POST", `/v1/tasks/${occurrences[0]}/complete`);
    const answer = await patch(occurrences[1], "all", { title: "feed", priority: "High" });
    expect([answer.status, answer.body["title"], answer.headers.get("etag")]).toEqual([200, "feed", '"2"']);
    expect(answer.headers.get("x-events-made")).toBe("4");
    expect(await live()).toEqual(["02 water", "03 feed", "04 mine", "05 feed"]);
    expect((await world.send("GET", `/v1/tasks/${id}`)).body).toMatchObject({
      title: "feed",
      priority: "High",
      version: 2,
    });
    expect((await world.send("GET", `/v1/tasks/${occurrences[2]}`)).body).toMatchObject({
      title: "mine",
      priority: "High",
    });
    const told = (await world.events()).slice(-4).map(({ type, subject, sequence }) => [type, subject, sequence]);
    expect(told.toSorted()).toEqual(
      [
        ["TaskUpdated", id, 2],
        ["TaskUpdated", occurrences[1], 2],
        ["TaskUpdated", occurrences[2], 3],
        ["TaskUpdated", occurrences[3], 2],
      ].toSorted(),
    );
  });

  test.each(["done", "still open"])(
    "future: moved to an earlier day, of which there is a task of an earlier schedule, %s, it is refused: a day has one",
    async (how) => {
      const { id, occurrences } = await makeSeries();
      const everyOther = { ...pattern, rrule: "FREQ=DAILY;INTERVAL=2" };
      expect((await patch(id, "this", { recurrence_pattern: everyOther })).status).toBe(200);
      if (how === "done") await world.send("POST", `/v1/tasks/${occurrences[1]}/complete`);
      const before = await rows();
      const moved = await patch(occurrences[2], "future", { due_date: "2099-03-03T12:00:00Z" });
      expect([moved.status, moved.body["errors"]]).toEqual([
        422,
        [{ path: "/due_date", message: "is on a day that the series has a task of already" }],
      ]);
      expect(await rows()).toEqual(before);
      expect((await patch(occurrences[2], "future", { due_date: "2099-03-04T12:00:00Z" })).status).toBe(200);
    },
  );

  test("future: the series is split, this and the later open ones go over to the new one", async () => {
    const { id, occurrences } = await makeSeries();
    await patch(occurrences[3], "this", { title: "mine" });
    const answer = await patch(occurrences[2], "future", { title: "feed" });
    const series = String(answer.body["template_id"]);
    expect(answer.body).toMatchObject({ title: "feed", recurrence_id: place(4), version: 1, status: "open" });
    expect(answer.body.id).toBe(deriveId("occurrence", series, place(4)));
    expect(await live(id)).toEqual(["02 water", "03 water"]);
    expect(await live(series)).toEqual(["04 feed", "05 mine"]);
    expect([await ruleOf(id), await ruleOf(series)]).toEqual(["FREQ=DAILY;UNTIL=20990304T085959", "FREQ=DAILY"]);
    expect((await world.send("GET", `/v1/tasks/${series}`)).body).toMatchObject({
      title: "feed",
      tags: ["home"],
      due_date: "2099-03-04T09:00:00.000Z",
      recurrence_pattern: { start: place(4), max_open: 5 },
    });
    expect((await world.send("GET", `/v1/tasks/${occurrences[2]}`)).status).toBe(404);
    const told = (await world.events()).slice(-6).map(({ type }) => type);
    expect(told).toEqual(["TaskUpdated", "TaskDeleted", "TaskDeleted", "TaskCreated", "TaskCreated", "TaskCreated"]);
    // What the worker asked for before it heard of the split is not made.
    await ask(id, 6);
    await ask(series, 4);
    expect(ignored).toEqual(["past_end", "exists"]);
  });

  test("future with another time: the new series recurs then, and a COUNT is divided", async () => {
    const { id, occurrences } = await makeSeries({ rrule: "FREQ=DAILY;COUNT=10" });
    const answer = await patch(occurrences[1], "future", { due_date: "2099-03-03T18:00:00Z" });
    expect(answer.body).toMatchObject({ due_date: "2099-03-03T18:00:00.000Z", recurrence_id: "2099-03-03T18:00:00" });
    const series = String(answer.body["template_id"]);
    expect([await ruleOf(id), await ruleOf(series)]).toEqual([
      "FREQ=DAILY;UNTIL=20990303T085959",
      "FREQ=DAILY;COUNT=9",
    ]);
    // Those that were open after it go along.
    expect(await live(series)).toEqual(["03 water", "04 water", "05 water"]);
    const due = (await rows()).filter((row) => row.live && row.series === series).map((row) => row.due.getUTCHours());
    expect(due).toEqual([18, 18, 18]);
  });

  test("future with a due the rule does not name is refused, with its own rule it is taken", async () => {
    const weekly = { rrule: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH" };
    const { occurrences } = await makeSeries(weekly);
    const moved = { due_date: "2099-03-06T09:00:00Z" };
    const refused = await patch(occurrences[1], "future", moved);
    expect([refused.status, refused.body["errors"]]).toMatchObject([422, [{ path: "/due_date" }]]);
    const taken = await patch(occurrences[1], "future", {
      ...moved,
      recurrence_pattern: { rrule: "FREQ=WEEKLY;BYDAY=FR" },
    });
    expect(taken.body).toMatchObject({ recurrence_id: place(6), due_date: "2099-03-06T09:00:00.000Z" });
  });

  test("future of the first one changes the series in place, and so does one counted from completion", async () => {
    for (const over of [{}, { anchor: "completion" }]) {
      await world.db.sql`truncate tasks, idempotency_keys, outbox`;
      const { id, occurrences } = await makeSeries(over);
      const [first] = occurrences;
      const answer = await patch(first, "future", { title: "feed" });
      expect([answer.body.id, answer.body["template_id"]]).toEqual([first, id]);
      expect(await live(id)).toEqual(["02 feed", "03 feed", "04 feed", "05 feed"]);
      expect(await ruleOf(id)).toBe("FREQ=DAILY");
    }
  });

  test("a pattern changed at the template: each open occurrence goes to the new time of its day, under its own id", async () => {
    const { id, occurrences } = await makeSeries();
    await world.send("PATCH", `/v1/tasks/${occurrences[2]}`, { body: { due_date: "2099-03-04T12:00:00Z" } });
    await world.send("POST", `/v1/tasks/${occurrences[0]}/complete`);
    const evening = { ...pattern, start: "2099-03-02T18:00" };
    const answer = await world.send("PATCH", `/v1/tasks/${id}`, { body: { recurrence_pattern: evening } });
    expect([answer.status, answer.body.version, answer.headers.get("x-events-made")]).toEqual([200, 2, "3"]);
    const dues = (await rows()).filter(({ series }) => series === id).map((row) => row.due.toISOString().slice(8, 13));
    expect(dues).toEqual(["02T09", "03T18", "04T12", "05T18"]);
    const [second] = [await world.send("GET", `/v1/tasks/${occurrences[1]}`)];
    expect(second.body).toMatchObject({ version: 2, recurrence_id: place(3) });
    // Asked for before the worker heard of it.
    expect(await world.send("GET", `/v1/tasks/${await ask(id, 6)}`)).toMatchObject({
      body: { due_date: "2099-03-06T18:00:00.000Z" },
    });
    const refused = await world.send("PATCH", `/v1/tasks/${id}`, { body: { due_date: "2099-03-03T10:00:00Z" } });
    expect([refused.status, refused.body["errors"]]).toMatchObject([422, [{ path: "/due_date" }]]);
  });

  test("changed while its occurrences are being completed, each has one of the two times, and all are done", async () => {
    for (let round = 0; round < 5; round++) {
      const { id, occurrences } = await makeSeries();
      const evening = { ...pattern, start: "2099-03-02T18:00" };
      const answers = await Promise.all([
        ...occurrences.map((each) => world.send("POST", `/v1/tasks/${each}/complete`)),
        world.send("PATCH", `/v1/tasks/${id}`, { body: { recurrence_pattern: evening } }),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
      for (const each of occurrences) {
        const { body } = await world.send("GET", `/v1/tasks/${each}`);
        const moved = String(body["due_date"]).slice(11, 13) === "18";
        expect([body["status"], body.version]).toEqual(["completed", moved ? 3 : 2]);
      }
    }
  });

  test("deleting with a scope: future ends the series before it, all ends it; what was done stays", async () => {
    const one = await makeSeries();
    expect((await world.send("DELETE", `/v1/tasks/${one.occurrences[2]}?scope=future`)).status).toBe(204);
    expect([await live(one.id), await ruleOf(one.id)]).toEqual([
      ["02 water", "03 water"],
      "FREQ=DAILY;UNTIL=20990304T085959",
    ]);
    expect((await world.send("DELETE", `/v1/tasks/${one.occurrences[2]}?scope=future`)).status).toBe(204);
    await world.send("POST", `/v1/tasks/${one.occurrences[0]}/complete`);
    expect((await world.send("DELETE", `/v1/tasks/${one.occurrences[1]}?scope=all`)).status).toBe(204);
    expect([await live(one.id), await ruleOf(one.id)]).toEqual([["02 water"], "deleted"]);
    const other = await makeSeries();
    await world.send("DELETE", `/v1/tasks/${other.occurrences[0]}?scope=future`);
    expect([await live(other.id), await ruleOf(other.id)]).toEqual([[], "deleted"]);
  });

  test("stop-after keeps this one and ends the series with it; twice is once", async () => {
    const { id, occurrences } = await makeSeries();
    const stop = () => world.send("POST", `/v1/tasks/${occurrences[1]}/stop-after`);
    expect((await stop()).body).toMatchObject({ id: occurrences[1], version: 1 });
    expect([await live(id), await ruleOf(id)]).toEqual([["02 water", "03 water"], "FREQ=DAILY;UNTIL=20990303T090000"]);
    const before = (await world.events()).length;
    expect((await stop()).status).toBe(200);
    expect((await world.events()).length).toBe(before);
    const byCompletion = await makeSeries({ anchor: "completion" });
    await world.send("POST", `/v1/tasks/${byCompletion.occurrences[0]}/stop-after`);
    expect(await ruleOf(byCompletion.id)).toBe("FREQ=DAILY;COUNT=1");
  });

  test("one past the end its series was given since is changed alone: the end never moves to later", async () => {
    const { id, occurrences } = await makeSeries();
    await world.send("POST", `/v1/tasks/${occurrences[3]}/complete`);
    await patch(occurrences[1], "future", { title: "feed" });
    await world.send("POST", `/v1/tasks/${occurrences[3]}/reopen`);
    expect((await patch(occurrences[3], "future", { title: "prune" })).body).toMatchObject({
      template_id: id,
      title: "prune",
    });
    await world.send("POST", `/v1/tasks/${occurrences[3]}/stop-after`);
    expect(await ruleOf(id)).toBe("FREQ=DAILY;UNTIL=20990303T085959");
    await world.send("DELETE", `/v1/tasks/${occurrences[3]}?scope=future`);
    expect([await live(id), await ruleOf(id)]).toEqual([["02 water"], "FREQ=DAILY;UNTIL=20990303T085959"]);
  });

  test("what is done beyond a split does not come back", async () => {
    const { occurrences } = await makeSeries();
    await world.send("POST", `/v1/tasks/${occurrences[2]}/complete`);
    await world.send("DELETE", `/v1/tasks/${occurrences[3]}`);
    const answer = await patch(occurrences[1], "future", { due_date: "2099-03-03T18:00:00Z" });
    const successor = await world.send("GET", `/v1/tasks/${String(answer.body["template_id"])}`);
    expect(successor.body["recurrence_pattern"]).toMatchObject({
      exdate: ["2099-03-04T18:00:00", "2099-03-05T18:00:00"],
    });
  });

  test("more done beyond a split than a pattern can leave out: the split is refused, nothing changes", async () => {
    const { id, occurrences } = await makeSeries();
    await world.db.sql`
      insert into tasks (id, user_id, title, created_at, updated_at, status, completed_at, template_id, recurrence_id)
      select gen_random_uuid(), ${ada}, 'water', now(), now(), 'completed', now(), ${id},
        to_char(timestamp '2099-03-06 09:00' + n * interval '1 day', 'YYYY-MM-DD"T"HH24:MI:SS') from generate_series(1, 367) as n`;
    const refused = await patch(occurrences[1], "future", { title: "feed" });
    expect([refused.status, refused.body["code"]]).toEqual([409, "TOO_MANY_EXCEPTIONS"]);
    expect(await ruleOf(id)).toBe("FREQ=DAILY");
    await world.db.sql`delete from tasks where recurrence_id = '2099-03-07T09:00:00'`;
    const answer = await patch(occurrences[1], "future", { title: "feed" });
    const successor = await world.send("GET", `/v1/tasks/${String(answer.body["template_id"])}`);
    expect(successor.body["recurrence_pattern"]).toMatchObject({ exdate: { length: 366 } });
  });

  test("what was taken back beyond a split comes back, unless it was done before the worker heard of that", async () => {
    const { id, occurrences } = await makeSeries();
    await world.db.sql`insert into series (id, template_id, user_id, status) values (${id}, ${id}, ${ada}, 'waiting')`;
    for (const n of [2, 3] as const)
      await world.db.sql`
        insert into occurrences (id, series_id, number, recurrence_id, schedule_key, starts_at, due_passes_at, state, taken_back)
        values (${occurrences[n]}, ${id}, ${n}, ${place(n + 2)}, ${id}, now(), now(), 'open', true)`;
    await world.send("POST", `/v1/tasks/${occurrences[2]}/complete`);
    await world.send("DELETE", `/v1/tasks/${occurrences[3]}`);
    const answer = await patch(occurrences[1], "future", { title: "feed" });
    const successor = await world.send("GET", `/v1/tasks/${String(answer.body["template_id"])}`);
    expect(successor.body["recurrence_pattern"]).toMatchObject({ exdate: [place(4)] });
  });

  test("one that is reopened while the series is being split goes over to the new one", async () => {
    const { id, occurrences } = await makeSeries();
    await world.send("POST", `/v1/tasks/${occurrences[2]}/complete`);
    const { sql } = world.db;
    const { answer } = await world.db.transaction(async (tx) => {
      // The split waits for the one after it; by then the reopening is there.
      await tx`select from tasks where id = ${occurrences[3]} for update`;
      await tx`update tasks set status = 'open', completed_at = null, version = version + 1 where id = ${occurrences[2]}`;
      const answer = patch(occurrences[1], "future", { title: "feed" });
      await until("the split waits", async () => {
        const waiting = await sql`
          select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
        return waiting.length > 0;
      });
      return { answer };
    });
    expect((await answer).status).toBe(200);
    expect([await live(id), await live()]).toEqual([["02 water"], ["02 water", "03 feed", "04 feed", "05 feed"]]);
  });

  test("an all-day series is split by days", async () => {
    const body = {
      title: "rent",
      due_on: "2099-03-02",
      recurrence_pattern: { rrule: "FREQ=DAILY", tz: "Europe/Berlin" },
    };
    const { id } = (await world.send("POST", "/v1/tasks", { body })).body;
    const occurrence = Bun.randomUUIDv7();
    await world.db.sql`
      insert into tasks (id, user_id, title, created_at, updated_at, due_on, template_id, recurrence_id)
      values (${occurrence}, ${ada}, 'rent', now(), now(), '2099-03-04', ${id}, '2099-03-04')`;
    const answer = await patch(occurrence, "future", { title: "rent, new flat" });
    expect(answer.body).toMatchObject({ due_on: "2099-03-04", due_date: null, recurrence_id: "2099-03-04" });
    const series = String(answer.body["template_id"]);
    expect(await ruleOf(id)).toBe("FREQ=DAILY;UNTIL=20990303");
    expect((await world.send("GET", `/v1/tasks/${series}`)).body).toMatchObject({
      due_on: "2099-03-04",
      due_date: null,
    });
  });

  test("If-Match is the occurrence's version, and a request sent again with its key is answered again", async () => {
    const { occurrences } = await makeSeries();
    await patch(occurrences[2], "this", { description: "more" });
    const stale = await patch(occurrences[2], "all", { title: "feed" }, { ifMatch: '"1"' });
    expect([stale.status, stale.body["current"]]).toMatchObject([412, { id: occurrences[2], version: 2 }]);
    const request = () => patch(occurrences[2], "future", { title: "feed" }, { ifMatch: '"2"', key: "k" });
    const [first, ...again] = await Promise.all(Array.from({ length: 6 }, request));
    for (const each of again)
      expect([each.status, each.body["id"], each.body["version"]]).toEqual([200, String(first?.body.id), 1]);
    expect([first, ...again].filter((each) => each?.headers.get("idempotent-replayed") === "true")).toHaveLength(5);
    expect((await rows()).filter(({ pattern }) => pattern !== null)).toHaveLength(2);
    expect((await patch(occurrences[2], "all", { title: "feed" }, { key: "k" })).body["code"]).toBe(
      "IDEMPOTENCY_KEY_REUSED",
    );
  });

  test("who has not seen that the occurrence was deleted does not delete the series; who deleted the series may say so again", async () => {
    const { id, occurrences } = await makeSeries();
    await world.send("DELETE", `/v1/tasks/${occurrences[1]}`);
    const remove = (n: number, scope: string) =>
      world.send("DELETE", `/v1/tasks/${occurrences[n]}?scope=${scope}`, { ifMatch: '"1"' });
    for (const scope of ["future", "all"]) {
      const stale = await remove(1, scope);
      expect([stale.status, stale.body["current"]]).toMatchObject([412, { id: occurrences[1], version: 2 }]);
    }
    expect([await live(id), await ruleOf(id)]).toEqual([["02 water", "04 water", "05 water"], "FREQ=DAILY"]);
    for (const scope of ["future", "future", "all", "all"])
      expect((await remove(scope === "all" ? 0 : 2, scope)).status).toBe(204);
    expect([await live(id), await ruleOf(id)]).toEqual([[], "deleted"]);
  });

  test("a scope is refused where there is no series, and for what is one occurrence's own", async () => {
    const plain = (await world.send("POST", "/v1/tasks", { body: { title: "plain" } })).body.id;
    const { id, occurrences } = await makeSeries();
    for (const target of [plain, id])
      expect((await patch(target, "all", { title: "x" })).body["code"]).toBe("TASK_HAS_NO_SERIES");
    expect((await world.send("DELETE", `/v1/tasks/${plain}?scope=all`)).status).toBe(409);
    expect((await world.send("POST", `/v1/tasks/${plain}/stop-after`)).status).toBe(409);
    expect((await patch(plain, "this", { title: "x" })).status).toBe(200);
    expect((await patch(occurrences[1], "everything", { title: "x" })).status).toBe(422);
    for (const body of [
      { due_date: "2099-03-03T10:00:00Z" },
      { recurrence_pattern: null },
      { is_recurring_template: false },
    ])
      expect((await patch(occurrences[1], "all", body)).status).toBe(422);
    expect((await patch(occurrences[1], "all", { title: "x" }, { as: ben })).status).toBe(404);
    await world.send("POST", `/v1/tasks/${occurrences[1]}/complete`);
    expect((await patch(occurrences[1], "future", { title: "x" })).body["code"]).toBe("TASK_COMPLETED");
    await world.send("DELETE", `/v1/tasks/${id}`);
    expect((await patch(occurrences[2], "all", { title: "x" })).body["code"]).toBe("TASK_DELETED");
  });
});
