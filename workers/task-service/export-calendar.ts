import { makeBreathe, type Breathe } from "../../shared/waiting/breathe.ts";
import { writeCalendar } from "./calendar/write-calendar.ts";
import type { ExportedTask } from "./calendar/write-todos.ts";
import type { Preferences } from "../../shared/preferences/preferences.ts";
import type { PartsWanted, SeriesParts } from "./read-export.ts";
import type { OwnAlarms } from "./read-own-alarms.ts";
import { makeReadRule } from "./read-rule.ts";
import type { ListQuery, ListPosition } from "./read-tasks.ts";
import { viewOfRow, type TaskRow } from "./task-row.ts";

export type ExportDeps = Readonly<{
  readZones: (userId: string) => Promise<readonly string[]>;
  listTasks: (query: ListQuery) => Promise<readonly TaskRow[]>;
  readSeriesParts: (userId: string, wanted: PartsWanted) => Promise<SeriesParts>;
  readOwnAlarms: (userId: string, taskIds: readonly string[]) => Promise<OwnAlarms>;
  readPreferences: (userId: string) => Promise<Preferences>;
  /** Told when a stream breaks off: its answer has begun, so nothing else can say so. */
  onBreak: (error: unknown) => void;
}>;

/** Some 200 kB of text. */
const pageSize = 500;

/**
 * A user's live tasks as an iCalendar stream of bytes, newest first, read page by page as it is taken. Rejects where
 * the first reading fails; a later failure breaks the stream off before END:VCALENDAR. Others get their turn between
 * tasks whose rules take long; it ends in the middle of a page when its reader has left. A task changed meanwhile is
 * there as it was or as it is.
 */
export async function exportCalendar(deps: ExportDeps, userId: string): Promise<ReadableStream<Uint8Array>> {
  const [zones, preferences] = await Promise.all([deps.readZones(userId), deps.readPreferences(userId)]);
  const left = new AbortController();
  const breathe = makeBreathe({ signal: left.signal });
  const text = writeCalendar(zones, readPages(deps, userId, { preferences, breathe }), breathe);
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull: async (controller) => {
      try {
        const { value, done } = await text.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      } catch (error) {
        if (left.signal.aborted) return;
        deps.onBreak(error);
        controller.error(error);
      }
    },
    cancel: async () => {
      // A generator returns only once its running step has ended.
      left.abort();
      await text.return(undefined);
    },
  });
}

async function* readPages(
  deps: ExportDeps,
  userId: string,
  { preferences, breathe }: Readonly<{ preferences: Preferences; breathe: Breathe }>,
): AsyncGenerator<readonly ExportedTask[]> {
  const { tz, all_day_at, default_reminders } = preferences;
  const readRule = makeReadRule();
  const user = { clock: { tz, allDayAt: all_day_at }, remind: default_reminders };
  for (let after: ListPosition | null = null; ;) {
    const rows = await deps.listTasks({ userId, status: "all", templates: true, after, limit: pageSize });
    const templates = rows.filter((row) => row.is_recurring_template);
    const others = rows.filter((row) => !row.is_recurring_template);
    const [{ patterns, exceptions }, ownAlarms] = await Promise.all([
      deps.readSeriesParts(userId, {
        patternsOf: [...new Set(others.flatMap(({ template_id }) => template_id ?? []))],
        exceptionsOf: templates.map(({ id }) => id),
      }),
      deps.readOwnAlarms(
        userId,
        others.map(({ id }) => id),
      ),
    ]);
    const page: ExportedTask[] = [];
    for (const row of rows) {
      await breathe();
      const { placeOf, ...told } = readRule(row.recurrence_pattern ?? patterns.get(row.template_id ?? "") ?? null);
      // A calendar finds an occurrence by when the rule has it now.
      const place = <T extends { recurrence_id: string | null }>(each: T): T =>
        told.rule === null || each.recurrence_id === null
          ? each
          : { ...each, recurrence_id: placeOf(each.recurrence_id) };
      const own = { exceptions: (exceptions.get(row.id) ?? []).map(place), ownAlarms: ownAlarms.get(row.id) ?? [] };
      page.push({ ...user, ...told, ...own, task: place(viewOfRow(row)) });
    }
    yield page;
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageSize) return;
    after = { createdAt: last.created_at, id: last.id };
  }
}
