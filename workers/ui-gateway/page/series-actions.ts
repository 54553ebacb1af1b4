import * as api from "./api.ts";
import { ask } from "./ask.ts";
import { askDate } from "./ask-date.ts";
import { changeDate, type DateChange } from "./change-date.ts";
import { dueOf, localOf } from "./due-fields.ts";
import { dateInWords } from "./due-words.ts";
import type { SeriesActions } from "./series-card.ts";
import type { SeriesDetails, SeriesReader } from "./series-reader.ts";
import type { OccurrenceJson } from "./shapes.ts";

type SeriesActionsDeps = Readonly<{
  attempt: (work: () => Promise<void>) => Promise<void>;
  /** The sentence for what went wrong; `null` where it is told elsewhere. */
  explain: (error: unknown) => string | null;
  series: SeriesReader;
  /** A task this page has deleted. */
  forget: (taskId: string) => void;
}>;

/** What is done to one date of a series, asking what it takes to be sure. */
export function seriesActions({
  attempt,
  explain,
  series,
  forget,
}: SeriesActionsDeps): Pick<SeriesActions, "skip" | "unskip" | "move" | "complete"> {
  const change = (details: SeriesDetails, occurrence: OccurrenceJson, asked: DateChange) =>
    changeDate({ series: details.series, occurrence, change: asked }, { send: api.changeOccurrence, reader: series });
  return {
    skip: (details, occurrence) =>
      attempt(async () => {
        if (occurrence.task_id === null) return change(details, occurrence, { wants: "skip", body: null });
        const answer = await ask({
          title: "Skip this one?",
          text: "It is among the open tasks already. Skipping deletes it there, and cannot be taken back.",
          answers: [["skip", "Skip it"]],
        });
        if (answer === null) return;
        await api.deleteTask(occurrence.task_id, "this");
        forget(occurrence.task_id);
        series.refreshSoon(details.series.id);
      }),
    unskip: (details, occurrence) => attempt(() => change(details, occurrence, { wants: "unskip", body: null })),
    complete: (details, occurrence) => attempt(() => change(details, occurrence, { wants: "complete", body: null })),
    move: (details, occurrence) =>
      attempt(async () => {
        const title = `Move ${dateInWords(occurrence, new Date())}`;
        let problem: string | null = null;
        for (let local: string | null = localOf(occurrence); ;) {
          local = await askDate(title, local, problem);
          if (local === null || local === localOf(occurrence)) return;
          const { due_date, due_on } = dueOf(local);
          const body = due_on === null ? { due_date } : { due_on };
          try {
            return await change(details, occurrence, { wants: "move", body });
          } catch (error) {
            // What was said is asked for again as it was said.
            problem = explain(error);
            if (problem === null) return;
          }
        }
      }),
  };
}
