import { describe, expect, test } from "bun:test";
import { completed, created, hear, occurrence, updated } from "./series-world.ts";

/** What people complain of in other programs, one test each. */
describe("recurring tasks one can rely on", () => {
  /** Completes each occurrence at a moment and tells which were made. */
  const course = (pattern: object, done: readonly (readonly [recurrenceId: string, time: string])[]) => {
    const heard = hear().events(created(1, "01-01T00:00", pattern));
    for (const [id, time] of done) heard.events(completed(2, time, occurrence(id)));
    return heard.asked();
  };

  test("month ends do not drift: the 31st comes back after February, early or late completed", () => {
    const pattern = { rrule: "FREQ=MONTHLY", tz: "Europe/Berlin", start: "2026-01-31T09:00", month_end: "clamp" };
    expect(
      course(pattern, [
        ["2026-01-31T09:00:00", "01-31T12:00"],
        ["2026-02-28T09:00:00", "02-20T12:00"],
        ["2026-03-31T09:00:00", "04-02T12:00"],
      ]),
    ).toEqual(["2026-01-31T09:00:00", "2026-02-28T09:00:00", "2026-03-31T09:00:00", "2026-04-30T09:00:00"]);
  });

  test("nine o'clock stays nine o'clock when the clocks change, however it is completed", () => {
    const heard = hear().events(
      created(1, "03-27T00:00", { rrule: "FREQ=DAILY", tz: "Europe/Berlin", start: "2026-03-28T09:00", max_open: 3 }),
      completed(2, "03-28T07:00", occurrence("2026-03-28T09:00:00")),
    );
    expect(heard.asked()).toEqual(["2026-03-28T09:00:00", "2026-03-29T09:00:00"]);
    expect(heard.series().occurrences.map(({ at }) => at.toISOString())).toEqual([
      "2026-03-28T08:00:00.000Z",
      "2026-03-29T07:00:00.000Z",
    ]);
  });

  test("a whole day stays that day: completed late in the evening, far from UTC, the next one is tomorrow", () => {
    const pattern = { rrule: "FREQ=DAILY", tz: "Pacific/Auckland", start: "2026-01-10" };
    expect(course(pattern, [["2026-01-10", "01-10T10:30"]])).toEqual(["2026-01-10", "2026-01-11"]);
  });

  test("completing late never makes a past instance", () => {
    for (const anchor of ["schedule", "completion"])
      expect(
        course({ rrule: "FREQ=DAILY", tz: "UTC", start: "2026-01-10T09:00", anchor }, [
          ["2026-01-10T09:00:00", "01-14T12:00"],
        ]),
      ).toEqual(["2026-01-10T09:00:00", "2026-01-15T09:00:00"]);
  });

  test("completing early restarts the interval where it counts from completion, and does not where it follows the calendar", () => {
    const weekly = { rrule: "FREQ=WEEKLY", tz: "UTC", start: "2026-01-10T09:00" };
    const early = [["2026-01-10T09:00:00", "01-08T12:00"]] as const;
    expect(course({ ...weekly, anchor: "completion" }, early).at(-1)).toBe("2026-01-15T09:00:00");
    expect(course(weekly, early).at(-1)).toBe("2026-01-17T09:00:00");
  });

  test("missed days do not pile up", () => {
    const daily = { rrule: "FREQ=DAILY", tz: "UTC", start: "2026-01-02T09:00" };
    const heard = hear().events(created(1, "01-01T00:00", daily));
    for (let day = 2; day < 30; day++) heard.pass(`01-${String(day).padStart(2, "0")}T10:00`);
    expect(heard.asked()).toEqual(["2026-01-02T09:00:00"]);
  });

  test("missed days do not vanish where all are wanted, and at most a hundred come at once", () => {
    const all = { rrule: "FREQ=DAILY", tz: "UTC", start: "2026-01-02T09:00", catch_up: "all", max_open: 100 };
    const heard = hear()
      .events(created(1, "01-01T00:00", all))
      .pass("12-31T12:00");
    expect([heard.asked().length, heard.series().status]).toEqual([100, "waiting"]);
    heard.events(completed(2, "12-31T13:00", occurrence("2026-01-02T09:00:00")));
    expect(heard.asked().at(-1)).toBe("2026-04-12T09:00:00");
    expect(heard.asked()).toHaveLength(101);
  });

  test("undoing a completion does not leave the next one behind", () => {
    const daily = { rrule: "FREQ=DAILY", tz: "UTC", start: "2026-01-02T09:00" };
    const first = occurrence("2026-01-02T09:00:00");
    const heard = hear().events(
      created(1, "01-01T00:00", daily),
      completed(2, "01-01T08:00", first),
      updated(3, "01-01T08:01", { status: "open", completed_at: null }, first),
    );
    expect(heard.removed()).toEqual([occurrence("2026-01-03T09:00:00")]);
  });

  test("three times means three, with one completed twice and the rule lengthened at the end", () => {
    const thrice = { rrule: "FREQ=DAILY;COUNT=3", tz: "UTC", start: "2026-01-02T09:00" };
    const done = ["02", "03", "04"].map((day) => [`2026-01-${day}T09:00:00`, `01-${day}T12:00`] as const);
    expect(course(thrice, [...done, ...done])).toEqual(done.map(([id]) => id));
    const heard = hear().events(created(1, "01-01T00:00", thrice));
    for (const [id, time] of done) heard.events(completed(2, time, occurrence(id)));
    heard.events(
      updated(2, "01-04T13:00", { recurrence_pattern: JSON.stringify({ ...thrice, rrule: "FREQ=DAILY;COUNT=5" }) }),
    );
    expect(heard.asked().at(-1)).toBe("2026-01-05T09:00:00");
  });

  test("lengthened from twice to three times, a series counted from completion comes once more", () => {
    const twice = { rrule: "FREQ=DAILY;COUNT=2", tz: "UTC", start: "2026-01-02T09:00", anchor: "completion" };
    const heard = hear().events(created(1, "01-01T00:00", twice));
    const complete = (day: string) =>
      heard.events(completed(2, `01-${day}T12:00`, occurrence(`2026-01-${day}T09:00:00`)));
    for (const day of ["02", "03"]) complete(day);
    expect(heard.series().status).toBe("ended");
    heard.events(
      updated(2, "01-03T13:00", { recurrence_pattern: JSON.stringify({ ...twice, rrule: "FREQ=DAILY;COUNT=3" }) }),
    );
    complete("04");
    expect([heard.asked().length, heard.series().status]).toEqual([3, "ended"]);
  });
});
