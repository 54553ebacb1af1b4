import { isOutdated } from "./request.ts";
import type { SeriesDetails, SeriesReader } from "./series-reader.ts";
import type { OccurrenceJson, SeriesJson } from "./shapes.ts";

export type DateChange = Readonly<{ wants: "skip" | "unskip" | "move" | "complete"; body: unknown }>;
export type SendChange = (series: SeriesJson, recurrenceId: string, change: DateChange) => Promise<unknown>;

/**
 * Changes one date of a series, for the version it was shown at. A series gets a new version with whatever people
 * change of it: where this date is as it was shown, the change is what was meant, and sent again for the new version.
 * Whatever came of it, the dates are read again.
 */
export async function changeDate(
  { series, occurrence, change }: Readonly<{ series: SeriesJson; occurrence: OccurrenceJson; change: DateChange }>,
  { send, reader }: Readonly<{ send: SendChange; reader: Pick<SeriesReader, "refresh" | "find"> }>,
): Promise<void> {
  const { recurrence_id: id } = occurrence;
  try {
    await send(series, id, change).catch(async (error: unknown) => {
      if (!isOutdated(error)) throw error;
      await reader.refresh(series.id);
      const now = reader.find(series.id);
      if (now === null || !isAsShown(now, occurrence))
        throw new Error("That date was changed elsewhere meanwhile; the dates are shown as they are now.");
      await send(now.series, id, change);
    });
  } finally {
    await reader.refresh(series.id);
  }
}

function isAsShown({ occurrences }: SeriesDetails, shown: OccurrenceJson): boolean {
  const now = occurrences?.find(({ recurrence_id }) => recurrence_id === shown.recurrence_id);
  return now?.state === shown.state && now.due_date === shown.due_date && now.due_on === shown.due_on;
}
