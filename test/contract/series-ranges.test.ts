import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ben, completed, created, idOf, inHours, openSeriesWorld, type SeriesWorld } from "./series-world.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

const day = (date: string) => `2099-11-${date}T09:00:00`;
const pattern = { rrule: "FREQ=DAILY", tz: "UTC", start: day("01") };
const holiday = { from: "2099-11-03T00:00:00Z", to: "2099-11-06T00:00:00Z" };

describe.skipIf(!url)("the recurrences of a time (needs DATABASE_URL)", () => {
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
  const post = (id: string, verb: "skip" | "unskip", body: object, more: { as?: string; ifMatch?: string } = {}) =>
    world.send("POST", `/v1/series/${id}/${verb}`, { body, ...more });
  const told = (items: readonly { recurrence_id: string; state: string }[]) =>
    items.map(({ recurrence_id, state }) => `${recurrence_id.slice(8, 10)} ${state}`);
  const make = async (id: string, done: string) =>
    (await world.hear([completed(idOf(id, day(done)), 2)])).map(({ subject }) => subject);

  test("a holiday is left out, in one version of the series, and the next one comes after it", async () => {
    const id = await makeSeries();
    const before = await world.send("GET", `/v1/series/${id}`);
    const skipped = await post(id, "skip", holiday, { ifMatch: String(before.etag) });
    expect(told(skipped.body.items)).toEqual(["03 skipped", "04 skipped", "05 skipped"]);
    expect([skipped.status, skipped.body.next_from]).toEqual([200, null]);
    expect(Number(JSON.parse(skipped.etag ?? ""))).toBe(before.body.version + 1);
    expect([...(await make(id, "01")), ...(await make(id, "02"))]).toEqual([idOf(id, day("02")), idOf(id, day("06"))]);
  });

  test("asked for again it is answered as it is, whatever version it names", async () => {
    const id = await makeSeries();
    const { etag } = await world.send("GET", `/v1/series/${id}`);
    const first = await post(id, "skip", holiday, { ifMatch: String(etag) });
    const again = await post(id, "skip", holiday, { ifMatch: String(etag) });
    expect([again.status, again.etag, again.body]).toEqual([200, first.etag, first.body]);
    const stale = await post(id, "unskip", holiday, { ifMatch: String(etag) });
    expect([stale.status, stale.body.code]).toEqual([412, "VERSION_MISMATCH"]);
  });

  test("taken back in, they come in their turn; what was moved stays moved", async () => {
    const id = await makeSeries();
    const move = `/v1/series/${id}/occurrences/${day("06")}/move`;
    await world.send("POST", move, { body: { due_date: "2099-11-06T18:00:00Z" } });
    await post(id, "skip", holiday);
    const back = await post(id, "unskip", { ...holiday, to: "2099-11-07T00:00:00Z" });
    expect(told(back.body.items)).toEqual(["03 upcoming", "04 upcoming", "05 upcoming", "06 upcoming"]);
    expect(back.body.items[3]).toMatchObject({ moved: true, due_date: "2099-11-06T18:00:00.000Z" });
    expect(await make(id, "01")).toEqual([idOf(id, day("02"))]);
    expect(await make(id, "02")).toEqual([idOf(id, day("03"))]);
  });

  test("taken back in after the series has gone past them, they are made at once", async () => {
    const id = await makeSeries();
    await post(id, "skip", holiday);
    await make(id, "01");
    await make(id, "02");
    const back = await post(id, "unskip", holiday);
    expect(told(back.body.items)).toEqual(["03 open", "04 open", "05 open"]);
    const commands = await world.commandsOf(id);
    expect(commands.map(({ recurrence_id }) => recurrence_id)).toEqual(["03", "04", "05"].map(day));
  });

  test("one that has a task is left as it is and told, and so is what has started", async () => {
    const id = await makeSeries();
    const skipped = await post(id, "skip", { from: "2099-11-01T00:00:00Z", to: "2099-11-03T00:00:00Z" });
    expect(told(skipped.body.items)).toEqual(["01 open", "02 skipped"]);
    expect(skipped.body.items[0].task_id).toBe(idOf(id, day("01")));
    const hourAgo = inHours(-1);
    const begun = await makeSeries({ start: hourAgo.toISOString().slice(0, 19), rrule: "FREQ=DAILY;COUNT=3" });
    await post(begun, "skip", { from: inHours(-30), to: inHours(30) });
    const { body } = await world.send("GET", `/v1/series/${begun}/occurrences?from=${inHours(-30).toISOString()}`);
    expect(body.items.map(({ state }: { state: string }) => state)).toEqual(["open", "skipped", "upcoming"]);
  });

  test("a time of too many changes none of them, and a backward one is refused by name", async () => {
    const id = await makeSeries();
    const { etag } = await world.send("GET", `/v1/series/${id}`);
    const year = await post(id, "skip", { from: "2099-12-01T00:00:00Z", to: "2101-01-01T00:00:00Z" });
    expect([year.status, year.body.errors]).toEqual([
      422,
      [{ path: "/to", message: "leaves more than 366 recurrences; take a shorter time" }],
    ]);
    const backward = await post(id, "skip", { from: holiday.to, to: holiday.from });
    expect([backward.status, backward.body.errors]).toEqual([422, [{ path: "/to", message: "is not after from" }]]);
    for (const view of ["occurrences", "history"]) {
      const read = await world.send("GET", `/v1/series/${id}/${view}?from=${holiday.to}&to=${holiday.from}`);
      expect([read.status, read.body.errors]).toEqual([422, [{ path: "query.to", message: "is not after from" }]]);
    }
    // 366 and then 135 more are more than may be exceptions: of the second time none is skipped.
    await post(id, "skip", { from: "2100-01-01T00:00:00Z", to: "2101-01-01T00:00:00Z" });
    const version = (await world.send("GET", `/v1/series/${id}`)).etag;
    const over = await post(id, "skip", { from: "2101-02-01T00:00:00Z", to: "2101-08-01T00:00:00Z" });
    expect([over.status, over.body.code]).toEqual([409, "TOO_MANY_EXCEPTIONS"]);
    expect([(await world.send("GET", `/v1/series/${id}`)).etag === version, version === etag]).toEqual([true, false]);
  });

  test("another's series, and one counted from completion, answer 404", async () => {
    const id = await makeSeries();
    const foreign = await post(id, "skip", holiday, { as: ben });
    expect([foreign.status, foreign.body.code]).toEqual([404, "SERIES_NOT_FOUND"]);
    const other = await post(await makeSeries({ anchor: "completion" }), "skip", holiday);
    expect([other.status, other.body.code]).toEqual([404, "OCCURRENCE_NOT_FOUND"]);
  });

  test("a client that leaves while its series or their dates are told ends the work for it", async () => {
    const as = crypto.randomUUID();
    const rare = { rrule: "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO" };
    const ids: string[] = [];
    for (let i = 0; i < 12; i++) {
      const id = Bun.randomUUIDv7();
      await world.hear([created(id, { ...pattern, ...rare }, { user_id: as })]);
      ids.push(id);
    }
    const paths = ["/v1/series?limit=200", `/v1/series/${ids[0]}`, `/v1/series/${ids[0]}/occurrences?limit=366`];
    for (const path of paths) expect((await world.send("GET", path, { as })).status).toBe(200);
    for (const path of paths)
      expect((await world.send("GET", path, { as, signal: AbortSignal.abort() })).status).toBe(499);
  });
});
