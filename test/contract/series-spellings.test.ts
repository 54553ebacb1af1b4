import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ben, created, deleted, openSeriesWorld, updated, type SeriesWorld } from "./series-world.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

const timed = { rrule: "FREQ=DAILY", tz: "Europe/Berlin", start: "2030-03-25T09:00:00" };
const allDay = { rrule: "FREQ=DAILY", tz: "Europe/Berlin", start: "2030-03-25" };

describe.skipIf(!url)("how a recurrence is named and timed in a request (needs DATABASE_URL)", () => {
  let world: SeriesWorld;
  beforeAll(async () => {
    world = await openSeriesWorld();
  }, 60_000);
  afterAll(() => world?.[Symbol.asyncDispose](), 30_000);

  const makeSeries = async (pattern: object): Promise<string> => {
    const template = Bun.randomUUIDv7();
    await world.hear([created(template, pattern)]);
    return template;
  };
  const post = (id: string, recurrence: string, verb: string, body?: object) =>
    world.send("POST", `/v1/series/${id}/occurrences/${recurrence}/${verb}`, body === undefined ? {} : { body });

  test("seconds may be left out, and the number of a further occurrence is dropped", async () => {
    const id = await makeSeries(timed);
    for (const name of [
      "2030-03-26T09:00:00",
      "2030-03-26T09:00",
      "2030-03-26T09:00:00%232",
      "2030-03-26T09:00%2312",
    ]) {
      const { status, body } = await post(id, name, "skip");
      expect([name, status, body.recurrence_id, body.state]).toEqual([name, 200, "2030-03-26T09:00:00", "skipped"]);
    }
    const days = await makeSeries(allDay);
    expect((await post(days, "2030-03-26", "skip")).body.recurrence_id).toBe("2030-03-26");
  });

  test.each(["abc", "2030-02-30", "2030-02-11T24:00", "2030-02-11 09:00", "2030-02-11T09:00Z", "1".repeat(300)])(
    "%p names no recurrence that could be: 422, of a series that is there and of one that is not",
    async (name) => {
      for (const id of [await makeSeries(timed), Bun.randomUUIDv7()])
        for (const [verb, body] of [["skip"], ["unskip"], ["complete"], ["move", { due_on: "2030-01-01" }]] as const) {
          const answer = await post(id, name, verb, body);
          expect([verb, answer.status, answer.body.errors[0].path]).toEqual([verb, 422, "path.recurrence_id"]);
        }
    },
  );

  test("a time that the series does not recur at is 404 still", async () => {
    const id = await makeSeries(timed);
    for (const name of ["2030-03-26T10:00", "2030-03-26", "2030-03-31T02:30"])
      expect((await post(id, name, "skip")).body.code).toBe("OCCURRENCE_NOT_FOUND");
  });

  test("a local due of a move is meant in the zone of the series", async () => {
    const id = await makeSeries(timed);
    const due = async (name: string, due_date: string) => {
      const { status, body } = await post(id, name, "move", { due_date });
      return [status, body.due_date ?? body.errors[0].path];
    };
    expect(await due("2030-03-26T09:00", "2030-03-26T10:30")).toEqual([200, "2030-03-26T09:30:00.000Z"]);
    expect(await due("2030-04-02T09:00", "2030-04-02T10:30")).toEqual([200, "2030-04-02T08:30:00.000Z"]);
    expect(await due("2030-03-31T09:00", "2030-03-31T02:30")).toEqual([422, "/due_date"]);
    expect(await due("2030-03-31T09:00", "2030-03-31T02:30:00+01:00")).toEqual([200, "2030-03-31T01:30:00.000Z"]);
  });

  test.each(["9999-12-31", "1969-12-31", "2030-02-30"])("a move to the day %s is refused by name", async (due_on) => {
    const { status, body } = await post(await makeSeries(allDay), "2030-03-26", "move", { due_on });
    expect([status, body.errors[0].path]).toEqual([422, "/due_on"]);
  });

  test("a time that ends before it begins is refused wherever one is asked for", async () => {
    const id = await makeSeries(timed);
    const [from, to] = ["2030-04-01T00:00:00Z", "2030-03-01T00:00:00Z"];
    for (const end of [to, from]) {
      for (const route of ["occurrences", "history"]) {
        const { status, body } = await world.send("GET", `/v1/series/${id}/${route}?from=${from}&to=${end}`);
        expect([route, status, body.errors]).toEqual([
          route,
          422,
          [{ path: "query.to", message: "is not after from" }],
        ]);
      }
      for (const verb of ["skip", "unskip"]) {
        const { status, body } = await world.send("POST", `/v1/series/${id}/${verb}`, { body: { from, to: end } });
        expect([verb, status, body.errors]).toEqual([verb, 422, [{ path: "/to", message: "is not after from" }]]);
      }
    }
  });

  test("with its template a series is deleted: every route answers as of one that never was", async () => {
    const id = await makeSeries(timed);
    await post(id, "2030-03-26T09:00", "skip");
    await world.hear([deleted(id, 2)]);
    const [from, to] = ["2030-03-27T00:00:00Z", "2030-04-01T00:00:00Z"];
    const ask = async (series: string, as?: string) => {
      const who = as === undefined ? {} : { as };
      const one = `/v1/series/${series}/occurrences/2030-03-26T09:00`;
      const answers = await Promise.all([
        ...["", "/occurrences", "/history"].map((rest) => world.send("GET", `/v1/series/${series}${rest}`, who)),
        ...["skip", "unskip", "complete"].map((verb) => world.send("POST", `${one}/${verb}`, who)),
        world.send("POST", `${one}/move`, { ...who, body: { due_date: "2030-03-26T11:00" } }),
        ...["skip", "unskip"].map((verb) =>
          world.send("POST", `/v1/series/${series}/${verb}`, { ...who, body: { from, to } }),
        ),
      ]);
      return new Set(answers.map(({ status, body }) => `${status} ${body.code}`));
    };
    for (const answered of [await ask(id), await ask(Bun.randomUUIDv7()), await ask(await makeSeries(timed), ben)])
      expect([...answered]).toEqual(["404 SERIES_NOT_FOUND"]);
    const { body } = await world.send("GET", "/v1/series?limit=200");
    expect(body.items.map((one: { id: string }) => one.id)).not.toContain(id);
  });

  test("a series whose template was made a plain task has stopped, and is shown", async () => {
    const id = await makeSeries(timed);
    await world.hear([updated(id, 2, { is_recurring_template: false, recurrence_pattern: null })]);
    expect((await world.send("GET", `/v1/series/${id}`)).body).toMatchObject({
      status: "stopped",
      words: null,
      next: [],
    });
  });
});
