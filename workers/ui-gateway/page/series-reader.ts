import type { HistoryJson, OccurrenceJson, SeriesJson } from "./shapes.ts";

/** What is known of a series beyond its template; `occurrences` is `null` until it was read. */
export type SeriesDetails = Readonly<{
  series: SeriesJson;
  occurrences: readonly OccurrenceJson[] | null;
  history: HistoryJson | null;
}>;

export type SeriesReader = Readonly<{
  find: (id: string) => SeriesDetails | null;
  /** Reads every series anew, one after another. */
  refreshAll: () => Promise<void>;
  refresh: (id: string) => Promise<void>;
  /** A task of the series has changed: reads it soon, and once more a little later, as the series follows its tasks. */
  refreshSoon: (id: string) => void;
  clear: () => void;
}>;

type SeriesReads = Readonly<{
  readAllSeries: () => Promise<readonly SeriesJson[]>;
  readSeries: (id: string) => Promise<SeriesJson>;
  readOccurrences: (id: string) => Promise<readonly OccurrenceJson[]>;
  readHistory: (id: string) => Promise<HistoryJson>;
}>;

const soonMs = [300, 2500];

/**
 * Keeps what the series tab shows. `onChange` is called whenever there is something new, `onError` with what went wrong
 * in the background.
 */
export function makeSeriesReader(
  reads: SeriesReads,
  { onChange, onError }: Readonly<{ onChange: () => void; onError: (error: unknown) => void }>,
): SeriesReader {
  const known = new Map<string, SeriesDetails>();
  const timers = new Map<string, ReturnType<typeof setTimeout>[]>();
  // The version is that from before the dates were read: a change in between is then refused instead of misunderstood.
  const readDetails = async (series: SeriesJson) => {
    const [occurrences, history] = await Promise.all([reads.readOccurrences(series.id), reads.readHistory(series.id)]);
    const held = known.get(series.id);
    if (held && held.series.version > series.version) return;
    const details = { series, occurrences, history };
    if (JSON.stringify(held) === JSON.stringify(details)) return;
    known.set(series.id, details);
    onChange();
  };
  const refresh = async (id: string) => readDetails(await reads.readSeries(id));
  const stop = (id: string) => {
    for (const timer of timers.get(id) ?? []) clearTimeout(timer);
    timers.delete(id);
  };
  return {
    find: (id) => known.get(id) ?? null,
    refresh,
    refreshAll: async () => {
      const all = await reads.readAllSeries();
      for (const series of all)
        if (!known.has(series.id)) known.set(series.id, { series, occurrences: null, history: null });
      onChange();
      for (const series of all) await readDetails(series);
    },
    refreshSoon: (id) => {
      stop(id);
      timers.set(
        id,
        soonMs.map((ms) => setTimeout(() => void refresh(id).catch(onError), ms)),
      );
    },
    clear: () => {
      for (const id of timers.keys()) stop(id);
      known.clear();
    },
  };
}
