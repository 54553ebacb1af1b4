import type { Sql } from "../../shared/postgres/db.ts";
import { describePattern } from "../../shared/recurrence/describe-pattern.ts";
import { endsAt } from "../../shared/recurrence/passing.ts";
import { zoneClock } from "../../shared/recurrence/zone-clock.ts";
import { zonesInUse } from "../../shared/zones/zones-in-use.ts";
import { previewOccurrences, unknownSchedule, type PreviewOf, type RecurrenceView } from "./preview-occurrences.ts";

const nextShown = 5;
/** A hundred in a row that were skipped or done ahead are looked at, not more. */
export const mostLookedAt = 100;
/** Raise it when what is kept would be written otherwise, so that what an older build kept is found out anew. */
const form = 2;
const dayMs = 86_400_000;

/** What is found out about the dates ahead of a series, as its row keeps it. */
export type KeptDates = Readonly<{
  form: number;
  /** The edition of the zone data it was found out by. */
  zones?: string;
  /** The pattern in English; `null` for a series that has stopped. */
  words: string | null;
  /** The next five from the moment it was found out, made or not. */
  next: readonly Readonly<{ recurrence_id: string; due_date: string | null; due_on: string | null }>[];
}>;

/**
 * Dates that were computed for a revision of the series, and until when time does not make them wrong; `null`: never.
 */
export type ComputedDates = Readonly<{ id: string; revision: number; dates: KeptDates; until: Date | null }>;

/** Whether what a row keeps still holds. */
export function isKept(
  row: Readonly<{ revision: number; kept: KeptDates | null; keptOf: number | null; keptUntil: Date | null }>,
  now: Date,
): row is typeof row & Readonly<{ kept: KeptDates }> {
  const isOf = row.kept?.form === form && row.kept.zones === zonesInUse().version;
  return isOf && row.keptOf === row.revision && (row.keptUntil === null || now < row.keptUntil);
}

/** Computes them, in at most 100 steps of the rule; pure. `of` has everything that is known from now on. */
export function findDates(of: PreviewOf): Readonly<{ dates: KeptDates; until: Date | null }> {
  const { template, now } = of;
  const schedule = template?.schedule ?? unknownSchedule;
  const next: RecurrenceView[] = [];
  const changes: number[] = [];
  for (const each of previewOccurrences(of).take(mostLookedAt)) {
    // It is none of what is ahead once it has passed; where it was moved to an earlier due, once that has.
    changes.push(endsAt({ id: each.recurrenceId, at: each.at }, schedule).getTime(), each.duePassesAt.getTime());
    if (["open", "upcoming", "expected"].includes(each.state)) next.push(each);
    if (next.length === nextShown) break;
  }
  if (template?.pattern.anchor === "completion") {
    // Counted from the due of the one that is open, or from today where that has passed.
    const clock = zoneClock(template.schedule.tz);
    changes.push(clock.instantPast((Math.floor(clock.wallAt(now.getTime()) / dayMs) + 1) * dayMs));
    for (const { duePassesAt } of of.occurrences) changes.push(duePassesAt.getTime());
  }
  const until = changes.filter((change) => change > now.getTime()).reduce((a, b) => Math.min(a, b), Infinity);
  return {
    dates: {
      form,
      zones: zonesInUse().version,
      words:
        template === null
          ? null
          : describePattern({ ...template.pattern, tz: template.schedule.tz, start: template.schedule.start }),
      next: next.map(({ recurrenceId, due }) => ({
        recurrence_id: recurrenceId,
        due_date: due.date?.toISOString() ?? null,
        due_on: due.on,
      })),
    },
    until: until === Infinity ? null : new Date(until),
  };
}

/** Stores dates for the series that are still at the revision they were computed from. */
export async function keepDates(sql: Sql, kept: readonly ComputedDates[]): Promise<void> {
  if (kept.length === 0) return;
  const column = <T>(of: (one: ComputedDates) => T): T[] => kept.map(of);
  await sql`
    update series set kept = found.kept::jsonb, kept_of = found.revision, kept_until = found.until
    from unnest(
      ${column(({ id }) => id)}::uuid[], ${column(({ revision }) => String(revision))}::bigint[],
      ${column(({ dates }) => JSON.stringify(dates))}::text[],
      ${column(({ until }) => until?.toISOString() ?? null)}::timestamptz[]) as found (id, revision, kept, until)
    where series.id = found.id and series.revision = found.revision`;
}
