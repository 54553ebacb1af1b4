import { replayOf } from "../../../shared/http/request-key.ts";
import type { Message } from "../../../shared/messages/message.ts";
import type { OutboxRow } from "../../../shared/outbox/outbox.ts";
import { defaultPreferences } from "../../../shared/preferences/preferences.ts";
import { Problem, problemDocument, problems } from "../../../shared/problem.ts";
import type { ReminderChoices } from "../../../shared/reminders/resolve-reminders.ts";
import { makeBreathe } from "../../../shared/waiting/breathe.ts";
import type { TaskAnswer } from "../answer.ts";
import { isRace } from "../change-series.ts";
import { taskCreated } from "../decide-task.ts";
import { needsZone, opensAtOnce, saysReminders } from "../patch-traits.ts";
import { waitFor, type WriteDeps, type Writer, type WriteResult } from "../write-task.ts";
import type { BatchOperation } from "./batch-schema.ts";
import { foldBatch, type BatchOutcome } from "./fold-batch.ts";
import { makeTasks } from "./make-tasks.ts";
import type { OpenBatch } from "./open-batch.ts";
import { tellUnset } from "./tell-unset.ts";
import { resolveTargets } from "./resolve-targets.ts";

export type BatchDeps = Pick<WriteDeps, "now" | "encode" | "notify" | "quota" | "readKept"> &
  Readonly<{
    openBatch: OpenBatch;
    newId: (now: Date) => string;
    readZone: (userId: string) => Promise<string | null>;
    readChoices: (userId: string) => Promise<ReminderChoices>;
    /** See `awaitTasks`. */
    awaitTasks: (asked: Readonly<{ ids: readonly string[]; userId: string; signal: AbortSignal }>) => Promise<boolean>;
    oneAtATime: <T>(key: string, work: () => Promise<T>) => Promise<T>;
  }>;

type BatchRequest = Readonly<{
  atomic: boolean;
  operations: readonly BatchOperation[];
  /** The id of the request, which its problems name. */
  requestId: string;
  signal: AbortSignal;
}>;

const maxAttempts = 5;
const noTask = "00000000-0000-0000-0000-000000000000";

/**
 * Does many operations in one transaction, with one event for each change, and answers what became of each. With a key
 * that has an answer, gives that again and does nothing; the answer is committed with what it tells. The batches of a
 * user run one after another in a process: one user's do not take its connections.
 * Throws BATCH_NOT_DONE for an atomic batch with an operation that fails, QUOTA_EXCEEDED where there is no room for all
 * it may add, and UNAVAILABLE where a task that it names is still being made or changed by too many: nothing was done.
 */
export function runBatch(deps: BatchDeps, writer: Writer, request: BatchRequest): Promise<WriteResult> {
  const { userId, key } = writer;
  const work = async (): Promise<WriteResult> => {
    const kept = key === null ? null : await deps.readKept(userId, key.key);
    if (kept !== null && key !== null) return { answer: await replayOf(kept, key), replayed: true };
    // Looked at before the transaction, which has a connection already.
    const within = deps.quota.within(userId, mostAdded(request.operations), () => tryBatch(deps, writer, request));
    const done = await within.catch(async (error: unknown): Promise<WriteResult> => {
      // What another process has done under the key meanwhile is answered whatever there is by now.
      const isFull = error instanceof Problem && error.code === "QUOTA_EXCEEDED";
      const again = isFull && key !== null ? await deps.readKept(userId, key.key) : null;
      if (again === null || key === null) throw error;
      return { answer: await replayOf(again, key), replayed: true };
    });
    // What it really added is known to the database alone.
    if (!done.replayed && done.events !== 0) deps.quota.forget(userId);
    return done;
  };
  return waitFor(key, deps.oneAtATime(`${userId} batch`, work));
}

