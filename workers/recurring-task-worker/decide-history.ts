import type { RecurrenceView } from "./preview-occurrences.ts";

/** How one recurrence of a series ended; `open` where it has not. */
type HistoryEntry = Readonly<{
  told: RecurrenceView;
  outcome: "done" | "skipped" | "missed" | "open";
  onTime: boolean | null;
}>;

export type SeriesHistory = Readonly<{
  entries: readonly HistoryEntry[];
  totals: Readonly<{ done: number; onTime: number; late: number; skipped: number; missed: number; open: number }>;
  /**
   * The number of recurrences done in a row up to the newest. Skipped ones neither break nor extend it; open ones are
   * not looked at.
   */
  currentStreak: number;
  longestStreak: number;
  /** Of what was done or missed, the part done on time; `null` where there is neither. */
  onTimeRate: number | null;
}>;

/**
 * The history of a series from its recurrences in order; pure. A recurrence is done on time until its due has passed; a
 * moved one has the moved due. A deleted occurrence counts as skipped. A recurrence to come is not part of it, unless
 * it was done ahead.
 */
export function decideHistory(all: readonly RecurrenceView[], now: Date): SeriesHistory {
  const entries = all.flatMap((told): readonly HistoryEntry[] => {
    switch (told.state) {
      case "completed":
        return [{ told, outcome: "done", onTime: isOnTime(told) }];
      case "deleted":
        return [{ told, outcome: "skipped", onTime: null }];
      case "skipped":
        return told.duePassesAt <= now ? [{ told, outcome: "skipped", onTime: null }] : [];
      case "missed":
        return [{ told, outcome: "missed", onTime: null }];
      case "open":
        return [{ told, outcome: "open", onTime: null }];
      case "upcoming":
      case "expected":
        return [];
    }
  });
  const count = (outcome: HistoryEntry["outcome"]) => entries.filter((entry) => entry.outcome === outcome).length;
  const done = count("done");
  const missed = count("missed");
  const onTime = entries.filter((entry) => entry.onTime === true).length;
  const totals = { done, onTime, late: done - onTime, skipped: count("skipped"), missed, open: count("open") };
  let streak = 0;
  let longestStreak = 0;
  for (const { outcome } of entries) {
    if (outcome === "done") streak++;
    if (outcome === "missed") streak = 0;
    longestStreak = Math.max(longestStreak, streak);
  }
  return {
    entries,
    totals,
    currentStreak: streak,
    longestStreak,
    onTimeRate: done + missed === 0 ? null : onTime / (done + missed),
  };
}

/** At its due is on time; at the end of its day, an all-day one is late. */
function isOnTime({ closedAt, due, duePassesAt }: RecurrenceView): boolean {
  if (closedAt === null) return false;
  return due.on === null ? closedAt <= duePassesAt : closedAt < duePassesAt;
}
