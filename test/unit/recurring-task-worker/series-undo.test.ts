import { describe, expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import type { TaskEvent } from "../../../shared/tasks/task-event.ts";
import { completed, created, daily, deleted, fri, hear, occurrence, thu, tue, updated, wed } from "./series-world.ts";

const reopened = (version: number, time: string, id: string) =>
  updated(version, time, { status: "open", completed_at: null }, id);
const begun = (pattern: object = daily) =>
  hear().events(created(1, "11-23T10:00", pattern), completed(2, "11-23T11:00", occurrence(tue)));

describe("undoing a completion", () => {
  test("takes back the next one that it called for", () => {
    const heard = begun().events(reopened(3, "11-23T12:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue, wed]);
    expect(heard.removed()).toEqual([occurrence(wed)]);
    heard.events(deleted(2, "11-23T12:01", occurrence(wed)));
    expect(heard.series()).toMatchObject({ status: "waiting", wakeAt: null });
  });

  test("completing again makes the next one again, under another id: a deleted task never comes back", () => {
    const heard = begun().events(
      reopened(3, "11-23T12:00", occurrence(tue)),
      deleted(2, "11-23T12:01", occurrence(wed)),
      completed(4, "11-23T13:00", occurrence(tue)),
    );
    expect(heard.asked()).toEqual([tue, wed, `${wed}#2`]);
    heard.events(completed(2, "11-23T14:00", occurrence(`${wed}#2`)));
    expect(heard.asked()).toEqual([tue, wed, `${wed}#2`, thu]);
  });

  test("completed again before the removal is known of, it waits for what became of it", () => {
    const heard = begun().events(
      reopened(3, "11-23T12:00", occurrence(tue)),
      completed(4, "11-23T13:00", occurrence(tue)),
    );
    expect(heard.asked()).toEqual([tue, wed]);
    heard.events(deleted(2, "11-23T13:01", occurrence(wed)));
    expect(heard.asked()).toEqual([tue, wed, `${wed}#2`]);
  });

  test("keeps the next one that somebody has touched", () => {
    const touched = updated(2, "11-23T11:30", { title: "mine" }, occurrence(wed));
    const before = begun().events(
      created(1, "11-23T11:00", null, {}, occurrence(wed)),
      touched,
      reopened(3, "11-23T12:00", occurrence(tue)),
    );
    expect(before.removed()).toEqual([]);
    const after = begun().events(reopened(3, "11-23T12:00", occurrence(tue)), touched);
    after.events(completed(4, "11-23T13:00", occurrence(tue)));
    expect([after.removed(), after.asked()]).toEqual([[occurrence(wed)], [tue, wed]]);
    after.events(completed(3, "11-23T14:00", occurrence(wed)));
    expect(after.asked()).toEqual([tue, wed, thu]);
  });

  test("keeps one that time has called for as well", () => {
    const heard = hear()
      .events(created(1, "11-23T10:00", { ...daily, max_open: 2 }), completed(2, "11-23T11:00", occurrence(tue)))
      .events(reopened(3, "11-24T10:00", occurrence(tue)));
    expect(heard.removed()).toEqual([]);
  });

  test("keeps what the passing of time made", () => {
    const heard = hear()
      .events(created(1, "11-23T10:00", { ...daily, max_open: 2 }))
      .pass("11-24T09:00")
      .events(completed(2, "11-24T10:00", occurrence(tue)), reopened(3, "11-24T11:00", occurrence(tue)));
    expect(heard.removed()).toEqual([]);
  });

  test("counted from completion, the interval begins anew with the next completion, and COUNT does not count what was taken back", () => {
    const pattern = { ...daily, rrule: "FREQ=DAILY;INTERVAL=3;COUNT=2", anchor: "completion" };
    const heard = begun(pattern).events(
      reopened(3, "11-23T12:00", occurrence(tue)),
      deleted(2, "11-23T12:01", occurrence("2026-11-26T09:00:00")),
      completed(4, "11-25T13:00", occurrence(tue)),
    );
    expect(heard.asked()).toEqual([tue, "2026-11-26T09:00:00", "2026-11-28T09:00:00"]);
  });

  test("heard again and again it removes once", () => {
    const events: readonly TaskEvent[] = [
      created(1, "11-23T10:00", daily),
      completed(2, "11-23T11:00", occurrence(tue)),
      reopened(3, "11-23T12:00", occurrence(tue)),
      deleted(2, "11-23T12:01", occurrence(wed)),
    ];
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 12 }), (again) => {
        const heard = hear();
        events.forEach((event, n) => {
          heard.events(event);
          for (const old of again) if (old <= n) heard.events(events[old] ?? event);
        });
        expect([heard.asked(), heard.removed()]).toEqual([[tue, wed], [occurrence(wed)]]);
      }),
    );
  });
});

