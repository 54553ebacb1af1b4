import * as api from "./api.ts";
import { ask } from "./ask.ts";
import { askDate } from "./ask-date.ts";
import { dueOf, localOf } from "./due-fields.ts";
import { dateInWords } from "./due-words.ts";
import type { SeriesActions } from "./series-card.ts";
import type { SeriesReader } from "./series-reader.ts";

export type SeriesActionsDeps = Readonly<{
  attempt: (work: () => Promise<void>) => Promise<void>;
  series: SeriesReader;
  /** A task this page has deleted. */
  forget: (taskId: string) => void;
}>;

/** What is done to one date of a series. Whatever came of it, the dates are then shown as they are. */
export function seriesActions({
  attempt,
  series,
  forget,
}: SeriesActionsDeps): Pick<SeriesActions, "skip" | "unskip" | "move"> {
  const change = async (...asked: Parameters<typeof api.changeOccurrence>) => {
    try {
      await api.changeOccurrence(...asked);
    } finally {
      await series.refresh(asked[0].id);
    }
  };
  return {
    skip: (details, occurrence) =>
      attempt(async () => {
        if (occurrence.task_id === null)
          return change(details.series, occurrence.recurrence_id, { wants: "skip", body: null });
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
    unskip: (details, occurrence) =>
      attempt(() => change(details.series, occurrence.recurrence_id, { wants: "unskip", body: null })),
    move: (details, occurrence) =>
      attempt(async () => {
        const title = `Move ${dateInWords(occurrence, new Date())}`;
        const local = await askDate(title, localOf(occurrence));
        if (local === null || local === localOf(occurrence)) return;
        const { due_date, due_on } = dueOf(local);
        const body = due_on === null ? { due_date } : { due_on };
        await change(details.series, occurrence.recurrence_id, { wants: "move", body });
      }),
  };
}
