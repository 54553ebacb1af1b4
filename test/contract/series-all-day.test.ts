import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { completed, created, idOf, openSeriesWorld, updated, type SeriesWorld } from "./series-world.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

const ahead = 12 - new Date().getUTCHours();
/** A zone where it is about noon. Its name has the sign the other way round. */
const tz = `Etc/GMT${ahead > 0 ? "-" : "+"}${Math.abs(ahead)}`;
const day = (days: number) => Temporal.Now.plainDateISO(tz).add({ days }).toString();

describe.skipIf(!url)("an all-day series at noon (needs DATABASE_URL)", () => {
  let world: SeriesWorld;
  beforeAll(async () => {
    world = await openSeriesWorld();
  }, 60_000);
  afterAll(() => world?.[Symbol.asyncDispose](), 30_000);

  /** Yesterday's is open, so today's has no task yet. */
  const makeSeries = async (): Promise<string> => {
    const id = Bun.randomUUIDv7();
    await world.hear([created(id, { rrule: "FREQ=DAILY", tz, start: day(-1) }, { due_on: day(-1), due_tz: tz })]);
    return id;
  };
  const told = (items: readonly { recurrence_id: string; state: string }[]) =>
    items.map(({ recurrence_id, state }) => [recurrence_id, state]);
  const nextOf = async (id: string) =>
    (await world.send("GET", `/v1/series/${id}`)).body.next.map(({ due_on }: { due_on: string }) => due_on);
  const datesOf = async (id: string, query: string) =>
    told((await world.send("GET", `/v1/series/${id}/occurrences?${query}`)).body.items);
  const skipFromNow = (id: string) =>
    world.send("POST", `/v1/series/${id}/skip`, {
      body: { from: new Date(), to: new Date(Date.now() + 24 * 3_600_000) },
    });

  test("today's is among the dates ahead, done or not", async () => {
    const id = await makeSeries();
    expect(await nextOf(id)).toEqual([0, 1, 2, 3, 4].map(day));
    expect(await datesOf(id, "limit=2")).toEqual([0, 1].map((days) => [day(days), "upcoming"]));
    const pages = await datesOf(id, `limit=2&from=${new Date().toISOString()}`);
    expect(pages).toEqual([0, 1].map((days) => [day(days), "upcoming"]));
    await world.hear([completed(idOf(id, day(-1)), 2)]);
    await world.hear([completed(idOf(id, day(0)), 2)]);
    expect(await nextOf(id)).toEqual([1, 2, 3, 4, 5].map(day));
    expect(await datesOf(id, "limit=2")).toEqual([
      [day(0), "completed"],
      [day(1), "open"],
    ]);
  });

  test("pages of dates follow one another, none missing and none twice", async () => {
    const id = await makeSeries();
    const first = (await world.send("GET", `/v1/series/${id}/occurrences?limit=2`)).body;
    const second = (await world.send("GET", `/v1/series/${id}/occurrences?limit=2&from=${first.next_from}`)).body;
    expect(told([...first.items, ...second.items]).map(([name]) => name)).toEqual([0, 1, 2, 3].map(day));
  });

  test("today's may be left out until its day is over, and then yesterday's is followed by tomorrow's", async () => {
    const id = await makeSeries();
    expect(told((await skipFromNow(id)).body.items).slice(0, 2)).toEqual([0, 1].map((days) => [day(days), "skipped"]));
    expect((await world.send("GET", `/v1/series/${id}/history`)).body.totals).toMatchObject({ skipped: 0, missed: 0 });
    await world.hear([completed(idOf(id, day(-1)), 2)]);
    expect((await world.occurrencesOf(id)).map(({ recurrence_id }) => recurrence_id)).toEqual([day(-1), day(2)]);
  });

  test("that today's was left out is known when the rule changes after tomorrow's was done", async () => {
    const id = await makeSeries();
    await world.send("POST", `/v1/series/${id}/occurrences/${day(0)}/skip`);
    await world.hear([completed(idOf(id, day(-1)), 2)]);
    await world.hear([completed(idOf(id, day(1)), 2)]);
    await world.hear([completed(idOf(id, day(2)), 2)]);
    const pattern = JSON.stringify({ rrule: "FREQ=DAILY", tz, start: day(-2), month_end: "clamp", max_open: 2 });
    await world.hear([updated(id, 2, { recurrence_pattern: pattern })]);
    expect((await world.occurrencesOf(id)).map(({ recurrence_id }) => recurrence_id)).not.toContain(day(0));
  });
});
