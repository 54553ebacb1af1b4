import { pollUntil } from "../../shared/waiting/poll-until.ts";
import type { Sql } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import { awaitTasks } from "../../shared/tasks/await-tasks.ts";

const patienceMs = 2_000;

type FindTaskOptions = Readonly<{ userId: string; signal: AbortSignal }>;

/**
 * Resolves when the task is a live one of the user, known here, and its last change has become its reminders.
 * task-service's table says whether there is such a task, so unknown, foreign and deleted tasks are refused alike and
 * at once. It waits only for a task that must come (see `awaitTasks`), one whose creation is still on its way through
 * Kafka, and changes of the last 10 s (see `settle`). Throws TASK_NOT_FOUND, and UNAVAILABLE if the task has not
 * arrived by then.
 */
export async function findTask(sql: Sql, taskId: string, { userId, signal }: FindTaskOptions): Promise<void> {
  const isKnown = await pollUntil(
    async () => {
      const [task] = await sql<{ isKnown: boolean; isDeleted: boolean }[]>`
        select guard.task_id is not null as "isKnown", tasks.deleted_at is not null as "isDeleted"
        from tasks left join reminder_guards guard on guard.task_id = tasks.id and guard.user_id = tasks.user_id
        where tasks.id = ${taskId} and tasks.user_id = ${userId}`;
      if (task === undefined && (await awaitTasks(sql, { ids: [taskId], userId, signal }))) return null;
      if (task === undefined || task.isDeleted) throw new Problem("TASK_NOT_FOUND");
      return task.isKnown ? true : null;
    },
    { ms: patienceMs, signal },
  );
  if (isKnown === null)
    throw new Problem("UNAVAILABLE", "The task is not known to the reminders yet", { retryAfterSeconds: 1 });
  await settle(sql, taskId, { userId, signal });
}

/**
 * Waits, up to 2 s, until the last change of a task or of its user's preferences has become its reminders: the
 * scheduling worker has decided by it, and its command and the closing or reopening have arrived here. Only for changes
 * of the last 10 s: an older one that has not arrived is an outage, which must not slow down every request; the answer
 * is what is known then.
 */
export async function settle(sql: Sql, taskId: string, { userId, signal }: FindTaskOptions): Promise<void> {
  const isSettled = async () => {
    const [task] = await sql<{ isUnsettled: boolean }[]>`
      select ${unsettled(sql)} as "isUnsettled" from ${tasksAsHeard(sql)} where tasks.id = ${taskId} and tasks.user_id = ${userId}`;
    return task?.isUnsettled === true ? null : true;
  };
  await pollUntil(isSettled, { ms: patienceMs, signal });
}

function tasksAsHeard(sql: Sql) {
  return sql`tasks
    left join wanted_reminders wanted on wanted.task_id = tasks.id
    left join reminder_guards guard on guard.task_id = tasks.id`;
}

function unsettled(sql: Sql) {
  const isRecent = (at: ReturnType<Sql>) => sql`${at} > clock_timestamp() - interval '10 seconds'`;
  return sql`(
    (${isRecent(sql`tasks.updated_at`)} and (
      tasks.version > coalesce((wanted.folded ->> 'version')::bigint, 0)
      or guard.task_id is null
      or guard.closed <> (tasks.status = 'completed' or tasks.deleted_at is not null)))
    or (${isRecent(sql`greatest(tasks.updated_at, wanted.updated_at)`)}
      and wanted.commands > coalesce((guard.fields #>> '{wanted_rules,version}')::bigint, 0))
    or exists (
      select from preferences
      where user_id = tasks.user_id and redecide_after < tasks.id and ${isRecent(sql`preferences.updated_at`)}))`;
}

/**
 * The task of a user's reminder, settled as by `findTask`. A reminder that is not there yet is waited for, up to 2 s,
 * while tasks that the user made in the last 10 s, or the first occurrences of such templates, are not settled: the
 * answer to one of them may have named its id. Throws REMINDER_NOT_FOUND, also for another user's and, unless
 * `removed`, a deleted one.
 */
export async function findReminder(
  sql: Sql,
  { id, userId, signal, removed = false }: FindTaskOptions & Readonly<{ id: string; removed?: boolean }>,
): Promise<string> {
  const look = async () => {
    const [found] = await sql<{ taskId: string }[]>`
      select task_id as "taskId" from reminders
      where id = ${id} and user_id = ${userId} ${removed ? sql`` : sql`and reason is distinct from 'removed'`}`;
    return found?.taskId ?? null;
  };
  const taskId =
    (await look()) ??
    (
      await pollUntil(
        async () => {
          // Looked at first: what settles between the two would be missed.
          const mayCome = await isMaking(sql, userId);
          const found = await look();
          return found === null && mayCome ? null : { found };
        },
        { ms: patienceMs, signal },
      )
    )?.found;
  if (taskId === null || taskId === undefined) throw new Problem("REMINDER_NOT_FOUND");
  await settle(sql, taskId, { userId, signal });
  return taskId;
}

/** Of so many of the tasks made last it is asked whether their reminders are there. */
const lastMade = 200;

async function isMaking(sql: Sql, userId: string): Promise<boolean> {
  const [row] = await sql<{ isMaking: boolean }[]>`select exists (${tasksInMaking(sql, userId)}) as "isMaking"`;
  return row?.isMaking === true;
}

/**
 * The statement that finds them. The clock is read in a query of its own, else every task of the user would be compared
 * with it.
 */
export function tasksInMaking(sql: Sql, userId: string) {
  return sql`
    select from (
      select * from tasks
      where user_id = ${userId} and deleted_at is null
        and created_at > (select clock_timestamp()) - interval '10 seconds'
      order by created_at desc, id desc limit ${lastMade}) ${tasksAsHeard(sql)}
    where ${unsettled(sql)}
      or (first_occurrence is not null and not exists (select from tasks made where made.id = tasks.first_occurrence))`;
}
