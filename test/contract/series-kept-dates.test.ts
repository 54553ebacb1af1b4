import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { completed, created, idOf, inHours, openSeriesWorld, updated, type SeriesWorld } from "./series-world.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

const day = (date: number) => `2099-11-${date}T09:00:00`;

describe.skipIf(!url)("what a series keeps of its dates ahead (needs DATABASE_URL)", () => {
  let world: SeriesWorld;
  beforeAll(async () => {
    world = await openSeriesWorld();
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
  });
  const makeSeries = async (pattern: object = {}) => {
    const id = Bun.randomUUIDv7();
    await world.hear([created(id, { rrule: "FREQ=DAILY", tz: "UTC", start: day(24), ...pattern })]);
    return id;
  };
  const read = async (id: string) => await world.send("GET", `/v1/series/${id}`);
  const nextOf = (body: { next: { recurrence_id: string }[] }) => body.next.map(({ recurrence_id }) => recurrence_id);
  const rowOf = async (id: string) => {
    const [row] = await world.db.sql<{ revision: number; keptOf: number | null; keptUntil: Date | null }[]>`
      select revision::int as revision, kept_of::int as "keptOf", kept_until as "keptUntil" from series where id = ${id}`;
    return row;
  };

  test("they are kept with the revision they were found out of, and used while it stands", async () => {
    const id = await makeSeries();
    expect((await rowOf(id))?.keptOf).toBeNull();
    expect(nextOf((await read(id)).body)).toEqual([24, 25, 26, 27, 28].map(day));
    expect(await rowOf(id)).toEqual({ revision: 1, keptOf: 1, keptUntil: new Date(`${day(24)}Z`) });
    await world.db.sql`update series set kept = jsonb_set(kept, '{words}', '"as kept"') where id = ${id}`;
    expect((await read(id)).body["words"]).toBe("as kept");
    expect(
      (await world.send("GET", "/v1/series?limit=200")).body.items.find((one: { id: string }) => one.id === id),
    ).toEqual((await read(id)).body);
  });

  test("a change of the series, of one of its tasks or of its template has them found out anew", async () => {
    const id = await makeSeries();
    await read(id);
    await world.send("POST", `/v1/series/${id}/occurrences/${day(25)}/skip`);
    expect(nextOf((await read(id)).body)).toEqual([24, 26, 27, 28, 29].map(day));
    await world.hear([completed(idOf(id, day(24)), 2)]);
    expect(nextOf((await read(id)).body)).toEqual([26, 27, 28, 29, 30].map(day));
    const pattern = { rrule: "FREQ=WEEKLY", tz: "UTC", start: day(24) };
    await world.hear([updated(id, 2, { recurrence_pattern: JSON.stringify(pattern) })]);
    const { body } = await read(id);
    expect([body["words"], nextOf(body)[1]]).toEqual(["every week on Tuesday at 09:00 (UTC)", "2099-12-01T09:00:00"]);
  });

  test("the passing of time has them found out anew", async () => {
    const id = await makeSeries();
    await read(id);
    await world.db.sql`
      update series set kept = jsonb_set(kept, '{words}', '"out of time"'), kept_until = clock_timestamp() where id = ${id}`;
    expect((await read(id)).body["words"]).toBe("every day at 09:00 (UTC)");
  });

  test("what counts from completion is kept for this day at most, and what has no end to be seen is kept for good", async () => {
    const id = await makeSeries({ anchor: "completion" });
    await read(id);
    expect((await rowOf(id))?.keptUntil?.getTime()).toBeLessThanOrEqual(inHours(24).getTime());
    const once = await makeSeries({ rrule: "FREQ=DAILY;COUNT=1", start: "2020-01-01T09:00:00" });
    await world.hear([completed(idOf(once, "2020-01-01T09:00:00"), 2)]);
    expect(nextOf((await read(once)).body)).toEqual([]);
    expect(await rowOf(once)).toMatchObject({ keptUntil: null });
  });

  test("nothing is found out for a request that is gone", async () => {
    const id = await makeSeries();
    await world.request(`/v1/series/${id}`, { signal: AbortSignal.abort() });
    expect((await rowOf(id))?.keptOf).toBeNull();
    await world.request(`/v1/series/${id}`, { signal: AbortSignal.timeout(60_000) });
    expect((await rowOf(id))?.keptOf).toBe(1);
  });

  test("two hundred series whose dates are the hardest to find are listed, in pages at first and then at once", async () => {
    const as = Bun.randomUUIDv7();
    const rare = {
      rrule: "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
      tz: "Europe/Berlin",
      start: "2027-01-01T02:30",
    };
    const exdate = Array.from({ length: 366 }, (_, n) =>
      new Date(Date.UTC(2030, 0, 1 + n, 9)).toISOString().slice(0, 19),
    );
    const left = { rrule: "FREQ=DAILY;COUNT=1000", tz: "Europe/Berlin", start: "2030-01-01T09:00", exdate };
    const many = Array.from({ length: 200 }, (_, n) =>
      created(Bun.randomUUIDv7(), n % 2 ? rare : left, { user_id: as }),
    );
    for (let n = 0; n < many.length; n += 20) await world.hear(many.slice(n, n + 20));
    const list = async () => {
      const ids: string[] = [];
      let pages = 0;
      for (let cursor: string | null = ""; cursor !== null; pages++) {
        const path = `/v1/series?limit=200${cursor === "" ? "" : `&cursor=${cursor}`}`;
        const { body } = await world.send("GET", path, { as });
        ids.push(...body.items.map(({ id }: { id: string }) => id));
        cursor = body.next_cursor;
      }
      return { pages, ids };
    };
    const first = await list();
    expect(new Set(first.ids).size).toBe(200);
    // Their dates are kept by now.
    expect(await list()).toEqual({ pages: 1, ids: first.ids });
  });
});

