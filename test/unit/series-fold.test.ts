import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { deriveId } from "../../shared/derive-id.ts";
import type { FoldedTask, TaskEvent } from "../../shared/fold-task.ts";
import type { TaskCreated } from "../../shared/records.ts";
import { advanceSeries, type Series } from "../../workers/recurring-task-worker/advance-series.ts";
import { foldSeries, type World } from "../../workers/recurring-task-worker/fold-series.ts";

const user_id = "0193a0b0-0000-7000-8000-0000000000aa";
const template = "0193a0b0-0000-7000-8000-000000000001";
const nothing: World = { tasks: new Map(), series: new Map() };
const at = (text: string) => new Date(`2026-${text}:00Z`);
const occurrence = (recurrenceId: string) => deriveId("occurrence", template, recurrenceId);

type Fields = Record<string, null | boolean | number | string>;
const created = (
  version: number,
  time: string,
  pattern: unknown,
  over: Partial<TaskCreated> = {},
  id = template,
): TaskEvent => ({
  type: "TaskCreated",
  subject: id,
  sequence: version,
  data: {
    id,
    user_id,
    title: "Water the plants",
    description: null,
    created_at: at(time),
    due_date: null,
    priority: null,
    tags: [],
    is_recurring_template: pattern !== null,
    recurrence_pattern: pattern === null ? null : JSON.stringify(pattern),
    template_id: null,
    recurrence_id: null,
    due_on: null,
    due_tz: null,
    ...over,
  },
});
const updated = (version: number, time: string, updated_fields: Fields, id = template): TaskEvent => ({
  type: "TaskUpdated",
  subject: id,
  sequence: version,
  data: { id, user_id, updated_fields, timestamp: at(time) },
});
const completed = (version: number, time: string, id: string): TaskEvent => ({
  type: "TaskCompleted",
  subject: id,
  sequence: version,
  data: { id, user_id, completed_at: at(time) },
});
const deleted = (version: number, time: string, id = template): TaskEvent => ({
  type: "TaskDeleted",
  subject: id,
  sequence: version,
  data: { id, user_id, deleted_at: at(time) },
});

/** Hears events one by one; `pass` is the timer's look at a moment. */
function hear(from: World = nothing) {
  let world = from;
  const asked: string[] = [];
  const note = (commands: readonly { data: { recurrence_id: string } }[]) =>
    asked.push(...commands.map(({ data }) => data.recurrence_id));
  const it = {
    events: (...events: readonly TaskEvent[]) => {
      const folded = foldSeries(events, world);
      world = folded.world;
      for (const answer of folded.answers) note(answer);
      return it;
    },
    pass: (time: string) => {
      const now = at(time);
      for (const series of world.series.values()) {
        if (series.wakeAt === null || series.wakeAt > now) continue;
        const advanced = advanceSeries({ series, tasks: world.tasks, at: now, by: "timer" });
        world = { ...world, series: new Map(world.series).set(series.id, advanced.series) };
        note(advanced.commands);
      }
      return it;
    },
    asked: () => asked,
    series: (): Series => {
      const found = world.series.get(template);
      if (!found) throw new Error("no series");
      return found;
    },
    world: () => world,
  };
  return it;
}

const daily = { rrule: "FREQ=DAILY", tz: "UTC", start: "2026-11-24T09:00" };
const [tue, wed, thu, fri] = ["2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27"].map(
  (day) => `${day}T09:00:00`,
) as [string, string, string, string];

