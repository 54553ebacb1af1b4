import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  completed,
  created,
  deleted,
  idOf,
  inHours,
  local,
  openSeriesWorld,
  type SeriesWorld,
} from "./series-world.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

describe.skipIf(!url)("a worker that was down for ten days (needs DATABASE_URL)", () => {
  let world: SeriesWorld;
  beforeAll(async () => {
    world = await openSeriesWorld();
  }, 60_000);
  afterAll(() => world?.[Symbol.asyncDispose](), 30_000);

  /** The due of day n of the standstill, an hour before now: day 0 is the last one made before it, day 10 today's. */
  const today = inHours(-1);
  const dueOf = (n: number) => new Date(today.getTime() + (n - 10) * 86_400_000);
  const numbersOf = async (id: string) => {
    const made = await world.occurrencesOf(id);
    return made.map(({ recurrence_id }) =>
      Math.round((Date.parse(`${recurrence_id}Z`) - dueOf(0).getTime()) / 86_400_000),
    );
  };
  /**
   * A daily series whose first occurrence, day 0, was made and deleted just before its due, ten days ago: the timer of
   * that due is the first thing the worker finds.
   */
  const standStill = async (catch_up: string, max_open: number) => {
    const id = Bun.randomUUIDv7();
    const start = local(dueOf(0));
    const before = new Date(dueOf(0).getTime() - 3_600_000);
    await world.hear([
      created(id, { rrule: "FREQ=DAILY", tz: "UTC", start, catch_up, max_open }, { created_at: before }),
      deleted(idOf(id, start), 2, before),
    ]);
    return id;
  };
  const days = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

  test.each<[string, number, readonly number[]]>([
    ["latest", 1, [10]],
    ["latest", 5, [10, 11]],
    ["none", 1, [11]],
    ["none", 5, [11]],
    ["all", 1, [1]],
    ["all", 3, [1, 2, 3]],
    ["all", 100, days(1, 11)],
  ])("catch_up %s, max_open %d: the days made are %j", async (catchUp, maxOpen, expected) => {
    const id = await standStill(catchUp, maxOpen);
    await world.fireDue(id);
    expect(await numbersOf(id)).toEqual([0, ...expected]);
    const commands = await world.commandsOf(id);
    // Each keeps the due it would have had, and says by it how late it is.
    expect(commands.map(({ due_date }) => due_date)).toEqual(expected.map((n) => dueOf(n).toISOString()));
  });

  test("two instances that come back at once make the same, each once", async () => {
    const id = await standStill("all", 100);
    await Promise.all([world.fireDue(id), world.fireDue(id), world.fireDue(id)]);
    expect(await numbersOf(id)).toEqual([0, ...days(1, 11)]);
    expect(await world.commandsOf(id)).toHaveLength(11);
  });

  test("with all wanted and one open at a time, they come one by one, in their order", async () => {
    const id = await standStill("all", 1);
    await world.fireDue(id);
    for (let n = 1; n < 4; n++) await world.hear([completed(idOf(id, local(dueOf(n))), 2)]);
    expect(await numbersOf(id)).toEqual([0, 1, 2, 3, 4]);
  });

  test("missed days do not pile up: an open one is the only one, and the days since are told as missed", async () => {
    const id = Bun.randomUUIDv7();
    const start = local(dueOf(0));
    const before = new Date(dueOf(0).getTime() - 3_600_000);
    await world.hear([created(id, { rrule: "FREQ=DAILY", tz: "UTC", start }, { created_at: before })]);
    await world.fireDue(id);
    expect(await numbersOf(id)).toEqual([0]);
    const { body } = await world.send("GET", `/v1/series/${id}/history`);
    expect(body["totals"]).toEqual({ done: 0, on_time: 0, late: 0, skipped: 0, missed: 10, open: 1 });
    // Completing late makes the next one to come, never one already past.
    await world.hear([completed(idOf(id, start), 2)]);
    expect(await numbersOf(id)).toEqual([0, 11]);
  });

  test("a recurrence from before the series began can be skipped and un-skipped, and makes nothing", async () => {
    const id = Bun.randomUUIDv7();
    await world.hear([created(id, { rrule: "FREQ=DAILY", tz: "UTC", start: local(dueOf(0)), catch_up: "none" })]);
    const at = `/v1/series/${id}/occurrences/${local(dueOf(3))}`;
    expect((await world.send("POST", `${at}/skip`)).body).toMatchObject({ state: "skipped" });
    expect((await world.send("POST", `${at}/unskip`)).body).toMatchObject({ state: "missed", task_id: null });
    expect(await numbersOf(id)).toEqual([11]);
  });

  test("the history has one entry per recurrence, and its totals agree with the events", async () => {
    const id = await standStill("all", 100);
    await world.fireDue(id);
    for (const n of [1, 2, 4])
      await world.hear([completed(idOf(id, local(dueOf(n))), 2, new Date(dueOf(n).getTime() - 1))]);
    await world.hear([completed(idOf(id, local(dueOf(5))), 2)]);
    await world.hear([deleted(idOf(id, local(dueOf(3))), 2)]);
    const { body } = await world.send("GET", `/v1/series/${id}/history`);
    expect(body["items"].map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      "skipped",
      "done",
      "done",
      "skipped",
      "done",
      "done",
      "open",
      "open",
      "open",
      "open",
      "open",
      "open",
    ]);
    expect(body).toMatchObject({
      totals: { done: 4, on_time: 3, late: 1, skipped: 2, missed: 0, open: 6 },
      current_streak: 4,
      longest_streak: 4,
      on_time_rate: 0.75,
      next_from: null,
    });
    const narrow = await world.send(
      "GET",
      `/v1/series/${id}/history?from=${dueOf(4).toISOString()}&to=${dueOf(6).toISOString()}`,
    );
    expect(narrow.body["items"]).toHaveLength(2);
  });
});
