import { etagOf, matches } from "../../../shared/http/if-match.ts";
import type { Message } from "../../../shared/messages/message.ts";
import { Problem } from "../../../shared/problem.ts";
import type { TaskPatch } from "../../../shared/tasks/task-input.ts";
import { makesPlain } from "../decide-plain.ts";
import { decideComplete, decideDelete, decidePatch, decideReopen, type Decide } from "../decide-task.ts";
import { saysReminders } from "../patch-traits.ts";
import { viewOfRow, type TaskRow } from "../task-row.ts";
import { notFound, raised } from "../write-task.ts";
import type { BatchOperation } from "./batch-schema.ts";
import type { MadeTask } from "./make-tasks.ts";

/** What the operations are done to. */
type BatchStart = Readonly<{
  /** Which task each operation is about: see `resolveTargets`. */
  targets: readonly string[];
  /** The tasks of the user among them, tombstones too. */
  rows: readonly TaskRow[];
  /** See `makeTasks`. */
  made: ReadonlyMap<string, MadeTask | Problem>;
  now: Date;
  /** The user's, for what names none; `null` for a user who has chosen none. */
  zone: string | null;
  /** The next version of a changed task is above it: see `TaskSnapshot`. */
  floor: number;
}>;

/** What one operation does, or why it does nothing. `task` is the body that the request by itself would answer. */
export type FoldedOperation =
  | Readonly<{
      status: 200 | 201 | 204;
      id: string;
      version: number;
      task?: object;
      /** The task, where the answer is still to tell which of its rules make no reminder: see `tellUnset`. */
      reminded?: TaskRow;
    }>
  | Readonly<{ problem: Problem }>;

export type BatchOutcome = Readonly<{
  /** One for each operation, in the same order. */
  results: readonly FoldedOperation[];
  /** New tasks as they were made, in order. */
  created: readonly MadeTask[];
  /** The newest row of each task that a patch changed, also of new ones that were changed afterwards. */
  patched: readonly TaskRow[];
  /** The same of those that were only completed, reopened or deleted. */
  restated: readonly TaskRow[];
  /** The events of the changes, in order; versions of a task follow one another. A create's is `taskCreated`. */
  events: readonly Message[];
}>;

type ChangeOperation = Exclude<BatchOperation, { op: "create" }>;

/**
 * Does operations one after another to rows in memory: each sees what those before it did. Pure. Every operation gives
 * what the same request by itself would have given at its turn, so one that fails changes nothing; its mistakes point
 * into the body of the batch. `task`, and `current` of a VERSION_MISMATCH, stand only where no later operation names
 * the task: 500 operations on one task do not answer it 500 times.
 */
export function foldBatch(operations: readonly BatchOperation[], start: BatchStart): BatchOutcome {
  const { targets, now, zone } = start;
  const rows = new Map(start.rows.map((row) => [row.id, row]));
  const lastAt = new Map(targets.map((id, at) => [id, at]));
  const created: MadeTask[] = [];
  const patched = new Set<string>();
  const restated = new Set<string>();
  const events: Message[] = [];
  /** Creates that failed, by id, and where they stand. */
  const failed = new Map<string, number>();

  const create = (id: string): FoldedOperation => {
    const made = start.made.get(id);
    if (made === undefined || made instanceof Problem) throw made ?? new Error(`nothing was made of ${id}`);
    const { row, coming } = made;
    created.push(made);
    rows.set(id, row);
    return { status: 201, id, version: row.version, task: { ...viewOfRow(row), ...coming } };
  };
  const change = (operation: ChangeOperation, id: string, isLast: boolean): FoldedOperation => {
    const failedAt = failed.get(id);
    if (failedAt !== undefined) throw new Problem("DEPENDENCY_FAILED", `The create at /operations/${failedAt} failed`);
    const row = rows.get(id);
    const isDelete = operation.op === "delete";
    if (row === undefined || (row.deleted_at !== null && !isDelete)) throw notFound(id);
    const { if_match: wanted } = operation;
    if (row.deleted_at === null && wanted !== undefined && !matches([etagOf(wanted)], row.version))
      throw new Problem(
        "VERSION_MISMATCH",
        `The task is at version ${row.version}`,
        isLast ? { current: viewOfRow(row) } : {},
      );
    const next = raised(decisionOf(operation, zone)(row, now), start.floor);
    if (next.event !== null) {
      rows.set(id, next.row);
      (operation.op === "update" ? patched : restated).add(id);
      events.push(next.event);
    }
    const done = { id, version: next.row.version };
    if (isDelete) return { status: 204, ...done };
    if (!isLast) return { status: 200, ...done };
    const asksReminders = operation.op === "update" && saysReminders(operation.patch);
    return { status: 200, ...done, task: viewOfRow(next.row), ...(asksReminders ? { reminded: next.row } : {}) };
  };

  const results = operations.map((operation, at): FoldedOperation => {
    const id = targets[at] ?? "";
    try {
      if (operation.op === "create") return create(id);
      return change(operation, id, lastAt.get(id) === at);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (operation.op === "create") failed.set(id, at);
      return { problem: pointedInto(error, `/operations/${at}/${operation.op === "create" ? "task" : "patch"}`) };
    }
  });
  const newest = (ids: Iterable<string>) => [...ids].flatMap((id) => rows.get(id) ?? []);
  return { results, created, patched: newest(patched), restated: newest(restated.difference(patched)), events };
}

function decisionOf(operation: ChangeOperation, zone: string | null): Decide {
  switch (operation.op) {
    case "update":
      return (row, now) => {
        refuseSeriesChange(operation.patch, row);
        return decidePatch(operation.patch, zone)(row, now);
      };
    case "complete":
      return decideComplete;
    case "reopen":
      return decideReopen;
    case "delete":
      return decideDelete;
  }
}

/** A template that gets another pattern, or none, is changed with its open occurrences, which a batch does not lock. */
function refuseSeriesChange(patch: TaskPatch, row: TaskRow): void {
  if (!row.is_recurring_template || !(patch.recurrence_pattern || makesPlain(patch))) return;
  const path = patch.recurrence_pattern === undefined ? "/is_recurring_template" : "/recurrence_pattern";
  const message = "changes the open occurrences of the template too: send it by itself, as PATCH /v1/tasks/{id}";
  throw new Problem("INVALID_REQUEST", undefined, { mistakes: [{ path, message }] });
}

function pointedInto(problem: Problem, pointer: string): Problem {
  const { mistakes, ...extra } = problem.extra;
  if (mistakes === undefined) return problem;
  const placed = mistakes.map(({ path, message }) => ({ path: path === "/" ? pointer : pointer + path, message }));
  return new Problem(problem.code, undefined, { ...extra, mistakes: placed });
}
