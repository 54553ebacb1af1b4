import { describe, expect, test } from "bun:test";
import { defaultPreferences } from "../../../shared/preferences/preferences.ts";
import type { BatchOperation } from "../../../workers/task-service/batch/batch-schema.ts";
import { foldBatch } from "../../../workers/task-service/batch/fold-batch.ts";
import { makeTasks } from "../../../workers/task-service/batch/make-tasks.ts";
import { resolveTargets } from "../../../workers/task-service/batch/resolve-targets.ts";
import type { TaskRow } from "../../../workers/task-service/task-row.ts";
import { taskRow } from "../../support/task-row.ts";

const userId = "0190a000-0000-7000-8000-00000000000a";
const now = new Date("2026-03-01T10:00:00Z");
const idOf = (n: number) => `0190a000-0000-7000-8000-0000000000${String(n).padStart(2, "0")}`;
const row = (n: number, over: Partial<TaskRow> = {}) => taskRow({ id: idOf(n), user_id: userId, ...over });

async function fold(operations: readonly BatchOperation[], rows: readonly TaskRow[], floor = 0) {
  const creates = operations.filter(({ op }) => op === "create").map((_, n) => idOf(90 + n));
  const targets = resolveTargets(operations, creates);
  const by = { targets, now, zone: null, choices: defaultPreferences };
  let turns = 0;
  const breathe = async () => void (turns += 1);
  const made = await makeTasks(operations, { ...by, userId, breathe });
  const folded = foldBatch(operations, { ...by, rows, made, floor });
  const told = folded.results.map((result) =>
    "id" in result
      ? `${result.status} ${result.id.slice(-2)} v${result.version}${result.task === undefined ? "" : " task"}`
      : `${result.problem.code} ${result.problem.extra.mistakes?.[0]?.path ?? result.problem.message}`,
  );
  return { ...folded, told, turns };
}
const events = ({ events }: Awaited<ReturnType<typeof fold>>) =>
  events.map(({ type, subject, sequence }) => `${type} ${subject.slice(-2)} ${sequence}`);
const versions = (rows: readonly TaskRow[]) => rows.map(({ id, version }) => `${id.slice(-2)} ${version}`);

describe("operations in memory", () => {
  test("see what those before them did, and a task is shown by the last that names it", async () => {
    const done = await fold(
      [
        { op: "create", temp_id: "a", task: { title: "a" } },
        { op: "complete", id: idOf(1) },
        { op: "update", id: "$a", patch: { title: "b" } },
        { op: "complete", id: "$a" },
        { op: "reopen", id: idOf(1).toUpperCase() },
        { op: "create", task: { title: "c" } },
      ],
      [row(1, { version: 7 })],
    );
    expect(done.told).toEqual([
      "201 90 v1 task",
      "200 01 v8",
      "200 90 v2",
      "200 90 v3 task",
      "200 01 v9 task",
      "201 91 v1 task",
    ]);
    expect(events(done)).toEqual(["TaskCompleted 01 8", "TaskUpdated 90 2", "TaskCompleted 90 3", "TaskUpdated 01 9"]);
    // Others have their turn before each that is made.
    expect(done.turns).toBe(2);
    // A create is stored as it was made; what became of it is stored after it.
    expect(versions(done.created.map(({ row: made }) => made))).toEqual(["90 1", "91 1"]);
    expect(versions(done.patched)).toEqual(["90 3"]);
    expect(versions(done.restated)).toEqual(["01 9"]);
  });

  test("that change nothing make no version and no row to write", async () => {
    const done = await fold(
      [
        { op: "reopen", id: idOf(1) },
        { op: "update", id: idOf(1), patch: { title: "task" } },
        { op: "delete", id: idOf(2) },
      ],
      [row(1), row(2, { deleted_at: now })],
    );
    expect(done.told).toEqual(["200 01 v1", "200 01 v1 task", "204 02 v1"]);
    expect([done.events, done.patched, done.restated]).toEqual([[], [], []]);
  });

  test("after the database went back in time get versions above the floor, one after another", async () => {
    const done = await fold(
      [
        { op: "complete", id: idOf(1) },
        { op: "reopen", id: idOf(1) },
      ],
      [row(1)],
      1000,
    );
    expect(events(done)).toEqual(["TaskCompleted 01 1001", "TaskUpdated 01 1002"]);
  });
});

test("an operation that fails leaves the task as it was for those after it", async () => {
  const done = await fold(
    [
      { op: "update", id: idOf(1), patch: { title: "x", is_recurring_template: true } },
      { op: "complete", id: idOf(1), if_match: 2 },
      { op: "complete", id: idOf(1), if_match: 1 },
      { op: "delete", id: idOf(1), if_match: 2 },
      { op: "delete", id: idOf(1), if_match: 1 },
      { op: "update", id: idOf(1), patch: {} },
      { op: "create", temp_id: "a", task: { title: "a", is_recurring_template: true } },
      { op: "delete", id: "$a" },
    ],
    [row(1)],
  );
  expect(done.told).toEqual([
    "INVALID_REQUEST /operations/0/patch/is_recurring_template",
    "VERSION_MISMATCH The task is at version 1",
    "200 01 v2",
    "204 01 v3",
    "204 01 v3",
    `TASK_NOT_FOUND There is no task ${idOf(1)}`,
    "INVALID_REQUEST /operations/6/task/is_recurring_template",
    "DEPENDENCY_FAILED The create at /operations/6 failed",
  ]);
});

test("what a task is now is told by the last operation alone, however many are refused", async () => {
  const stale = { op: "complete" as const, id: idOf(1), if_match: 9 };
  const { results } = await fold([stale, stale, stale], [row(1)]);
  expect(results.map((result) => "problem" in result && result.problem.extra.current !== undefined)).toEqual([
    false,
    false,
    true,
  ]);
});
