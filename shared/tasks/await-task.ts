import { pollUntil } from "../waiting/poll-until.ts";
import type { Sql } from "../postgres/db.ts";
import { Problem } from "../problem.ts";

const patienceMs = 3_000;

/**
 * Whether there is a task with this id of this user, deleted or not. One that is not there yet but must come is waited
 * for, up to 3 s: the first occurrence that the answer to a template's making named, and any that the recurring task
 * worker has asked for. Every other id is told at once; only computed ids (UUIDv5) are looked up at all. Throws
 * UNAVAILABLE where it must come and has not.
 */
export async function awaitTask(
  sql: Sql,
  { id, userId, signal }: Readonly<{ id: string; userId: string; signal: AbortSignal }>,
): Promise<boolean> {
  if (id[14] !== "5") return false;
  const isThere = await pollUntil(
    async () => {
      const [found] = await sql<{ isThere: boolean; isComing: boolean }[]>`
        select exists (select from tasks where id = ${id} and user_id = ${userId}) as "isThere",
          exists (
            select from tasks template
            where template.first_occurrence = ${id} and template.user_id = ${userId} and template.deleted_at is null
              and template.is_recurring_template
              and not exists (select from series where series.template_id = template.id))
          or exists (
            select from occurrences asked join series on series.id = asked.series_id
              join tasks template on template.id = series.template_id
            where asked.id = ${id} and series.user_id = ${userId} and asked.state <> 'deleted'
              and not asked.dropped and not asked.taken_back and template.deleted_at is null
              and template.is_recurring_template) as "isComing"`;
      if (found?.isThere === true) return true;
      return found?.isComing === true ? null : false;
    },
    { ms: patienceMs, signal },
  );
  if (isThere === null)
    throw new Problem("UNAVAILABLE", `The task ${id} is still being made`, { retryAfterSeconds: 1 });
  return isThere;
}