async function tryBatch(deps: BatchDeps, writer: Writer, request: BatchRequest): Promise<WriteResult> {
  const { userId, key } = writer;
  const { operations } = request;
  const asks = operations.map((operation) => (operation.op === "create" ? operation.task : patchOf(operation)));
  const zone = asks.some(needsZone) ? await deps.readZone(userId) : null;
  const remind = asks.some((asked) => saysReminders(asked) || asked.recurrence_pattern);
  const choices = remind ? await deps.readChoices(userId) : defaultPreferences;
  const before = deps.now();
  const newIds = operations.filter(({ op }) => op === "create").map(() => deps.newId(before));
  // They rise in the order of the creates, so a list has the tasks in that order.
  const targets = resolveTargets(operations, newIds.toSorted());
  const breathe = makeBreathe({ signal: request.signal });
  const made = await makeTasks(operations, { targets, userId, now: before, zone, choices, breathe });
  const ids = [...new Set(targets)].filter((id) => !made.has(id));
  let isAwaited = false;
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    try {
      const outcome = await deps.openBatch(userId, { ids, key: key?.key ?? null }, async (batch) => {
        if (batch.kept !== null && key !== null)
          return { result: { answer: await replayOf(batch.kept, key), replayed: true }, wrote: false };
        const known = new Set(batch.rows.map(({ id }) => id));
        const missing = ids.filter((id) => !known.has(id));
        if (missing.length > 0 && !isAwaited) return { missing };
        const now = deps.now();
        const decided = foldBatch(operations, { ...batch, targets, made, now, zone });
        if (request.atomic) refuseFailed(decided, request);
        const folded = { ...decided, results: await tellUnset(decided.results, choices, breathe) };
        const encode = (event: Message) => deps.encode(event, { ...writer, now });
        const creations = [];
        for (const { row, coming } of folded.created)
          creations.push({
            row,
            firstOccurrence: coming.first_occurrence?.id ?? null,
            event: await encode(taskCreated(row)),
            keep: null,
          });
        const events: OutboxRow[] = [];
        for (const event of folded.events) events.push(await encode(event));
        const answer = answerOf(folded, request);
        const keep = key === null ? null : { ...key, answer };
        await batch.store({ ...folded, creations, events, keep });
        const wrote = creations.length + events.length > 0;
        return { result: { answer, replayed: false, events: eventsOf(folded, request) }, wrote };
      });
      if (outcome.missing === undefined) {
        if (outcome.wrote) deps.notify();
        return outcome.result;
      }
      await deps.awaitTasks({ ids: outcome.missing, userId, signal: request.signal });
      isAwaited = true;
    } catch (error) {
      // Lost against another change of the same tasks, or against the same request sent twice: looked at again from the
      // start.
      if (!isRace(error)) throw error;
    }
  }
  throw new Problem("UNAVAILABLE", "The tasks are being changed by too many at once", { retryAfterSeconds: 1 });
}

function patchOf(operation: BatchOperation): Extract<BatchOperation, { op: "update" }>["patch"] {
  return operation.op === "update" ? operation.patch : {};
}

/** What a batch adds at most to what its user has; what it takes away counts once it is done. */
function mostAdded(operations: readonly BatchOperation[]) {
  const creates = operations.flatMap((operation) => (operation.op === "create" ? [operation.task] : []));
  const made = creates.filter((task) => task.recurrence_pattern).length;
  const turned = operations.filter((operation) => patchOf(operation).recurrence_pattern).length;
  const reopened = operations.filter(({ op }) => op === "reopen").length;
  return { kept: creates.length, open: creates.length - made + reopened, templates: made + turned };
}

/** How many events it makes: its own, and what patterns make at once of what their series has missed. */
function eventsOf({ results, created, events }: BatchOutcome, { operations }: BatchRequest): number {
  const opened = operations.map((operation, at) => {
    const isDone = "id" in (results[at] ?? {});
    const pattern =
      operation.op === "create" ? operation.task.recurrence_pattern : patchOf(operation).recurrence_pattern;
    return isDone ? opensAtOnce(pattern) - 1 : 0;
  });
  return opened.reduce((sum, more) => sum + more, created.length + events.length);
}

function answerOf({ results }: BatchOutcome, { operations, requestId }: BatchRequest): TaskAnswer {
  // From entries: an object takes no own property by the name of __proto__ otherwise.
  const named = operations.flatMap((operation, at): readonly (readonly [string, string])[] => {
    const result = results[at];
    if (operation.op !== "create" || operation.temp_id === undefined) return [];
    return result !== undefined && "id" in result ? [[operation.temp_id, result.id]] : [];
  });
  const told = results.map((result) => ("id" in result ? result : refusal(result.problem, requestId)));
  const [first] = results.flatMap((result) => ("id" in result ? [result.id] : []));
  const body = JSON.stringify({ results: told, temp_ids: Object.fromEntries(named) });
  return { status: 200, taskId: first ?? noTask, version: null, body };
}

function refusal(problem: Problem, requestId: string) {
  return { status: problems[problem.code].status, problem: problemDocument(problem, requestId) };
}

/**
 * Throws BATCH_NOT_DONE where an operation failed, with the problem of each; the others are told why they were not
 * done.
 */
function refuseFailed({ results }: BatchOutcome, { requestId }: BatchRequest): void {
  const failedAt = results.findIndex((result) => "problem" in result);
  if (failedAt < 0) return;
  const undone = new Problem("DEPENDENCY_FAILED", `Not done, because the operation at /operations/${failedAt} failed`);
  const refusals = results.map((result) => refusal("problem" in result ? result.problem : undone, requestId));
  const mistakes = results.flatMap((result, at) =>
    "problem" in result
      ? [{ path: `/operations/${at}`, message: `failed: ${String(refusals[at]?.problem["detail"])}` }]
      : [],
  );
  throw new Problem("BATCH_NOT_DONE", undefined, { mistakes, results: refusals });
}
