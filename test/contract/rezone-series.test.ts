import { afterAll, beforeAll, expect, test } from "bun:test";
import { rezoneSeries } from "../../workers/recurring-task-worker/rezone-series.ts";
import { withZones } from "../support/other-zones.ts";
import { completed, created, idOf, openSeriesWorld, type SeriesWorld } from "./series-world.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

/** Vancouver with Halifax's clocks: 09:00 in December is 13:00Z and not 16:00Z. */
const moved = { "America/Vancouver": "America/Halifax" };
const beginning = "00000000-0000-0000-0000-000000000000";
const daily = { rrule: "FREQ=DAILY", tz: "America/Vancouver", start: "2040-12-01T09:00:00" };
const [first, second, third] = ["2040-12-01T09:00:00", "2040-12-02T09:00:00", "2040-12-03T09:00:00"] as const;

let world: SeriesWorld;
beforeAll(async () => {
  if (url) world = await openSeriesWorld();
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose](), 30_000);

const codec = { encode: (type: string, data: object) => new TextEncoder().encode(`${type} ${JSON.stringify(data)}`) };

/** Goes through all series, `limit` a step. */
async function rezoneAll(limit = 100): Promise<number> {
  const step = rezoneSeries({ db: world.db, codec, onWritten: () => {}, limit });
  let steps = 0;
  for (let after: string | null = beginning; after !== null; steps++) after = await step(after);
  return steps;
}

const inOtherZones = (limit?: number) => withZones("2041a", moved, () => rezoneAll(limit));

async function make(pattern: object = daily): Promise<string> {
  const id = Bun.randomUUIDv7();
  await world.hear([created(id, pattern)]);
  return id;
}

const rowsOf = async (id: string) => ({
  occurrences: await world.db.sql<{ recurrence_id: string; starts: string; passes: string }[]>`
    select recurrence_id, to_json(starts_at at time zone 'UTC')#>>'{}' as starts, to_json(due_passes_at at time zone 'UTC')#>>'{}' as passes
    from occurrences where series_id = ${id} order by number`,
  series: (
    await world.db.sql<{ status: string; wake: string | null; generation: string; version: string }[]>`
      select status, to_json(wake_at at time zone 'UTC')#>>'{}' as wake, generation, version from series where id = ${id}`
  )[0],
});

test.skipIf(!url)("occurrences at hand start and pass by the new clocks, and so does the timer", async () => {
  const id = await make({ ...daily, max_open: 2 });
  const before = await rowsOf(id);
  expect(before.occurrences).toMatchObject([{ recurrence_id: first, starts: "2040-12-01T16:00:00" }]);
  await inOtherZones();
  const after = await rowsOf(id);
  expect(after.occurrences).toMatchObject([{ starts: "2040-12-01T13:00:00", passes: "2040-12-01T13:00:00" }]);
  expect(after.series).toMatchObject({
    status: "pending",
    wake: "2040-12-01T13:00:00",
    version: before.series?.version,
  });
  expect(Number(after.series?.generation)).toBeGreaterThan(Number(before.series?.generation));
  expect(await world.commandsOf(id)).toEqual([]);
});

test.skipIf(!url)("again, and with the same data, nothing is written", async () => {
  const id = await make();
  await inOtherZones();
  const after = await rowsOf(id);
  await inOtherZones();
  expect(await rowsOf(id)).toEqual(after);
});

test.skipIf(!url)("what comes next is asked for at the new instant, and skipped ones stay skipped", async () => {
  const id = await make();
  await world.send("POST", `/v1/series/${id}/occurrences/${second}/skip`);
  await inOtherZones();
  await withZones("2041a", moved, async () => {
    const asked = await world.hear([completed(idOf(id, first), 2)]);
    expect(asked).toMatchObject([{ data: { recurrence_id: third, due_date: new Date("2040-12-03T13:00:00Z") } }]);
  });
});

