import { readToldFloor } from "../../shared/postgres/told-floor.ts";
import { insertOutbox, outboxChannel, outboxRow, type Encoder } from "../../shared/outbox/outbox.ts";
import type { Db, Sql, Tx } from "../../shared/postgres/db.ts";
import type { ViewExamination, ViewDifference } from "../../shared/tasks/view-difference.ts";
import { fieldValue } from "../../shared/tasks/fold-fields.ts";
import { taskFieldNames } from "../../shared/tasks/task-fields.ts";
import { tasks } from "../../shared/tasks/task-table.ts";
import { taskView } from "../../shared/tasks/task-view.ts";
import { reminderViews } from "./fold-reminder.ts";
import { viewPayload, type View } from "./fold-view.ts";
import { saveViews } from "./store-views.ts";
import { viewOfTables, type ReminderFacts, type TaskFacts } from "./view-of-tables.ts";

type ViewPair = Readonly<{ view: View | null; rebuilt: View }>;
type PairRow = Readonly<{
  task: TaskFacts;
  reminders: readonly ReminderFacts[];
  view: Readonly<{
    user_id: string;
    folded: View["folded"];
    reminders: View["reminders"];
    view_version: number;
  }> | null;
}>;

const pageSize = 500;
const mendSize = 50;

/**
 * Compares every view with what the tables of tasks and reminders say, page by page, each page as one moment sees it.
 * What differs is looked at again until it has stayed the same for `settleMs`: the broadcaster hears of a change a
 * moment later.
 */
export async function examineViews(
  { db, settleMs, signal }: Readonly<{ db: Pick<Db, "sql">; settleMs: number; signal: AbortSignal }>,
  ids: readonly string[] | null = null,
): Promise<ViewExamination> {
  let examined = 0;
  let suspects = new Map<string, ViewDifference>();
  for (let after = "00000000-0000-0000-0000-000000000000"; !signal.aborted;) {
    const page = await readPairs(db.sql, { after, ids });
    examined += page.length;
    for (const pair of page) note(suspects, pair);
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) break;
    after = last.rebuilt.taskId;
  }
  if (suspects.size > 0 && settleMs > 0) {
    await Bun.sleep(settleMs);
    const still = new Map<string, ViewDifference>();
    const asked = [...suspects.keys()];
    for (let at = 0; at < asked.length; at += pageSize)
      for (const pair of await readPairs(db.sql, { after: null, ids: asked.slice(at, at + pageSize) }))
        note(still, pair);
    suspects = still;
  }
  return { examined, differences: [...suspects.values()] };
}

function note(into: Map<string, ViewDifference>, pair: ViewPair): void {
  const difference = differenceOf(pair);
  if (difference !== null) into.set(difference.taskId, difference);
}

/** Pure. Views are compared as people are shown them; how they came to be is not. */
function differenceOf({ view, rebuilt }: ViewPair): ViewDifference | null {
  const should = shown(rebuilt);
  const is = view === null ? {} : shown(view);
  const names = [...new Set([...Object.keys(should), ...Object.keys(is)])];
  const fields = names
    .filter((name) => !Bun.deepEquals(is[name], should[name]))
    .map((name) => ({ name, is: is[name] ?? null, should: should[name] ?? null }));
  if (fields.length === 0) return null;
  const isBehind =
    (view?.folded?.version ?? 0) < (rebuilt.folded?.version ?? 0) ||
    Object.entries(rebuilt.reminders).some(([id, { version }]) => (view?.reminders[id]?.version ?? 0) < version);
  return { taskId: rebuilt.taskId, isMissing: view === null, isBehind, fields };
}

function shown(view: View): Readonly<Record<string, unknown>> {
  if (view.folded === null) return {};
  return { ...taskView(view.folded), reminders: reminderViews(view.reminders, view.folded) };
}

/**
 * Writes these views anew from the tables and tells them, as any change is told: whoever follows a stream gets them
 * with a higher version. A view's row is locked before the tables are read, so nothing that is folded meanwhile is
 * lost; an event that comes afterwards and is in the tables already changes nothing. Resolves with the ids of those
 * that differed still.
 */
