import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { makeLog } from "../../shared/role/log.ts";
import { followTasks } from "../../workers/recurring-task-worker/follow-tasks.ts";
import { until } from "../support/until.ts";
import {
  completed,
  created,
  deleted,
  idOf,
  inHours,
  local,
  openSeriesWorld,
  updated,
  type SeriesWorld,
} from "./series-world.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

const day = (date: string) => `2099-11-${date}T09:00:00`;
const pattern = { rrule: "FREQ=DAILY", tz: "UTC", start: day("24") };

describe.skipIf(!url)("undoing a completion on Postgres (needs DATABASE_URL)", () => {
  let world: SeriesWorld;
  beforeAll(async () => {
    world = await openSeriesWorld();
  }, 60_000);
  afterAll(() => world?.[Symbol.asyncDispose](), 30_000);

  const begun = async () => {
    const id = Bun.randomUUIDv7();
    const [first, second] = [idOf(id, day("24")), idOf(id, day("25"))];
    await world.hear([created(id, pattern)]);
    await world.hear([completed(first, 2)]);
    return { id, first, second, reopen: () => world.hear([updated(first, 3, { status: "open", completed_at: null })]) };
  };

  test("the next one it made is asked to be removed, at the version nobody has touched", async () => {
    const { id, second, reopen } = await begun();
    expect(await reopen()).toEqual([
      {
        type: "RemoveOccurrence",
        key: id,
        subject: second,
        sequence: 1,
        data: expect.objectContaining({ occurrence_id: second, template_id: id, version: 1 }),
      },
    ]);
    expect(await reopen()).toEqual([]);
  });

  test("removed, it is in no list and no history; completing again makes another of that date", async () => {
    const { id, first, second, reopen } = await begun();
    await reopen();
    await world.hear([created(second, null), deleted(second, 2)]);
    const history = await world.send("GET", `/v1/series/${id}/history`);
    expect(history.body["items"].map((item: { recurrence_id: string }) => item.recurrence_id)).toEqual([day("24")]);
    const again = await world.hear([completed(first, 4)]);
    expect(again.map(({ subject }) => subject)).toEqual([idOf(id, `${day("25")}#2`)]);
    expect((await world.send("GET", `/v1/series/${id}`)).body).toMatchObject({
      made_occurrences: 2,
      open_occurrences: 1,
    });
  });

  test("done and undone more often than rows are kept in view, the date is made again with the next number", async () => {
    const { id, first } = await begun();
    const copies = 30;
    let task = idOf(id, day("25"));
    for (let copy = 2; copy <= copies; copy++) {
      await world.hear([updated(first, 2 * copy - 1, { status: "open", completed_at: null })]);
      await world.hear([created(task, null), deleted(task, 2)]);
      const again = await world.hear([completed(first, 2 * copy)]);
      task = idOf(id, `${day("25")}#${copy}`);
      expect(again.map(({ subject }) => subject)).toEqual([task]);
    }
  });

  test("what was skipped before the one taken back stays in view when both have passed", async () => {
    const id = Bun.randomUUIDv7();
    const dayAgo = (days: number) => local(inHours(-24 * days));
    const [start, skipped, taken] = [dayAgo(5), dayAgo(4), dayAgo(3)];
    const template = { ...pattern, start, catch_up: "all" };
    await world.hear([created(id, template)]);
    expect((await world.send("POST", `/v1/series/${id}/occurrences/${skipped}/skip`)).status).toBe(200);
    await world.hear([completed(idOf(id, start), 2)]);
    expect((await world.occurrencesOf(id)).at(-1)?.recurrence_id).toBe(taken);
    // As an undoing leaves it that is heard of late.
    await world.db.sql`update occurrences set taken_back = true where id = ${idOf(id, taken)}`;
    await world.hear([deleted(idOf(id, taken), 2)]);
    const made = (await world.occurrencesOf(id)).map(({ recurrence_id }) => recurrence_id);
    expect(made).toEqual([start, taken, `${taken}#2`]);
  });

  test("touched since, heard of before or after, it stays", async () => {
    const before = await begun();
    await world.hear([created(before.second, null), updated(before.second, 2, { title: "mine" })]);
    expect(await before.reopen()).toEqual([]);
    const after = await begun();
    await after.reopen();
    await world.hear([created(after.second, null), updated(after.second, 2, { title: "mine" })]);
    const [row] = await world.db.sql`select state, taken_back from occurrences where id = ${after.second}`;
    expect(row).toEqual({ state: "open", taken_back: false });
  });

  test.each(["untouched", "touched"])(
    "of a date that was restored after another task of it was asked for, that one goes where it is %s",
    async (how) => {
      const { first, second, id, reopen } = await begun();
      await reopen();
      await world.hear([created(second, null), deleted(second, 2)]);
      await world.hear([completed(first, 4)]);
      const copy = idOf(id, `${day("25")}#2`);
      await world.hear([created(copy, null)]);
      if (how === "touched") await world.hear([updated(copy, 2, { title: "mine" })]);
      // As where time asks for it.
      await world.db.sql`update occurrences set made_by = null where id = ${copy}`;
      const told = await world.hear([updated(second, 3, { deleted_at: null })]);
      expect(told.map(({ type, subject }) => [type, subject])).toEqual(
        how === "untouched" ? [["RemoveOccurrence", copy]] : [],
      );
      const states = (await world.occurrencesOf(id)).map(({ recurrence_id, state }) => `${recurrence_id} ${state}`);
      expect(states).toEqual([`${day("24")} completed`, `${day("25")} open`, `${day("25")}#2 open`]);
      const taken = await world.db.sql`select id from occurrences where series_id = ${id} and taken_back`;
      expect(taken.map((row) => row["id"])).toEqual(how === "untouched" ? [copy] : []);
    },
  );

  test("instances that hear of the undoing and of the next one at once agree", async () => {
    for (let round = 0; round < 5; round++) {
      const { first, second, id } = await begun();
      await Promise.all([
        world.hear([updated(first, 3, { status: "open", completed_at: null })]),
        world.hear([created(second, null)]),
        world.hear([updated(second, 2, { title: "mine" })]),
      ]);
      await world.hear([completed(first, 4)]);
      expect((await world.occurrencesOf(id)).map(({ state }) => state)).toEqual(["completed", "open"]);
    }
  });

  test("an occurrence the task service made is taken in, heard of before its template or after, or at once", async () => {
    for (const order of ["before", "after", "at once"]) {
      const id = Bun.randomUUIDv7();
      const third = idOf(id, day("26"));
      const template = created(id, { ...pattern, max_open: 3 });
      const occurrence = created(third, null, { template_id: id, recurrence_id: day("26") });
      if (order === "at once") await Promise.all([world.hear([occurrence]), world.hear([template])]);
      else
        for (const each of order === "before" ? [occurrence, template] : [template, occurrence])
          await world.hear([each]);
      expect((await world.occurrencesOf(id)).map(({ recurrence_id }) => recurrence_id)).toContain(day("26"));
    }
  });

  test("a completion heard while its template is being heard of elsewhere is not lost to the series", async () => {
    const id = Bun.randomUUIDv7();
    const first = idOf(id, day("24"));
    await world.hear([created(first, null, { template_id: id, recurrence_id: day("24") })]);
    let done: Promise<unknown> = Promise.resolve();
    await world.db.transaction(async (tx) => {
      const signal = new AbortController().signal;
      await followTasks([created(id, pattern)], { tx, signal, log: makeLog({}, "error"), now: new Date() });
      let isHeard = false;
      done = world.hear([completed(first, 2)]).finally(() => (isHeard = true));
      await until("the completion is heard, or waits for the template", async () => {
        const waiting = await world.db.sql`
          select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
        return isHeard || waiting.length > 0;
      });
    });
    await done;
    expect((await world.occurrencesOf(id)).map(({ state }) => state)).toEqual(["completed", "open"]);
  });
});
