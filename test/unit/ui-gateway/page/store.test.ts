import { expect, test } from "bun:test";
import type { ReminderJson, Task, TaskViewJson } from "../../../../workers/ui-gateway/page/shapes.ts";
import {
  applyAnswer,
  applyReminder,
  applyView,
  fromSnapshot,
  isShown,
  visible,
} from "../../../../workers/ui-gateway/page/store.ts";
import { shownTask } from "../../../support/shown-task.ts";

const task = shownTask;
const reminder = (over: Partial<ReminderJson> = {}): ReminderJson => ({
  id: "r1",
  task_id: "t1",
  remind_at: "2026-01-02T09:00:00.000Z",
  status: "pending",
  version: 1,
  ...over,
});
const view = (over: Partial<TaskViewJson> = {}): TaskViewJson => ({
  ...task(),
  view_version: 1,
  reminders: [],
  ...over,
});

test("a view with a lower or equal view_version changes nothing", () => {
  const { state } = applyView(new Map(), view({ view_version: 5, title: "new" }));
  expect(applyView(state, view({ view_version: 5, title: "old" })).state).toBe(state);
  expect(applyView(state, view({ view_version: 4, title: "old" })).state).toBe(state);
});

test("a change that the snapshot already contains does not undo it", () => {
  const snapshot = fromSnapshot([task({ version: 3, title: "newest" })], []);
  const { state } = applyView(snapshot, view({ version: 2, view_version: 9, title: "older" }));
  expect(state.get("t1")?.task.title).toBe("newest");
  const later = applyView(state, view({ version: 3, view_version: 10, title: "newest" }));
  expect(later.state.get("t1")?.viewVersion).toBe(10);
});

test("each reminder keeps its newest version, whichever way it came", () => {
  const snapshot = fromSnapshot([task()], [reminder({ version: 3, status: "dismissed" })]);
  const { state, fired } = applyView(snapshot, view({ reminders: [reminder({ version: 2, status: "triggered" })] }));
  expect(state.get("t1")?.reminders.get("r1")?.status).toBe("dismissed");
  expect(fired).toEqual([]);
});

test("a reminder is told once, when it goes from pending to triggered", () => {
  const snapshot = fromSnapshot([task()], [reminder()]);
  const fires = view({ reminders: [reminder({ version: 2, status: "triggered" })] });
  const first = applyView(snapshot, fires);
  expect(first.fired.map(({ reminder: { id } }) => id)).toEqual(["r1"]);
  expect(applyView(first.state, fires).fired).toEqual([]);
});

test("a reminder that had fired before the page opened is not told again", () => {
  const snapshot = fromSnapshot([task()], [reminder({ status: "triggered", version: 2 })]);
  expect(applyView(snapshot, view({ reminders: [reminder({ status: "triggered", version: 2 })] })).fired).toEqual([]);
});

test.each<[string, Partial<Task>, Partial<ReminderJson>, boolean]>([
  ["has fired", {}, {}, true],
  ["is waiting", {}, { status: "pending" }, false],
  ["was dismissed", {}, { status: "dismissed" }, false],
  ["is of a completed task", { status: "completed" }, {}, false],
  ["is of a deleted task", { deleted_at: "2026-01-03T00:00:00Z" }, {}, false],
])("a reminder that %s", (_what, ofTask, ofReminder, shown) => {
  const state = fromSnapshot([task(ofTask)], [reminder({ status: "triggered", ...ofReminder })]);
  expect([isShown(state, "r1"), isShown(state, "r2")]).toEqual([shown, false]);
});

test("a reminder that fires in the same view that completes or deletes its task is not told", () => {
  const snapshot = fromSnapshot([task()], [reminder()]);
  const reminders = [reminder({ version: 2, status: "triggered" })];
  for (const over of [{ status: "completed" }, { deleted_at: "2026-01-03T00:00:00Z" }] as const)
    expect(applyView(snapshot, view({ version: 2, reminders, ...over })).fired).toEqual([]);
});

test("the answer of a request counts when its version is newer, and keeps the reminders", () => {
  const { state } = applyView(new Map(), view({ version: 2, view_version: 2, reminders: [reminder()] }));
  expect(applyAnswer(state, task({ version: 2, title: "stale" }))).toBe(state);
  const after = applyAnswer(state, task({ version: 3, status: "completed" }));
  expect(after.get("t1")?.task.status).toBe("completed");
  expect(after.get("t1")?.reminders.size).toBe(1);
  expect(
    applyReminder(after, reminder({ version: 5, status: "dismissed" }))
      .get("t1")
      ?.reminders.get("r1")?.status,
  ).toBe("dismissed");
});

test("a tab shows its tasks only, dated ones first, and never a deleted one", () => {
  const state = fromSnapshot(
    [
      task({ id: "undated" }),
      task({ id: "late", due_date: "2026-03-01T00:00:00Z" }),
      task({ id: "soon", due_date: "2026-02-01T00:00:00Z" }),
      task({ id: "done", status: "completed" }),
      task({ id: "gone", deleted_at: "2026-01-03T00:00:00Z" }),
      task({ id: "template", is_recurring_template: true }),
    ],
    [],
  );
  const ids = (filter: Parameters<typeof visible>[1]) => visible(state, filter).map((item) => item.task.id);
  expect(ids("open")).toEqual(["soon", "late", "undated"]);
  expect(ids("completed")).toEqual(["done"]);
  expect(ids("repeating")).toEqual(["template"]);
});