describe.skipIf(!url)("the ETag of a series (needs DATABASE_URL)", () => {
  let world: SeriesWorld;
  beforeAll(async () => {
    world = await openSeriesWorld();
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
  });
  const makeSeries = async () => {
    const id = Bun.randomUUIDv7();
    await world.hear([created(id, { rrule: "FREQ=DAILY", tz: "UTC", start: day(24) })]);
    return id;
  };
  const skip = (id: string, date: number, ifMatch: string | null) =>
    world.send("POST", `/v1/series/${id}/occurrences/${day(date)}/skip`, { ifMatch: String(ifMatch) });

  test("what the planner does by itself leaves the version, and so an If-Match, as it is", async () => {
    const id = await makeSeries();
    const begun = await world.send("GET", `/v1/series/${id}`);
    const done = await world.send("POST", `/v1/series/${id}/occurrences/${day(26)}/complete`, {
      ifMatch: String(begun.etag),
    });
    expect([done.status, done.etag]).toEqual([200, '"2"']);
    // The task of it, one completed in its turn and the next one made, all heard of afterwards.
    const early = idOf(id, day(26));
    await world.hear([
      created(early, null, { template_id: id, recurrence_id: day(26) }),
      completed(early, 2),
      completed(idOf(id, day(24)), 2),
    ]);
    const now = await world.send("GET", `/v1/series/${id}`);
    expect([now.body.version, now.etag?.startsWith('"2-')]).toEqual([2, true]);
    expect((await skip(id, 29, done.etag)).status).toBe(200);
    expect((await skip(id, 30, now.etag)).status).toBe(412);
  });

  test("a new title of the template is no change of the series, a new rule is one", async () => {
    const id = await makeSeries();
    await world.hear([updated(id, 2, { title: "Water the fern" })]);
    expect((await world.send("GET", `/v1/series/${id}`)).body.version).toBe(1);
    const pattern = { rrule: "FREQ=WEEKLY", tz: "UTC", start: day(24) };
    await world.hear([updated(id, 3, { recurrence_pattern: JSON.stringify(pattern) })]);
    expect((await world.send("GET", `/v1/series/${id}`)).body.version).toBe(2);
  });

  test("If-None-Match answers 304 while nothing that is shown has changed", async () => {
    const id = await makeSeries();
    const { etag } = await world.send("GET", `/v1/series/${id}`);
    const ask = async (tag: string | null) =>
      await world.request(`/v1/series/${id}`, { headers: { "if-none-match": String(tag) } });
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const same = await ask(known);
      expect([known, same.status, same.headers.get("etag"), await same.text()]).toEqual([known, 304, etag, ""]);
    }
    await world.hear([completed(idOf(id, day(24)), 2)]);
    const other = await ask(etag);
    expect([other.status, other.headers.get("etag") === etag]).toEqual([200, false]);
  });
});
