import { pollUntil } from "../../shared/waiting/poll-until.ts";
import type { Sql } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import { findSeries } from "./list-series.ts";
import type { SeriesViewRow } from "./series-view.ts";

const patienceMs = 3_000;

/**
 * `coming`: a live template whose series is not begun; `behind`: changed since, in a way not heard of here; `gone`:
 * deleted.
 */
type SeriesFreshness = "coming" | "behind" | "gone" | "current";

/**
 * Reads one series of a user, once it is up to date with task-service's table. It waits up to 3 s for changes made
 * there in the last 10 s, and then goes on with what is known. Older changes that have not arrived are an outage, which
 * must not slow down every request. Throws SERIES_NOT_FOUND at once for a series that is not this user's, never was or
 * was deleted, and UNAVAILABLE if a template has no series yet.
 */
export async function awaitSeries(
  sql: Sql,
  { id, userId, signal }: Readonly<{ id: string; userId: string; signal: AbortSignal }>,
): Promise<SeriesViewRow> {
  let standing = await readStanding(sql, id, userId);
  const isHeard = async () => {
    standing = await readStanding(sql, id, userId);
    return standing === "current" || standing === "gone" ? standing : null;
  };
  if (standing === "coming" || standing === "behind") await pollUntil(isHeard, { ms: patienceMs, signal });
  if (standing === "gone") throw new Problem("SERIES_NOT_FOUND");
  const found = await findSeries(sql, id, userId);
  if (found !== null) return found;
  if (standing === "coming")
    throw new Problem("UNAVAILABLE", "The series is still being begun", { retryAfterSeconds: 1 });
  throw new Problem("SERIES_NOT_FOUND");
}

/** Of a template that task-service does not know, what is known here counts. */
async function readStanding(sql: Sql, id: string, userId: string): Promise<SeriesFreshness> {
  const [row] = await sql<{ isGone: boolean; isComing: boolean; isBehind: boolean }[]>`
    select template.deleted_at is not null as "isGone",
      template.is_recurring_template and series.id is null as "isComing",
      ${isNewer(sql, sql`template`)} or exists (
        select from occurrences asked join tasks on tasks.id = asked.id join followed_tasks known on known.task_id = asked.id
        where asked.series_id = series.id and asked.state = 'open' and ${isNewer(sql, sql`tasks`)}) as "isBehind"
    from tasks template
      left join followed_tasks known on known.task_id = template.id
      left join series on series.id = template.id
    where template.id = ${id} and template.user_id = ${userId}`;
  if (row === undefined) return "current";
  if (row.isGone) return "gone";
  return row.isComing ? "coming" : row.isBehind ? "behind" : "current";
}

/** Whether a task has been changed just now, and the fold kept of it here does not know. */
function isNewer(sql: Sql, task: ReturnType<Sql>) {
  return sql`(${task}.version > coalesce((known.folded ->> 'version')::bigint, 0)
    and ${task}.updated_at > clock_timestamp() - interval '10 seconds')`;
}
