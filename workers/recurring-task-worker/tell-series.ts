import { findRecurrence, instantOf, plainId } from "../../shared/recurrence/find-recurrence.ts";
import { standsFor } from "../../shared/recurrence/place-in.ts";
import { makeBreathe } from "../../shared/waiting/breathe.ts";
import type { Sql } from "../../shared/postgres/db.ts";
import { templateSchedule } from "./template-schedule.ts";
import { beginsFrom } from "../../shared/recurrence/passing.ts";
import { ownDue } from "../../shared/recurrence/recurrence-due.ts";
import { passesAt } from "./exception.ts";
import { findDates, isKept, keepDates, mostLookedAt, type ComputedDates } from "./keep-dates.ts";
import { previewOccurrences, type PreviewOf, type RecurrenceView } from "./preview-occurrences.ts";
import { readOccurrences } from "./read-occurrences.ts";
import { seriesView, type SeriesViewRow, type SeriesView } from "./series-view.ts";

const dayMs = 86_400_000;
/** Beyond it nothing recurs: see `makeRecurrences`. */
export const endOfTime = new Date(Date.UTC(2201, 0, 2));

/** ms of CPU one request may spend on finding dates out. */
const mostMs = 60;

/**
 * `cpuMs`: the CPU time this process has used so far, in ms; where nothing tells it, the time that passes stands for
 * it.
 */
type TellOptions = Readonly<{ now: Date; signal: AbortSignal; cpuMs?: () => number }>;

/**
 * Series as they are shown, each with its next dates: those stored in its row or, if the series or time has gone on
 * since, computed again and stored. It computes for 60 ms of CPU, at least one series, and leaves the rest to another
 * request. Other requests get their turn in between; when the signal is aborted it rejects with the signal's reason.
 */
export async function tellSeries(
  sql: Sql,
  rows: readonly SeriesViewRow[],
  { now, signal, cpuMs = () => performance.now() }: TellOptions,
): Promise<readonly SeriesView[]> {
  signal.throwIfAborted();
  const known = new Map(rows.flatMap((row) => (isKept(row, now) ? [[row.id, row.kept] as const] : [])));
  const unknown = rows.filter(({ id }) => !known.has(id));
  if (unknown.length > 0) {
    const ids = unknown.map(({ id }) => id);
    // Today's all-day ones began up to a day and an hour ago.
    const begun = new Date(now.getTime() - 2 * dayMs);
    const read = await readOccurrences(sql, { ids, from: begun, to: endOfTime, limit: 2 * mostLookedAt });
    const breathe = makeBreathe();
    const found: ComputedDates[] = [];
    let spentMs = 0;
    for (const row of unknown) {
      if (spentMs > mostMs) break;
      await breathe();
      // Nobody reads the answer any more: what was found is kept, and the rest not looked for.
      if (signal.aborted) break;
      const begunMs = cpuMs();
      const template = templateSchedule(row.template);
      const dates = findDates(previewOf(row, read, { template, from: now, to: endOfTime, now }));
      found.push({ id: row.id, revision: row.revision, ...dates });
      known.set(row.id, dates.dates);
      spentMs += cpuMs() - begunMs;
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
 * At most `limit` recurrences of one series, as `previewOccurrences` gives them, and where the rest begins; `null` if
 * there is none. Recurrences without a task stop at `until`, if it is given. Other requests get their turn in between;
 * `signal` ends it.
 */
export async function tellOccurrences(
  sql: Sql,
  row: SeriesViewRow,
  range: Readonly<{ from: Date; to: Date; limit: number; now: Date; until?: Date; signal: AbortSignal }>,
): Promise<Readonly<{ told: readonly RecurrenceView[]; nextFrom: Date | null }>> {
  const { from, to, limit, signal } = range;
  const template = templateSchedule(row.template);
  const begun = template === null ? from : beginsFrom(template.schedule, from);
  const read = await readOccurrences(sql, { ids: [row.id], from: begun, to, limit: limit + 1 });
  const breathe = makeBreathe({ signal });
  const told: RecurrenceView[] = [];
  for (const each of previewOccurrences(previewOf(row, read, { ...range, template })).take(limit + 1)) {
    told.push(each);
    await breathe();
  }
  return { told: told.slice(0, limit), nextFrom: told[limit]?.at ?? null };
}

/** One recurrence of a series; `null` where it is none. One from before the series began is told as missed. */
export async function tellOccurrence(
  sql: Sql,
  row: SeriesViewRow,
  { recurrenceId, now, signal }: Readonly<{ recurrenceId: string; now: Date; signal: AbortSignal }>,
): Promise<RecurrenceView | null> {
  const template = templateSchedule(row.template);
  const schedule = template?.schedule ?? null;
  const tz = schedule?.tz ?? "UTC";
  const [at, begin] = [instantOf(recurrenceId, tz), instantOf(recurrenceId.slice(0, 10), tz)];
  if (at === null || begin === null) return null;
  // Made under an earlier schedule it may start at another time of the day, in another zone on the day before or after.
  const [from, to] = [new Date(begin.getTime() - dayMs), new Date(begin.getTime() + 2 * dayMs)];
  const { told } = await tellOccurrences(sql, row, { from, to, limit: 100, now, signal });
  const found =
    told.findLast((one) => plainId(one.recurrenceId) === recurrenceId) ??
    told.findLast((one) => template !== null && standsFor(template, one.recurrenceId, { id: recurrenceId }));
  const recurrence = schedule === null ? null : findRecurrence(schedule, recurrenceId);
  if (found !== undefined || recurrence === null || schedule === null) return found ?? null;
  const due = ownDue(recurrence, schedule);
  const rest = { duePassesAt: passesAt(due, schedule.tz), moved: false, taskId: null, closedAt: null };
  return { recurrenceId, at, due, state: "missed", ...rest };
}

function previewOf(
  row: SeriesViewRow,
  read: Awaited<ReturnType<typeof readOccurrences>>,
  { template, from, to, now, until }: Pick<PreviewOf, "template" | "from" | "to" | "now" | "until">,
): PreviewOf {
  const { occurrences, exceptions, reached } = read(row.id);
  const ofKey = template === null ? null : (reached[template.key] ?? null);
  return { template, occurrences, exceptions, reached: ofKey, from, to, until, now };
}
