import { expect, test } from "bun:test";
import { deletionInWords, reachOf } from "../../../../workers/ui-gateway/page/deletion.ts";
import type { Task } from "../../../../workers/ui-gateway/page/shapes.ts";
import { fromSnapshot, isShown } from "../../../../workers/ui-gateway/page/store.ts";
import { shownTask } from "../../../support/shown-task.ts";

const task = (id: string, over: Partial<Task> = {}) => shownTask({ id, ...over });
const of = (id: string, recurrence_id: string, over: Partial<Task> = {}) =>
  task(id, { template_id: "series", recurrence_id, ...over });

const second = of("second", "2026-02-01");
const state = fromSnapshot(
  [
    task("series", { is_recurring_template: true }),
    of("done", "2025-12-01", { status: "completed" }),
    of("first", "2026-01-01"),
    second,
    of("third", "2026-03-01"),
    task("other"),
  ],
  [],
);

test.each([
  ["this", ["second"]],
  ["future", ["second", "third"]],
  ["all", ["first", "second", "series", "third"]],
] as const)("deleting an occurrence with %s takes %j out of the list: what is completed stays", (scope, gone) => {
  expect(reachOf(state, second, scope).toSorted()).toEqual([...gone]);
});

test("what was deleted is said by its title, cut where it is long", () => {
  expect([
    deletionInWords(task("t"), "this"),
    deletionInWords(task("t", { title: "x".repeat(100) }), "this"),
    deletionInWords(task("t", { is_recurring_template: true }), "this"),
  ]).toEqual([
    "“Water the plants” was deleted.",
    `“${"x".repeat(60)}…” was deleted.`,
    "“Water the plants” does not repeat any more.",
  ]);
});

test("a reminder of a task that is being deleted is not shown", () => {
  const fired = {
    id: "r",
    task_id: "other",
    remind_at: "2026-01-01T00:00:00Z",
    status: "triggered",
    version: 1,
  } as const;
  const known = fromSnapshot([task("other")], [fired]);
  expect([isShown(known, "r"), isShown(known, "r", new Set(["other"]))]).toEqual([true, false]);
});