describe("undoing a deletion", () => {
  const restored = (version: number, time: string, id: string) => updated(version, time, { deleted_at: null }, id);

  test.each([
    ["overdue", daily, "11-24T10:00", [tue, wed]],
    ["of a series counted from completion", { ...daily, anchor: "completion" }, "11-24T10:00", [tue, wed]],
  ])("takes back the next one that it called for: %s", (_title, pattern, at, asked) => {
    const heard = hear().events(created(1, "11-23T10:00", pattern), deleted(2, at, occurrence(tue)));
    expect(heard.asked()).toEqual(asked);
    heard.events(restored(3, "11-24T11:00", occurrence(tue)));
    expect(heard.removed()).toEqual([occurrence(wed)]);
    heard.events(deleted(2, "11-24T11:01", occurrence(wed)));
    expect([heard.asked(), heard.series().status]).toEqual([asked, "waiting"]);
  });

  test("before its due, the series waits for it again", () => {
    const heard = hear().events(created(1, "11-23T10:00", daily), deleted(2, "11-23T11:00", occurrence(tue)));
    expect(heard.series().status).toBe("pending");
    heard.events(restored(3, "11-23T12:00", occurrence(tue))).pass("11-24T09:00");
    expect([heard.asked(), heard.series().status]).toEqual([[tue], "waiting"]);
  });

  test("keeps the one that time called for meanwhile", () => {
    const heard = hear()
      .events(created(1, "11-23T10:00", daily), deleted(2, "11-23T11:00", occurrence(tue)))
      .pass("11-24T09:00")
      .events(restored(3, "11-24T10:00", occurrence(tue)));
    expect([heard.asked(), heard.removed()]).toEqual([[tue, wed], []]);
  });

  test("takes back another task of its date, asked for before the restore was heard of", () => {
    const heard = begun().events(
      reopened(3, "11-23T12:00", occurrence(tue)),
      deleted(2, "11-23T12:01", occurrence(wed)),
      completed(4, "11-23T13:00", occurrence(tue)),
    );
    expect(heard.asked()).toEqual([tue, wed, `${wed}#2`]);
    heard.events(restored(3, "11-23T13:00", occurrence(wed)));
    expect(heard.removed()).toEqual([occurrence(wed), occurrence(`${wed}#2`)]);
    heard.events(deleted(2, "11-23T13:01", occurrence(`${wed}#2`)), completed(4, "11-23T14:00", occurrence(wed)));
    expect(heard.asked()).toEqual([tue, wed, `${wed}#2`, thu]);
  });

  test("a series restored with its overdue occurrence shows that one alone, heard of in either order", () => {
    const template = restored(3, "11-25T10:00", "0193a0b0-0000-7000-8000-000000000001");
    for (const order of ["template first", "occurrence first"]) {
      const heard = hear().events(
        created(1, "11-23T10:00", daily),
        deleted(2, "11-24T10:00"),
        deleted(2, "11-24T10:00", occurrence(tue)),
      );
      const both = [template, restored(3, "11-25T10:00", occurrence(tue))];
      heard.events(...(order === "template first" ? both : both.toReversed()));
      for (const id of heard.removed()) heard.events(deleted(2, "11-25T10:01", id));
      expect(heard.series().occurrences.filter(({ state }) => state === "open")).toMatchObject([{ recurrenceId: tue }]);
      expect(heard.series().status).toBe("waiting");
    }
  });
});

describe("an occurrence the series did not ask for", () => {
  const place = (recurrence_id: string) => ({ template_id: "0193a0b0-0000-7000-8000-000000000001", recurrence_id });
  const made = (id: string, time = "11-23T10:00") => created(1, time, null, place(id), occurrence(id));

  test("is taken in, whether its template is heard of before it or after", () => {
    const template = created(1, "11-23T10:00", { ...daily, max_open: 3 });
    const first = hear().events(template, made(tue), made(wed));
    const last = hear().events(made(wed), made(tue), template);
    for (const heard of [first, last]) {
      expect(heard.series().occurrences.map(({ recurrenceId }) => recurrenceId)).toEqual([tue, wed]);
      heard.events(completed(2, "11-23T11:00", occurrence(tue)), completed(2, "11-23T11:00", occurrence(wed)));
      expect(heard.asked().at(-1)).toBe(thu);
    }
    expect(last.asked()).toEqual([thu]);
  });

  test.each<[string, object, string, readonly string[], readonly boolean[]]>([
    ["those in their turn", {}, "11-23T10:00", [tue, wed], [false, false]],
    ["one ahead of its turn, after one in its turn", {}, "11-23T10:00", [tue, fri], [false, true]],
    ["one ahead of its turn, the first of the series", {}, "11-23T10:00", [wed], [true]],
    ["after one that the rule leaves out, in its turn", { exdate: [wed] }, "11-23T10:00", [tue, thu], [false, false]],
    ["after what had passed when it was made, in its turn", {}, "11-26T10:00", [tue, fri], [false, false]],
    ["counted from completion, in its turn", { anchor: "completion" }, "11-23T10:00", [tue, fri], [false, false]],
  ])("is told from one done ahead: %s", (_title, over, time, places, expected) => {
    const template = created(1, "11-23T10:00", { ...daily, ...over });
    const heard = hear().events(...places.toReversed().map((id) => made(id, time)), template);
    const ahead = places.map((id) => heard.series().occurrences.find((each) => each.recurrenceId === id)?.ahead);
    expect(ahead).toEqual([...expected]);
  });

  test("that was done ahead of its turn does not swallow those before it", () => {
    const template = created(1, "11-23T10:00", { ...daily, max_open: 2 });
    const heard = hear().events(made(tue), made(fri), template, completed(2, "11-23T11:00", occurrence(tue)));
    heard.events(completed(2, "11-23T12:00", occurrence(wed)), completed(2, "11-23T13:00", occurrence(thu)));
    heard.events(completed(2, "11-23T14:00", occurrence(fri)));
    expect(heard.asked()).toEqual([wed, thu, "2026-11-28T09:00:00"]);
  });

  test("is left alone where its id is not that of its place, or its series another user's", () => {
    const stray = created(1, "11-23T10:00", null, place(wed), "0193a0b0-0000-7000-8000-0000000000ff");
    expect(
      hear()
        .events(created(1, "11-23T10:00", daily), stray)
        .series().occurrences,
    ).toHaveLength(1);
  });
});

test("a new series begins at its template's due, passed or not", () => {
  const over = { due_date: new Date("2026-11-20T09:00:00Z") };
  const heard = hear().events(created(1, "11-23T10:00", { ...daily, start: "2026-11-01T09:00" }, over));
  expect(heard.asked()).toEqual(["2026-11-20T09:00:00"]);
});
