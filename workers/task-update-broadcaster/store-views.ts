import type { Tx } from "../../shared/postgres/db.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import type { FoldedReminders } from "./fold-reminder.ts";
import type { View } from "./fold-view.ts";

type ViewRow = Readonly<{
  task_id: string;
  user_id: string;
  folded: FoldedTask | null;
  reminders: FoldedReminders;
  view_version: string | number;
}>;

/** The views of these tasks, locked in id order until the transaction ends; a task without a row is missing. */
export async function loadViews(tx: Tx, taskIds: readonly string[]): Promise<ReadonlyMap<string, View>> {
  const rows = await tx<ViewRow[]>`
    select task_id, user_id, folded, reminders, view_version
    from task_views
    where task_id = any(${[...taskIds]}::uuid[])
    order by task_id
    for update`;
  return new Map(
    rows.map(({ task_id, user_id, folded, reminders, view_version }) => [
      task_id,
      { taskId: task_id, userId: user_id, folded, reminders, viewVersion: Number(view_version) },
    ]),
  );
}

/**
 * Writes views in one statement. `loaded` is what `loadViews` gave in the same transaction: those rows are locked by
 * it. The others must be new; a task's events and its reminders are read by different instances, so both may make the
 * row at once. The second then throws with the code of a serialization failure, and runs again on the row of the first.
 */
export async function saveViews(tx: Tx, views: readonly View[], loaded: ReadonlyMap<string, View>): Promise<void> {
  if (views.length === 0) return;
  const [row] = await tx<{ written: number }[]>`
    with incoming as (
      select task_id, user_id, folded::jsonb, reminders::jsonb, view_version,
        task_id = any(${[...loaded.keys()]}::uuid[]) as is_known
      from unnest(
        ${views.map((view) => view.taskId)}::uuid[],
        ${views.map((view) => view.userId)}::uuid[],
        ${views.map((view) => (view.folded === null ? null : JSON.stringify(view.folded)))}::text[],
        ${views.map((view) => JSON.stringify(view.reminders))}::text[],
        ${views.map((view) => String(view.viewVersion))}::bigint[]
      ) as view (task_id, user_id, folded, reminders, view_version)
    ), updated as (
      update task_views
      set user_id = incoming.user_id, folded = incoming.folded, reminders = incoming.reminders,
        view_version = incoming.view_version, updated_at = clock_timestamp()
      from incoming
      where task_views.task_id = incoming.task_id and is_known
      returning 1
    ), added as (
      insert into task_views (task_id, user_id, folded, reminders, view_version)
      select task_id, user_id, folded, reminders, view_version from incoming where not is_known order by task_id
      on conflict (task_id) do nothing
      returning 1
    )
    select ((select count(*) from updated) + (select count(*) from added))::int as written`;
  if (row?.written !== views.length)
    throw Object.assign(new Error("another instance made the view row of a task of this batch"), { code: "40001" });
}
