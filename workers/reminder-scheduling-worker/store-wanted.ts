import type { Tx } from "../../shared/postgres/db.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import { nothingKnown, type WantedState } from "./decide-wanted.ts";

/** What is known of some tasks, and whose each of them is. */
type LoadedTasks = Readonly<{ states: ReadonlyMap<string, WantedState>; owners: ReadonlyMap<string, string> }>;

/**
 * What is known of these tasks, each row locked until the transaction ends, in id order. A task not known yet gets its
 * row first, so that two instances in the middle of a rebalance cannot both begin it; it belongs to whom task-service's
 * table says, else to the given user.
 */
export async function loadWanted(tx: Tx, tasks: ReadonlyMap<string, { userId: string }>): Promise<LoadedTasks> {
  const ids = [...tasks.keys()].sort();
  await tx`
    insert into wanted_reminders (task_id, user_id)
    select asked.task_id, coalesce(tasks.user_id, asked.user_id)
    from unnest(${ids}::uuid[], ${ids.map((id) => tasks.get(id)?.userId ?? null)}::uuid[]) as asked (task_id, user_id)
    left join tasks on tasks.id = asked.task_id
    order by asked.task_id
    on conflict (task_id) do nothing`;
  const rows = await tx<
    { task_id: string; user_id: string; folded: FoldedTask | null; wanted: string | null; commands: number }[]
  >`
    select task_id, user_id, folded, wanted, commands::int as commands
    from wanted_reminders
    where task_id = any(${ids}::uuid[])
    order by task_id
    for update`;
  const found = new Map<string, WantedState>(rows.map(({ task_id, user_id: _owner, ...state }) => [task_id, state]));
  return {
    states: new Map(ids.map((id) => [id, found.get(id) ?? nothingKnown])),
    owners: new Map(rows.map(({ task_id, user_id }) => [task_id, user_id])),
  };
}

/** The next tasks of a user, in id order, that want something, each row locked until the transaction ends. */
export async function lockWantedAfter(
  tx: Tx,
  { userId, after, limit }: Readonly<{ userId: string; after: string; limit: number }>,
): Promise<ReadonlyMap<string, WantedState>> {
  const rows = await tx<({ task_id: string } & WantedState)[]>`
    select task_id, folded, wanted, commands::int as commands
    from wanted_reminders
    where user_id = ${userId} and task_id > ${after} and wanted is not null
    order by task_id limit ${limit}
    for update`;
  return new Map(rows.map(({ task_id, ...state }) => [task_id, state]));
}

/**
 * The next tasks in id order, of everybody, that want something and whose due has not passed for a day, each row locked
 * until the transaction ends, and whose they are.
 */
export async function lockAllWantedAfter(
  tx: Tx,
  { after, limit }: Readonly<{ after: string; limit: number }>,
): Promise<LoadedTasks> {
  const rows = await tx<({ task_id: string; user_id: string } & WantedState)[]>`
    select task_id, user_id, folded, wanted, commands::int as commands
    from wanted_reminders
    where task_id > ${after} and split_part(wanted, ' ', 2)::timestamptz > clock_timestamp() - interval '1 day'
    order by task_id limit ${limit}
    for update`;
  return {
    states: new Map(rows.map(({ task_id, user_id: _owner, ...state }) => [task_id, state])),
    owners: new Map(rows.map(({ task_id, user_id }) => [task_id, user_id])),
  };
}

/** Writes states loaded and locked before, in one statement. */
export async function saveWanted(tx: Tx, states: ReadonlyMap<string, WantedState>): Promise<void> {
  if (states.size === 0) return;
  const rows = [...states];
  await tx`
    update wanted_reminders
    set folded = state.folded::jsonb, wanted = state.wanted, commands = state.commands, updated_at = clock_timestamp()
    from unnest(
      ${rows.map(([id]) => id)}::uuid[],
      ${rows.map(([, state]) => JSON.stringify(state.folded))}::text[],
      ${rows.map(([, state]) => state.wanted)}::text[],
      ${rows.map(([, state]) => String(state.commands))}::bigint[]
    ) as state (task_id, folded, wanted, commands)
    where wanted_reminders.task_id = state.task_id`;
}
