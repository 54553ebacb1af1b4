import { writeCalendar } from "../../shared/calendar/write-calendar.ts";
import type { Exported } from "../../shared/calendar/write-todos.ts";
import type { Preferences } from "../../shared/preferences/preferences.ts";
import { Problem } from "../../shared/problem.ts";
import { parseRecurrencePatternText, type RecurrencePattern } from "../../shared/recurrence/recurrence-pattern.ts";
import type { PartsWanted, SeriesParts } from "./read-export.ts";
import type { ListQuery, Place } from "./read-tasks.ts";
import { viewOfRow, type TaskRow } from "./task-row.ts";

export type ExportDeps = Readonly<{
  readZones: (userId: string) => Promise<readonly string[]>;
  listTasks: (query: ListQuery) => Promise<readonly TaskRow[]>;
  readSeriesParts: (userId: string, wanted: PartsWanted) => Promise<SeriesParts>;
  readPreferences: (userId: string) => Promise<Preferences>;
  /** Told when a stream breaks off: its answer has begun, so nothing else can say so. */
  onBreak: (error: unknown) => void;
}>;

/** Some 200 kB of text. */
const pageSize = 500;

/**
 * A user's live tasks as an iCalendar stream of bytes, newest first, read page by page as it is taken. Rejects where the first reading
 * fails; a later failure breaks the stream off before END:VCALENDAR. A task changed meanwhile is there as it was or as it is.
 */
export async function exportCalendar(deps: ExportDeps, userId: string): Promise<ReadableStream<Uint8Array>> {
  const [zones, preferences] = await Promise.all([deps.readZones(userId), deps.readPreferences(userId)]);
  const text = writeCalendar(zones, readPages(deps, userId, preferences));
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull: async (controller) => {
      try {
        const { value, done } = await text.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      } catch (error) {
        deps.onBreak(error);
        controller.error(error);
      }
    },
    cancel: async () => {
      await text.return(undefined);
    },
  });
}

async function* readPages(
  deps: ExportDeps,
  userId: string,
  { tz, all_day_at, default_reminders }: Preferences,
): AsyncGenerator<readonly Exported[]> {
  const user = { clock: { tz, allDayAt: all_day_at }, remind: default_reminders };
  for (let after: Place | null = null; ;) {
    const rows = await deps.listTasks({ userId, status: "all", templates: true, after, limit: pageSize });
    const { patterns, exceptions } = await deps.readSeriesParts(userId, {
      patternsOf: [...new Set(rows.flatMap((row) => (row.is_recurring_template ? [] : (row.template_id ?? []))))],
      exceptionsOf: rows.filter((row) => row.is_recurring_template).map(({ id }) => id),
    });
    yield rows.map((row) => ({
      ...user,
      task: viewOfRow(row),
      pattern: patternOf(row.recurrence_pattern ?? patterns.get(row.template_id ?? "") ?? null),
      exceptions: exceptions.get(row.id) ?? [],
    }));
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageSize) return;
    after = { createdAt: last.created_at, id: last.id };
  }
}

/** `null` for one that a newer build wrote and this one does not understand: its task is exported without a rule. */
function patternOf(json: string | null): RecurrencePattern | null {
  if (json === null) return null;
  try {
    return parseRecurrencePatternText(json);
  } catch (error) {
    if (error instanceof Problem) return null;
    throw error;
  }
}
