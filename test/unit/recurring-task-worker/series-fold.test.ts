import { expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import type { FoldedTask } from "../../../shared/tasks/fold-task.ts";
import type { TaskEvent } from "../../../shared/tasks/task-event.ts";
import type { Series } from "../../../workers/recurring-task-worker/series.ts";
import { foldSeries, type World } from "../../../workers/recurring-task-worker/fold-series.ts";
import {
  nothing,
  occurrence,
  created,
  updated,
  completed,
  deleted,
  hear,
  daily,
  tue,
  wed,
  thu,
} from "./series-world.ts";

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