test.skipIf(!url)("what is due at once by the new clocks is asked for at once", async () => {
  // The second is two hours ahead by Vancouver's clocks and some hours ago by Halifax's.
  const [date = "", time = ""] = new Date(Date.now() - 22 * 3_600_000)
    .toLocaleString("sv-SE", { timeZone: "America/Vancouver" })
    .split(" ");
  const id = await make({ rrule: "FREQ=DAILY", tz: "America/Vancouver", start: `${date}T${time}`, max_open: 5 });
  const before = (await world.commandsOf(id)).length;
  await inOtherZones();
  expect((await world.commandsOf(id)).slice(before)).toMatchObject([{ type: "CreateOccurrence" }]);
});

test.skipIf(!url)("one that has passed, and one that was made under another schedule, stay as they were", async () => {
  const [passed, other] = [await make(), await make()];
  await world.db.sql`
    update occurrences set starts_at = '2020-12-01 16:00Z', due_passes_at = '2020-12-01 16:00Z' where series_id = ${passed}`;
  await world.db.sql`update occurrences set schedule_key = gen_random_uuid() where series_id = ${other}`;
  await inOtherZones();
  expect((await rowsOf(passed)).occurrences).toMatchObject([{ starts: "2020-12-01T16:00:00" }]);
  expect((await rowsOf(other)).occurrences).toMatchObject([{ starts: "2040-12-01T16:00:00" }]);
});

test.skipIf(!url)("one moved to a local time follows the clocks, one moved to an instant stays", async () => {
  const id = await make();
  const move = (place: string, due_date: string) =>
    world.send("POST", `/v1/series/${id}/occurrences/${place}/move`, { body: { due_date } });
  await move(second, "2040-12-02T12:00");
  await move(third, "2040-12-03T20:00:00Z");
  await inOtherZones();
  const rows = await world.db.sql<{ id: string; due: Date; starts: Date }[]>`
    select recurrence_id as id, due_date as due, starts_at as starts from series_exceptions where series_id = ${id} order by 1`;
  expect(rows.map(({ due, starts }) => [due.toISOString(), starts.toISOString()])).toEqual([
    ["2040-12-02T16:00:00.000Z", "2040-12-02T13:00:00.000Z"],
    ["2040-12-03T20:00:00.000Z", "2040-12-03T13:00:00.000Z"],
  ]);
});

test.skipIf(!url)("a whole day ends with its day by the new clocks", async () => {
  const id = await make({ rrule: "FREQ=DAILY", tz: "America/Vancouver", start: "2040-12-01" });
  await inOtherZones();
  expect((await rowsOf(id)).occurrences).toMatchObject([
    { recurrence_id: "2040-12-01", starts: "2040-12-01T04:00:00", passes: "2040-12-02T04:00:00" },
  ]);
});

test.skipIf(!url)("dates ahead that were kept are found out anew by other data", async () => {
  const id = await make();
  const next = async () =>
    (await world.send("GET", `/v1/series/${id}`)).body.next.map((one: { due_date: string }) => one.due_date);
  expect((await next())[1]).toBe("2040-12-02T16:00:00.000Z");
  await withZones("2041a", moved, async () => expect((await next())[1]).toBe("2040-12-02T13:00:00.000Z"));
  expect((await next())[1]).toBe("2040-12-02T16:00:00.000Z");
});

test.skipIf(!url)("goes through all in bounded steps, past a pattern nobody understands", async () => {
  const ids = await Promise.all([make(), make(), make()]);
  const bad = ids[1] ?? "";
  await world.db.sql`
    update followed_tasks set folded = jsonb_set(folded, '{fields,recurrence_pattern,value}', '"{}"') where task_id = ${bad}`;
  const [{ count } = { count: 0 }] = await world.db.sql<{ count: number }[]>`select count(*)::int as count from series`;
  expect(await inOtherZones(1)).toBe(count + 1);
  const starts = await Promise.all(ids.map(async (id) => (await rowsOf(id)).occurrences[0]?.starts));
  expect(starts).toEqual(["2040-12-01T13:00:00", "2040-12-01T16:00:00", "2040-12-01T13:00:00"]);
});
