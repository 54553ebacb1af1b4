import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { completed, created, ben, deleted, idOf, openSeriesWorld, updated, type SeriesWorld } from "./series-world.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

const day = (date: string) => `2099-11-${date}T09:00:00`;
const pattern = { rrule: "FREQ=DAILY", tz: "UTC", start: day("24") };

describe.skipIf(!url)("single recurrences of a series (needs DATABASE_URL)", () => {
  let world: SeriesWorld;
  beforeAll(async () => {
    world = await openSeriesWorld();
  }, 60_000);
  afterAll(() => world?.[Symbol.asyncDispose](), 30_000);

  const makeSeries = async (over: object = {}): Promise<string> => {
    const template = Bun.randomUUIDv7();
    await world.hear([created(template, { ...pattern, ...over })]);
    return template;
  };
  const path = (id: string, date: string, verb: string) => `/v1/series/${id}/occurrences/${day(date)}/${verb}`;
  const post = (id: string, date: string, verb: string, more: { body?: unknown; as?: string; ifMatch?: string } = {}) =>
    world.send("POST", path(id, date, verb), more);
  const states = async (id: string, query = "") => {
    const { body } = await world.send("GET", `/v1/series/${id}/occurrences?from=2099-11-24T00:00:00Z&${query}`);
    return body.items.map((item: { recurrence_id: string; state: string }) => [
      item.recurrence_id.slice(8, 10) + item.recurrence_id.slice(19),
      item.state,
    ]);
  };

  test("a skipped one is never made, whatever calls for the next one", async () => {
    const id = await makeSeries();
    const skipped = await post(id, "25", "skip");
    expect([skipped.status, skipped.body.state, skipped.body.task_id]).toEqual([200, "skipped", null]);
    const next = await world.hear([completed(idOf(id, day("24")), 2)]);
    expect(next.map(({ subject }) => subject)).toEqual([idOf(id, day("26"))]);
    expect(await states(id, "limit=4")).toEqual([
      ["24", "completed"],
      ["25", "skipped"],
      ["26", "open"],
      ["27", "upcoming"],
    ]);
  });

  test("skipping twice is skipping once, and un-skipping brings it back in its turn", async () => {
    const id = await makeSeries();
    const first = await post(id, "25", "skip");
    const again = await post(id, "25", "skip");
    expect([again.status, again.etag]).toEqual([200, first.etag]);
    expect((await post(id, "25", "unskip")).body.state).toBe("upcoming");
    expect((await post(id, "25", "unskip")).status).toBe(200);
    const next = await world.hear([completed(idOf(id, day("24")), 2)]);
    expect(next.map(({ subject }) => subject)).toEqual([idOf(id, day("25"))]);
  });

  test("the time of the series is changed: each day keeps the one it has, what was skipped stays so, and both names find it", async () => {
    const id = await makeSeries();
    await world.hear([completed(idOf(id, day("24")), 2)]);
    await post(id, "26", "skip");
    await post(id, "27", "move", { body: { due_date: "2099-11-27T13:00:00Z" } });
    await post(id, "28", "complete");
    const evening = { ...pattern, start: "2099-11-24T18:00" };
    await world.hear([updated(id, 2, { recurrence_pattern: JSON.stringify(evening) })]);
    expect(await states(id, "limit=6")).toEqual([
      ["24", "completed"],
      ["25", "open"],
      ["26", "skipped"],
      ["27", "upcoming"],
      ["28", "completed"],
      ["29", "upcoming"],
    ]);
    const unskip = async (at: string) => (await world.send("POST", `/v1/series/${id}/occurrences/${at}/unskip`)).body;
    expect(await unskip("2099-11-25T18:00:00")).toEqual(await unskip(day("25")));
    expect(await unskip(day("25"))).toMatchObject({ due_date: "2099-11-25T18:00:00.000Z", state: "open" });
    expect(await unskip("2099-11-27T18:00:00")).toMatchObject({ due_date: "2099-11-27T13:00:00.000Z", moved: true });
    const again = await world.send("POST", `/v1/series/${id}/occurrences/2099-11-28T18:00:00/complete`);
    expect([again.status, again.body.task_id]).toEqual([200, idOf(id, day("28"))]);
    const refused = await world.send("POST", `/v1/series/${id}/occurrences/2099-11-25T18:00:00/skip`);
    expect(refused.body.code).toBe("OCCURRENCE_MADE");
    const next = await world.hear([completed(idOf(id, day("25")), 2)]);
    expect(next.map(({ subject }) => subject)).toEqual([idOf(id, "2099-11-27T18:00:00")]);
  });

  test("un-skipped after the series has gone past it, it is made at once", async () => {
    const id = await makeSeries();
    await post(id, "25", "skip");
    await world.hear([completed(idOf(id, day("24")), 2)]);
    const back = await post(id, "25", "unskip");
    expect(back.body).toMatchObject({ state: "open", task_id: idOf(id, day("25")) });
    expect((await world.commandsOf(id)).map(({ recurrence_id }) => recurrence_id)).toEqual([day("25")]);
    // The series goes on from the 26th, not from the one made out of turn.
    const next = await world.hear([completed(idOf(id, day("25")), 2), completed(idOf(id, day("26")), 2)]);
    expect(next.map(({ subject }) => subject)).toEqual([idOf(id, day("27"))]);
  });

  test("a moved one keeps its recurrence id and is made with its other due", async () => {
    const id = await makeSeries();
    const moved = await post(id, "25", "move", { body: { due_date: "2099-11-25T18:30:00+01:00" } });
    expect(moved.body).toMatchObject({ state: "upcoming", moved: true, due_date: "2099-11-25T17:30:00.000Z" });
    const [command] = await world.hear([completed(idOf(id, day("24")), 2)]);
    expect(command).toMatchObject({
      subject: idOf(id, day("25")),
      data: { recurrence_id: day("25"), due_date: new Date("2099-11-25T17:30:00Z"), due_on: null },
    });
    const [row] = await world.db.sql`select due_passes_at from occurrences where id = ${idOf(id, day("25"))}`;
    expect(row?.["due_passes_at"]).toEqual(new Date("2099-11-25T17:30:00Z"));
  });

  test("moved to a day it is all-day, and moving it to its own due takes the move back", async () => {
    const id = await makeSeries();
    expect((await post(id, "26", "move", { body: { due_on: "2099-11-30" } })).body.due_on).toBe("2099-11-30");
    const back = await post(id, "26", "move", { body: { due_date: "2099-11-26T09:00:00Z" } });
    expect(back.body).toMatchObject({ moved: false, due_date: "2099-11-26T09:00:00.000Z", due_on: null });
    expect((await world.db.sql`select 1 from series_exceptions where series_id = ${id}`).length).toBe(0);
    expect((await post(id, "26", "move", { body: {} })).status).toBe(422);
  });

  test("moved to later, it does not hold up those after it", async () => {
    const id = await makeSeries({ max_open: 5 });
    await post(id, "25", "move", { body: { due_date: "2099-12-24T09:00:00Z" } });
    await world.hear([completed(idOf(id, day("24")), 2)]);
    const [row] = await world.db.sql`select status, wake_at from series where id = ${id}`;
    expect(row).toEqual({ status: "pending", wake_at: new Date("2099-11-25T09:00:00Z") });
  });

  test("completed ahead of its turn, it is made completed, and the series goes on from where it was", async () => {
    const id = await makeSeries();
    const done = await post(id, "28", "complete");
    expect(done.body).toMatchObject({ state: "completed", task_id: idOf(id, day("28")) });
    expect(await world.commandsOf(id)).toMatchObject([
      { type: "CreateOccurrence", recurrence_id: day("28"), completed_at: done.body["closed_at"] },
    ]);
    expect((await post(id, "28", "complete")).etag).toBe(done.etag);
    expect(await world.commandsOf(id)).toHaveLength(1);
    const asked: string[] = [];
    for (const date of ["24", "25", "26", "27"])
      asked.push(...(await world.hear([completed(idOf(id, day(date)), 2)])).map(({ subject }) => subject));
    expect(asked).toEqual(["25", "26", "27", "29"].map((date) => idOf(id, day(date))));
  });

  test("what happens to its task is known by the series when it was far ahead", async () => {
    const id = await makeSeries({ start: day("01"), rrule: "FREQ=HOURLY".replace("HOURLY", "DAILY") });
    await post(id, "30", "complete");
    for (let date = 1; date < 30; date++)
      await world.hear([completed(idOf(id, day(String(date).padStart(2, "0"))), 2)]);
    const made = await world.occurrencesOf(id);
    expect(made.at(-1)?.recurrence_id).toBe("2099-12-01T09:00:00");
    expect(new Set(made.map(({ recurrence_id }) => recurrence_id)).size).toBe(made.length);
  });

  test("one that is a task by now answers 409 with the task", async () => {
    const id = await makeSeries();
    for (const [verb, body] of [
      ["skip", undefined],
      ["complete", undefined],
      ["move", { due_on: "2099-11-30" }],
    ] as const) {
      const refused = await post(id, "24", verb, body === undefined ? {} : { body });
      expect([refused.status, refused.body["code"], refused.body["current"]]).toEqual([
        409,
        "OCCURRENCE_MADE",
        { task_id: idOf(id, day("24")), state: "open" },
      ]);
      expect(refused.body["detail"]).toContain(`/v1/tasks/${idOf(id, day("24"))}`);
    }
    await world.hear([deleted(idOf(id, day("24")), 2)]);
    expect((await post(id, "24", "skip")).body.state).toBe("deleted");
  });

  test("a time that is no recurrence, another's series and a series counted from completion answer 404", async () => {
    const id = await makeSeries({ rrule: "FREQ=WEEKLY;BYDAY=TU" });
    for (const at of ["2099-11-25T09:00:00", "2099-11-24T10:00:00", "2099-12-01"]) {
      const answer = await world.send("POST", `/v1/series/${id}/occurrences/${at}/skip`);
      expect([at, answer.status, answer.body["code"]]).toEqual([at, 404, "OCCURRENCE_NOT_FOUND"]);
    }
    const foreign = await world.send("POST", `/v1/series/${id}/occurrences/2099-12-01T09:00:00/skip`, { as: ben });
    expect([foreign.status, foreign.body["code"]]).toEqual([404, "SERIES_NOT_FOUND"]);
    const other = await makeSeries({ anchor: "completion" });
    expect((await post(other, "25", "skip")).body["code"]).toBe("OCCURRENCE_NOT_FOUND");
  });

  test("If-Match holds a change back and tells the series as it is", async () => {
    const id = await makeSeries();
    const { etag } = await world.send("GET", `/v1/series/${id}`);
    const skipped = await post(id, "25", "skip", { ifMatch: String(etag) });
    expect([skipped.status, skipped.etag === etag]).toEqual([200, false]);
    const stale = await post(id, "26", "skip", { ifMatch: String(etag) });
    expect([stale.status, stale.body["code"]]).toEqual([412, "VERSION_MISMATCH"]);
    expect(stale.body["current"]).toMatchObject({ id, version: Number(JSON.parse(skipped.etag ?? "0")) });
    expect(await states(id, "limit=3")).toEqual([
      ["24", "open"],
      ["25", "skipped"],
      ["26", "upcoming"],
    ]);
  });

  test("sent again after a lost answer, with the version from before its own success, a change is answered as it is", async () => {
    const id = await makeSeries();
    await post(id, "25", "skip");
    await world.hear([completed(idOf(id, day("24")), 2)]);
    for (const [date, verb, body] of [
      ["25", "unskip", undefined],
      ["27", "skip", undefined],
      ["27", "unskip", undefined],
      ["28", "move", { due_date: "2099-11-28T18:30:00Z" }],
      ["29", "complete", undefined],
    ] as const) {
      const { etag } = await world.send("GET", `/v1/series/${id}`);
      const more = { ifMatch: String(etag), ...(body === undefined ? {} : { body }) };
      const first = await post(id, date, verb, more);
      const again = await post(id, date, verb, more);
      expect([date, verb, first.status, first.etag === etag]).toEqual([date, verb, 200, false]);
      expect([again.status, again.etag, again.body]).toEqual([200, first.etag, first.body]);
    }
  });

  test("of many changes of a series at once each is done, and each occurrence is made once", async () => {
    const id = await makeSeries();
    const verbs = ["skip", "unskip", "complete", "complete"] as const;
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, n) => post(id, String(25 + (n % 3)), verbs[n % 4] ?? "skip")),
    );
    expect(new Set(answers.map(({ status }) => status)).isSubsetOf(new Set([200, 409]))).toBe(true);
    const made = await world.occurrencesOf(id);
    expect(made.map(({ recurrence_id }) => recurrence_id).toSorted()).toEqual(["24", "25", "26", "27"].map(day));
  });

  test("COUNT counts what is skipped: the end does not move", async () => {
    const id = await makeSeries({ rrule: "FREQ=DAILY;COUNT=3" });
    await post(id, "25", "skip");
    await world.hear([completed(idOf(id, day("24")), 2)]);
    await world.hear([completed(idOf(id, day("26")), 2)]);
    expect((await world.send("GET", `/v1/series/${id}`)).body).toMatchObject({ status: "ended", next: [] });
    expect(await states(id)).toEqual([
      ["24", "completed"],
      ["25", "skipped"],
      ["26", "completed"],
    ]);
  });

  test("prolonged by its COUNT, the series goes on where it was", async () => {
    const id = await makeSeries({ rrule: "FREQ=DAILY;COUNT=1" });
    await world.hear([completed(idOf(id, day("24")), 2)]);
    expect((await world.send("GET", `/v1/series/${id}`)).body["status"]).toBe("ended");
    const longer = JSON.stringify({ ...pattern, rrule: "FREQ=DAILY;COUNT=3" });
    const asked = await world.hear([updated(id, 2, { recurrence_pattern: longer })]);
    expect(asked.map(({ subject }) => subject)).toEqual([idOf(id, day("25"))]);
  });

  test("the preview is bounded and says where it goes on; the list of series has the next five", async () => {
    const id = await makeSeries();
    const page = await world.send("GET", `/v1/series/${id}/occurrences`);
    expect([page.body["items"].length, page.body["next_from"]]).toEqual([10, "2099-12-04T09:00:00.000Z"]);
    const rest = await world.send("GET", `/v1/series/${id}/occurrences?from=${page.body["next_from"]}&limit=366`);
    expect(rest.body["items"]).toHaveLength(366);
    expect((await world.send("GET", `/v1/series/${id}/occurrences?limit=367`)).status).toBe(422);
    await post(id, "25", "skip");
    const { body } = await world.send("GET", `/v1/series/${id}`);
    expect(body["words"]).toBe("every day at 09:00 (UTC)");
    expect(body["next"].map(({ recurrence_id }: { recurrence_id: string }) => recurrence_id)).toEqual(
      ["24", "26", "27", "28", "29"].map(day),
    );
  });

  test("counted from completion, what comes next is told as expected", async () => {
    const id = await makeSeries({ anchor: "completion", rrule: "FREQ=DAILY;INTERVAL=3" });
    expect(await states(id, "limit=3")).toEqual([
      ["24", "open"],
      ["27", "expected"],
      ["30", "expected"],
    ]);
  });
});