export async function mendViews(
  of: Readonly<{ db: Db; codec: Encoder; now: () => Date; correlationId: string; signal: AbortSignal }>,
  ids: readonly string[],
): Promise<readonly string[]> {
  const mended: string[] = [];
  for (let at = 0; at < ids.length && !of.signal.aborted; at += mendSize)
    mended.push(...(await mendPage(of, ids.slice(at, at + mendSize))));
  return mended;
}

async function mendPage(
  { db, codec, now, correlationId }: Parameters<typeof mendViews>[0],
  ids: readonly string[],
): Promise<readonly string[]> {
  const told = await db.transaction(async (tx) => {
    await tx`select from task_views where task_id = any(${[...ids]}::uuid[]) order by task_id for update`;
    // In a statement after the lock: it sees all that was folded before.
    const pairs = (await readPairs(tx, { after: null, ids })).filter((pair) => differenceOf(pair) !== null);
    const floor = await readToldFloor(tx);
    const views = pairs.map(({ rebuilt }) => ({ ...rebuilt, viewVersion: Math.max(rebuilt.viewVersion, floor) + 1 }));
    const known = new Map(pairs.flatMap(({ view }) => (view === null ? [] : [[view.taskId, view] as const])));
    await saveViews(tx, views, known);
    const time = now();
    const rows = views.map((view) =>
      outboxRow(codec, changeOf(view, known.has(view.taskId), time), {
        source: "task-update-broadcaster",
        correlationId,
        now: time,
      }),
    );
    await insertOutbox(tx, rows);
    return views.map(({ taskId }) => taskId);
  });
  if (told.length > 0) await db.sql`select pg_notify(${outboxChannel}, '')`;
  return told;
}

function changeOf(view: View, isKnown: boolean, timestamp: Date) {
  const { folded, taskId, userId, viewVersion } = view;
  if (folded === null) throw new Error(`the view of ${taskId} was rebuilt without its task`);
  const isDeleted = fieldValue(folded.fields, "deleted_at") !== null;
  return {
    type: "TaskChanged",
    key: userId,
    subject: taskId,
    sequence: viewVersion,
    data: {
      task_id: taskId,
      user_id: userId,
      change_type: isDeleted ? "deleted" : isKnown ? "updated" : "created",
      payload: viewPayload(folded, view),
      timestamp,
    },
  } as const;
}

function timeText(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** `'title', t.title` and so on, times as events say them. */
const taskFacts = (["id", "user_id", "version", ...taskFieldNames] as const)
  .map((name) => `'${name}', ${tasks[name].dataType === "date" ? timeText(`t.${name}`) : `t.${name}`}`)
  .join(", ");

/** Tasks, their reminders and their views of one moment, in order of id. */
async function readPairs(
  sql: Sql | Tx,
  { after, ids }: Readonly<{ after: string | null; ids: readonly string[] | null }>,
): Promise<readonly ViewPair[]> {
  const text = (column: string) => sql.unsafe(timeText(column));
  const rows = await sql<PairRow[]>`
    select json_build_object(${sql.unsafe(taskFacts)}) as task,
      coalesce((select json_agg(json_build_object(
          'id', r.id, 'user_id', r.user_id, 'version', r.version, 'rule', r.rule, 'remind_at', ${text("r.remind_at")},
          'snoozed_from', ${text("r.snoozed_from")}, 'drop_after', r.drop_after, 'status', r.status,
          'triggered_at', ${text("r.triggered_at")}, 'dismissed_at', ${text("r.dismissed_at")}, 'reason', r.reason,
          'generation', r.generation))
        from reminders r where r.task_id = t.id), '[]') as reminders,
      case when v.task_id is not null then json_build_object(
        'user_id', v.user_id, 'folded', v.folded, 'reminders', v.reminders, 'view_version', v.view_version) end as view
    from tasks t left join task_views v on v.task_id = t.id
    where (${after}::uuid is null or t.id > ${after}::uuid)
      and (${ids === null}::boolean or t.id = any(${[...(ids ?? [])]}::uuid[]))
    order by t.id limit ${pageSize}`;
  return rows.map(({ task, reminders, view }) => {
    const known: View | null =
      view === null
        ? null
        : {
            taskId: task.id,
            userId: view.user_id,
            folded: view.folded,
            reminders: view.reminders,
            viewVersion: Number(view.view_version),
          };
    return { view: known, rebuilt: viewOfTables(task, reminders, known) };
  });
}