describe("anchored on the schedule", () => {
  test("the first occurrence is asked for with the template, and its due waited for where more may be open", () => {
    const heard = hear().events(created(1, "11-23T10:00", { ...daily, max_open: 2 }));
    expect(heard.asked()).toEqual([tue]);
    expect(heard.series()).toMatchObject({ status: "pending", wakeAt: at("11-24T09:00"), generation: 1 });
  });

  test("where one may be open, it is waited for to be completed", () => {
    const heard = hear().events(created(1, "11-23T10:00", daily));
    expect(heard.series()).toMatchObject({ status: "waiting", wakeAt: null, generation: 0 });
  });

  test("completing early asks for the next one of the schedule", () => {
    const heard = hear().events(created(1, "11-23T10:00", daily), completed(2, "11-23T11:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue, wed]);
  });

  test("when the due passes and the occurrence is open, nothing more is asked for while one may be open", () => {
    const heard = hear()
      .events(created(1, "11-23T10:00", daily))
      .pass("11-24T09:00");
    expect(heard.asked()).toEqual([tue]);
    expect(heard.series()).toMatchObject({ status: "waiting", wakeAt: null });
  });

  test("when the due passes and two may be open, the next one is asked for", () => {
    const heard = hear()
      .events(created(1, "11-23T10:00", { ...daily, max_open: 2 }))
      .pass("11-24T09:00")
      .pass("11-25T09:00");
    expect(heard.asked()).toEqual([tue, wed]);
  });

  test("completing late asks for the next one to come, never one already past", () => {
    const heard = hear()
      .events(created(1, "11-23T10:00", daily))
      .pass("11-24T09:00")
      .events(completed(2, "11-26T12:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue, fri]);
  });

  test("a completion heard late counts from when it was made", () => {
    const heard = hear().events(created(1, "11-23T10:00", daily), completed(2, "11-24T10:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue, wed]);
    expect(heard.pass("11-30T00:00").asked()).toEqual([tue, wed]);
  });

  test("a deleted occurrence is skipped: the next one comes when its due has passed", () => {
    const heard = hear().events(created(1, "11-23T10:00", daily), deleted(2, "11-23T11:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue]);
    expect(heard.pass("11-24T09:00").asked()).toEqual([tue, wed]);
  });

  test("completing, reopening and completing again asks once", () => {
    const first = occurrence(tue);
    const heard = hear().events(
      created(1, "11-23T10:00", daily),
      completed(2, "11-23T11:00", first),
      updated(3, "11-23T11:30", { status: "open", completed_at: null }, first),
      completed(4, "11-23T12:00", first),
    );
    expect(heard.asked()).toEqual([tue, wed]);
  });
});

describe("after ten days of standstill", () => {
  const template2 = (catch_up: string, max_open: number) =>
    hear().events(
      created(1, "11-23T10:00", { ...daily, catch_up, max_open }),
      deleted(2, "11-23T11:00", occurrence(tue)),
    );
  test.each<[string, number, readonly string[]]>([
    ["latest", 1, ["2026-12-04T09:00:00"]],
    ["latest", 5, ["2026-12-04T09:00:00", "2026-12-05T09:00:00"]],
    ["none", 5, ["2026-12-05T09:00:00"]],
    ["all", 1, [wed]],
    ["all", 3, [wed, thu, fri]],
    [
      "all",
      100,
      [
        wed,
        thu,
        fri,
        ...["11-28", "11-29", "11-30", "12-01", "12-02", "12-03", "12-04", "12-05"].map(
          (day) => `2026-${day}T09:00:00`,
        ),
      ],
    ],
  ])("catch_up %s with %d open makes exactly its occurrences", (catchUp, maxOpen, expected) => {
    const heard = template2(catchUp, maxOpen).pass("12-04T12:00").pass("12-04T12:01");
    expect(heard.asked()).toEqual([tue, ...expected]);
  });
});

describe("where a series begins", () => {
  test.each<[string, unknown, Partial<TaskCreated>, readonly string[]]>([
    ["at the due date", "weekly", { due_date: at("12-01T08:00") }, ["2026-12-01T08:00:00"]],
    [
      "in the zone of the due date",
      "weekly",
      { due_date: at("12-01T08:00"), due_tz: "Europe/Berlin" },
      ["2026-12-01T09:00:00"],
    ],
    ["on the due day, all day", "weekly", { due_on: "2026-12-01", due_tz: "Europe/Berlin" }, ["2026-12-01"]],
    ["at the moment of creation", "daily", {}, ["2026-11-23T10:00:00"]],
    ["with the latest of a past start", { ...daily, start: "2026-01-01T09:00" }, {}, ["2026-11-23T09:00:00"]],
    [
      "at the past start when all are wanted",
      { ...daily, start: "2026-01-01T09:00", catch_up: "all" },
      {},
      ["2026-01-01T09:00:00"],
    ],
    ["in the future when none is made up for", { ...daily, start: "2026-01-01T09:00", catch_up: "none" }, {}, [tue]],
  ])("%s", (_title, pattern, over, expected) => {
    expect(
      hear()
        .events(created(1, "11-23T10:00", pattern, over))
        .asked(),
    ).toEqual([...expected]);
  });

  test("an all-day occurrence is past when its day is over, not when it begins", () => {
    const allDay = { rrule: "FREQ=DAILY", max_open: 2 };
    const heard = hear().events(created(1, "11-23T10:00", allDay, { due_on: "2026-11-24", due_tz: "Europe/Berlin" }));
    expect(heard.series().wakeAt).toEqual(at("11-24T23:00"));
  });
});

describe("anchored on completion", () => {
  const every3 = { rrule: "FREQ=DAILY;INTERVAL=3", tz: "UTC", start: "2026-11-24T09:00", anchor: "completion" };
  test("the next one counts from the day of completion, at the time of the series", () => {
    const heard = hear().events(created(1, "11-23T10:00", every3));
    expect(heard.series()).toMatchObject({ status: "waiting", wakeAt: null });
    heard.events(completed(2, "11-28T22:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue, "2026-12-01T09:00:00"]);
  });
  test("completing early restarts the interval", () => {
    const heard = hear().events(created(1, "11-23T10:00", every3), completed(2, "11-23T11:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue, "2026-11-26T09:00:00"]);
  });
  test("an interval that ends where the completed one was due makes a second occurrence of that time", () => {
    const heard = hear().events(
      created(1, "11-23T10:00", { ...every3, rrule: "FREQ=DAILY" }),
      completed(2, "11-23T11:00", occurrence(tue)),
    );
    expect(heard.asked()).toEqual([tue, `${tue}#2`]);
    heard.events(completed(2, "11-23T12:00", occurrence(`${tue}#2`)));
    expect(heard.asked()).toEqual([tue, `${tue}#2`, `${tue}#3`]);
  });
  test("completed earlier that day, the next one is not still today", () => {
    const heard = hear().events(created(1, "11-23T10:00", every3), completed(2, "11-24T08:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue, "2026-11-27T09:00:00"]);
  });
  test("a deleted one counts as skipped at that moment", () => {
    const heard = hear().events(created(1, "11-23T10:00", every3), deleted(2, "11-25T11:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue, "2026-11-28T09:00:00"]);
  });
  test("COUNT counts what was made", () => {
    const heard = hear().events(
      created(1, "11-23T10:00", { ...every3, rrule: "FREQ=DAILY;COUNT=2" }),
      completed(2, "11-24T11:00", occurrence(tue)),
      completed(2, "11-25T11:00", occurrence(wed)),
    );
    expect(heard.asked()).toEqual([tue, wed]);
    expect(heard.series().status).toBe("ended");
  });
});

describe("templates change", () => {
  test("a deleted template stops the series and leaves the open one", () => {
    const heard = hear().events(created(1, "11-23T10:00", daily), deleted(2, "11-23T11:00"));
    expect(heard.series()).toMatchObject({ status: "stopped", wakeAt: null });
    heard.pass("11-29T00:00").events(completed(2, "11-29T01:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue]);
    expect(heard.series().occurrences).toHaveLength(1);
  });
  test("a restored one goes on with what is still to come", () => {
    const heard = hear().events(
      created(1, "11-23T10:00", daily),
      completed(2, "11-23T10:30", occurrence(tue)),
      deleted(2, "11-23T11:00"),
      completed(2, "11-24T10:30", occurrence(wed)),
      updated(3, "11-26T12:00", { deleted_at: null }),
    );
    expect(heard.asked()).toEqual([tue, wed, fri]);
  });
  test("turning it into a task and back", () => {
    const heard = hear().events(
      created(1, "11-23T10:00", daily),
      updated(2, "11-23T11:00", { is_recurring_template: false, recurrence_pattern: null }),
      completed(2, "11-23T12:00", occurrence(tue)),
    );
    expect(heard.asked()).toEqual([tue]);
    heard.events(updated(3, "11-23T13:00", { is_recurring_template: true, recurrence_pattern: JSON.stringify(daily) }));
    expect(heard.asked()).toEqual([tue, wed]);
  });
  test("a plain task becomes a template that begins at its due date", () => {
    const heard = hear().events(
      created(1, "11-23T10:00", null, { due_date: at("11-30T08:00") }),
      updated(2, "11-23T11:00", { is_recurring_template: true, recurrence_pattern: '"weekly"' }),
    );
    expect(heard.asked()).toEqual(["2026-11-30T08:00:00"]);
  });
  test("a changed pattern counts from its change, once the open occurrence is done", () => {
    const yearly = { ...daily, rrule: "FREQ=YEARLY" };
    const heard = hear().events(
      created(1, "11-23T10:00", yearly),
      updated(2, "11-23T11:00", { recurrence_pattern: JSON.stringify(daily) }),
    );
    expect(heard.asked()).toEqual([tue]);
    heard.events(completed(2, "11-25T12:00", occurrence(tue)));
    expect(heard.asked()).toEqual([tue, thu]);
  });
  test("a changed pattern makes no second occurrence of a time there is one of", () => {
    const weekdays = { ...daily, rrule: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR" };
    const heard = hear().events(
      created(1, "11-23T10:00", daily),
      updated(2, "11-23T11:00", { recurrence_pattern: JSON.stringify(weekdays) }),
      completed(2, "11-23T12:00", occurrence(tue)),
    );
    expect(heard.asked()).toEqual([tue, wed]);
  });
  test("a completion from before the change, heard after it, makes nothing of the time before it", () => {
    const heard = hear().events(
      created(1, "11-23T10:00", daily),
      updated(2, "11-26T11:00", { recurrence_pattern: JSON.stringify({ ...daily, start: "2026-11-24T10:00" }) }),
      completed(2, "11-24T12:00", occurrence(tue)),
    );
    expect(heard.asked()).toEqual([tue, "2026-11-27T10:00:00"]);
  });
  test("completed far ahead of time, the next one follows the last, whatever else is remembered", () => {
    const heard = hear().events(created(1, "11-23T10:00", daily));
    const last = heard.series().occurrences[0];
    if (!last) throw new Error("no occurrence");
    const ahead = { ...last, state: "completed" as const, at: at("12-20T09:00"), duePassesAt: at("12-20T09:00") };
    const { commands } = advanceSeries({
      series: { ...heard.series(), occurrences: [{ ...ahead, recurrenceId: "2026-12-20T09:00:00" }] },
      tasks: heard.world().tasks,
      at: at("11-23T11:00"),
      by: "event",
    });
    expect(commands.map(({ data }) => data.recurrence_id)).toEqual(["2026-12-21T09:00:00"]);
  });
  test("COUNT ends the series", () => {
    const heard = hear().events(
      created(1, "11-23T10:00", { ...daily, rrule: "FREQ=DAILY;COUNT=2" }),
      completed(2, "11-23T11:00", occurrence(tue)),
      completed(2, "11-23T12:00", occurrence(wed)),
    );
    expect(heard.asked()).toEqual([tue, wed]);
    expect(heard.series()).toMatchObject({ status: "ended", wakeAt: null });
  });
  test("UNTIL ends it as well", () => {
    const heard = hear()
      .events(created(1, "11-23T10:00", { ...daily, rrule: "FREQ=DAILY;UNTIL=20261124" }))
      .events(completed(2, "11-24T12:00", occurrence(tue)));
    expect(heard.series().status).toBe("ended");
  });
});

test("events of a task of somebody else change nothing", () => {
  const stranger = deleted(2, "11-23T11:00");
  const heard = hear().events(created(1, "11-23T10:00", daily), {
    ...stranger,
    data: { ...stranger.data, user_id: "0193a0b0-0000-7000-8000-0000000000bb" },
  } as TaskEvent);
  expect(heard.series().status).toBe("waiting");
});

test("an occurrence whose completion is known before it is asked for is passed over", () => {
  const known = foldSeries([completed(2, "11-24T08:00", occurrence(tue))], nothing).world;
  const heard = hear(known).events(created(1, "11-23T10:00", daily));
  expect(heard.asked()).toEqual([tue, wed]);
});

test("any order and repetition of the events gives the same series and the same occurrences, each asked for once", () => {
  const [first, second, third] = [tue, wed, thu].map(occurrence) as [string, string, string];
  const events: readonly TaskEvent[] = [
    created(1, "11-23T10:00", daily),
    updated(2, "11-23T10:01", { title: "new" }),
    created(1, "11-23T10:00", null, {}, first),
    completed(2, "11-23T11:00", first),
    created(1, "11-23T11:00", null, {}, second),
    completed(2, "11-23T12:00", second),
    updated(3, "11-23T12:10", { status: "open", completed_at: null }, second),
    completed(4, "11-23T12:20", second),
    created(1, "11-23T12:00", null, {}, third),
    updated(2, "11-23T12:30", { title: "moved" }, third),
  ];
  const inOrder = hear().events(...events);
  expect(inOrder.asked()).toEqual([tue, wed, thu]);
  const orders = fc
    .shuffledSubarray([...events], { minLength: events.length })
    .chain((order) => fc.shuffledSubarray([...events]).map((again) => [...order, ...again]));
  fc.assert(
    fc.property(orders, fc.integer({ min: 1, max: 20 }), (order, size) => {
      const heard = hear();
      for (let from = 0; from < order.length; from += size) heard.events(...order.slice(from, from + size));
      expect(heard.asked()).toEqual([tue, wed, thu]);
      expect(withoutGeneration(heard.series())).toEqual(withoutGeneration(inOrder.series()));
      expect(tasksOf(heard.world())).toEqual(tasksOf(inOrder.world()));
    }),
  );
});

/** How often the timer was set on the way is no part of what a series is. */
const withoutGeneration = (series: Series) => ({ ...series, generation: 0 });
const tasksOf = ({ tasks }: World): readonly [string, FoldedTask | null][] =>
  [...tasks].toSorted(([a], [b]) => (a < b ? -1 : 1));
