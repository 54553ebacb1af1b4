import type { HistoryJson, OccurrenceJson } from "./shapes.ts";

const most = 5;

/**
 * The next five dates that will be, with what is skipped or done already among them; after the fifth nothing is shown.
 * None where nothing more will be: what was skipped can be taken back, so it counts.
 */
export function shownDates(occurrences: readonly OccurrenceJson[]): readonly OccurrenceJson[] {
  if (!occurrences.some((occurrence) => isComing(occurrence) || occurrence.state === "skipped")) return [];
  const shown: OccurrenceJson[] = [];
  let coming = 0;
  for (const occurrence of occurrences) {
    if (coming === most) break;
    if (occurrence.state === "missed") continue;
    if (isComing(occurrence)) coming++;
    shown.push(occurrence);
  }
  return shown;
}

function isComing({ state }: OccurrenceJson): boolean {
  return state === "open" || state === "upcoming" || state === "expected";
}

/** "Done 12 times, skipped 2, missed 1; 5 in a row"; empty where nothing has happened yet. */
export function historyInWords({ totals, current_streak }: HistoryJson): string {
  const { done, skipped, missed } = totals;
  if (done + skipped + missed === 0) return "";
  const counts = [
    ...(done > 0 ? [`done ${done === 1 ? "once" : `${done} times`}`] : []),
    ...(skipped > 0 ? [`skipped ${skipped}`] : []),
    ...(missed > 0 ? [`missed ${missed}`] : []),
  ].join(", ");
  const line = counts.slice(0, 1).toUpperCase() + counts.slice(1);
  return current_streak > 1 ? `${line}; ${current_streak} in a row` : line;
}
