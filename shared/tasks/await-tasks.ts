import { pollUntil } from "../waiting/poll-until.ts";
import type { Sql } from "../postgres/db.ts";
import { Problem } from "../problem.ts";

const patienceMs = 3_000;

/**
 * Whether there is a task with one of these ids of this user, deleted or not. Those that are not there yet but must
 * come are waited for, up to 3 s: the first occurrence that the answer to a template's making named, and any that the
 * recurring task worker has asked for. Every other id is told at once; only computed ids (UUIDv5) are looked up at all.
 * Throws UNAVAILABLE where one must come and has not.
 */
export async function awaitTasks(
  sql: Sql,
  { ids, userId, signal }: Readonly<{ ids: readonly string[]; userId: string; signal: AbortSignal }>,
): Promise<boolean> {
  const computed = ids.filter((id) => id[14] === "5");
  if (computed.length === 0) return false;
  const isThere = await pollUntil(
    async () => {
      const found = await sql<{ isThere: boolean; isComing: boolean }[]>`
        select exists (select from tasks where id = named.id and user_id = ${userId}) as "isThere",
          exists (
            select from tasks template
            where template.first_occurrence = named.id and template.user_id = ${userId} and template.deleted_at is null
              and template.is_recurring_template
              and not exists (select from series where series.template_id = template.id))
          or exists (
            select from occurrences asked join series on series.id = asked.series_id
              join tasks template on template.id = series.template_id
            where asked.id = named.id and series.user_id = ${userId} and asked.state <> 'deleted'
              and not asked.dropped and not asked.taken_back and template.deleted_at is null
              and template.is_recurring_template) as "isComing"
        from unnest(${computed}::uuid[]) as named(id)`;
      if (found.some((task) => task.isComing && !task.isThere)) return null;
      return found.some((task) => task.isThere);
    },
    { ms: patienceMs, signal },
  );
  if (isThere === null)
    throw new Problem("UNAVAILABLE", `${namedShortly(computed)} still being made`, { retryAfterSeconds: 1 });
  return isThere;
}

function namedShortly(ids: readonly string[]): string {
  return ids.length === 1 ? `The task ${ids[0]} is` : "A task is";
}
