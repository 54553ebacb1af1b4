import { findRecurrence, instantOf, plainId } from "../../shared/recurrence/find-recurrence.ts";
import { makeBreathe } from "../../shared/breathe.ts";
import type { Sql } from "../../shared/postgres/db.ts";
import { templateSchedule } from "./template-schedule.ts";
import { ownDue } from "../../shared/recurrence/recurrence-due.ts";
import { passesAt } from "./exception.ts";
import { findDates, isKept, keepDates, mostLookedAt, type Kept } from "./keep-dates.ts";
import { previewOccurrences, type PreviewOf, type Told } from "./preview-occurrences.ts";
import { readOccurrences } from "./read-occurrences.ts";
import { seriesView, type SeriesRow, type SeriesView } from "./series-view.ts";

const dayMs = 86_400_000;
/** Beyond it nothing recurs: see `makeRecurrences`. */
export const endOfTime = new Date(Date.UTC(2201, 0, 2));

/** ms of CPU one request may spend on finding dates out. */
const mostMs = 60;

/**
 * Series as they are shown, each with its next dates: those its row keeps, or, where the series or time has gone on since, found out anew
 * and kept. The first of them, as many as 60 ms of CPU find the dates of, one at least: the rest is for another request. Others get their
 * turn in between; once the signal is aborted nothing more is found out, and it rejects with the signal's reason.
 */
export async function tellSeries(
  sql: Sql,
  rows: readonly SeriesRow[],
  { now, signal }: Readonly<{ now: Date; signal: AbortSignal }>,
): Promise<readonly SeriesView[]> {
  signal.throwIfAborted();
  const known = new Map(rows.flatMap((row) => (isKept(row, now) ? [[row.id, row.kept] as const] : [])));
  const unknown = rows.filter(({ id }) => !known.has(id));
  if (unknown.length > 0) {
    const ids = unknown.map(({ id }) => id);
    const read = await readOccurrences(sql, { ids, from: now, to: endOfTime, limit: mostLookedAt });
    const breathe = makeBreathe();
    const found: Kept[] = [];
    let spentMs = 0;
    for (const row of unknown) {
      if (spentMs > mostMs) break;
      await breathe();
      // Nobody reads the answer any more: what was found is kept, and the rest not looked for.
      if (signal.aborted) break;
      const begun = process.cpuUsage();
      const template = templateSchedule(row.template);
      const dates = findDates(previewOf(row, read, { template, from: now, to: endOfTime, now }));
      found.push({ id: row.id, revision: row.revision, ...dates });
      known.set(row.id, dates.dates);
      spentMs += process.cpuUsage(begun).user / 1000;
    }
    await keepDates(sql, found);
    signal.throwIfAborted();
  }
  const told: SeriesView[] = [];
  for (const row of rows) {
    const dates = known.get(row.id);
    if (dates === undefined) break;
    told.push(seriesView(row, dates));
  }
  return told;
}

/**
 * The recurrences of one series that start in a time, at most `limit`, and where the rest begins: `null` where there is none.
 * Those without a task are told until `until` only, where it is given. Others get their turn between them; `signal` ends it.
 */
export async function tellOccurrences(
  sql: Sql,
  row: SeriesRow,
  range: Readonly<{ from: Date; to: Date; limit: number; now: Date; until?: Date; signal: AbortSignal }>,
): Promise<Readonly<{ told: readonly Told[]; nextFrom: Date | null }>> {
  const { from, to, limit, signal } = range;
  const read = await readOccurrences(sql, { ids: [row.id], from, to, limit: limit + 1 });
  const template = templateSchedule(row.template);
  const breathe = makeBreathe({ signal });
  const told: Told[] = [];
  for (const each of previewOccurrences(previewOf(row, read, { ...range, template })).take(limit + 1)) {
    told.push(each);
    await breathe();
  }
  return { told: told.slice(0, limit), nextFrom: told[limit]?.at ?? null };
}

/** One recurrence of a series; `null` where it is none. One from before the series began is told as missed. */
export async function tellOccurrence(
  sql: Sql,
  row: SeriesRow,
  { recurrenceId, now, signal }: Readonly<{ recurrenceId: string; now: Date; signal: AbortSignal }>,
): Promise<Told | null> {
  const schedule = templateSchedule(row.template)?.schedule ?? null;
  const at = instantOf(recurrenceId, schedule?.tz ?? "UTC");
  if (at === null) return null;
  const to = new Date(at.getTime() + dayMs);
  const { told } = await tellOccurrences(sql, row, { from: at, to, limit: 30, now, signal });
  const found = told.findLast((one) => plainId(one.recurrenceId) === recurrenceId);
  const recurrence = schedule === null ? null : findRecurrence(schedule, recurrenceId);
  if (found !== undefined || recurrence === null || schedule === null) return found ?? null;
  const due = ownDue(recurrence, schedule);
  const rest = { duePassesAt: passesAt(due, schedule.tz), moved: false, taskId: null, closedAt: null };
  return { recurrenceId, at, due, state: "missed", ...rest };
}

function previewOf(
  row: SeriesRow,
  read: Awaited<ReturnType<typeof readOccurrences>>,
  { template, from, to, now, until }: Pick<PreviewOf, "template" | "from" | "to" | "now" | "until">,
): PreviewOf {
  const { occurrences, exceptions, reached } = read(row.id);
  const ofKey = template === null ? null : (reached[template.key] ?? null);
  return { template, occurrences, exceptions, reached: ofKey, from, to, until, now };
}
