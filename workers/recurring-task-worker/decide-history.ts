import type { Told } from "./preview-occurrences.ts";

/** How one recurrence of a series ended; `open` where it has not. */
export type Entry = Readonly<{ told: Told; outcome: "done" | "skipped" | "missed" | "open"; onTime: boolean | null }>;

export type History = Readonly<{
  entries: readonly Entry[];
  totals: Readonly<{ done: number; onTime: number; late: number; skipped: number; missed: number; open: number }>;
  /** Done one after another up to the newest; what is skipped neither breaks nor extends it, what is open is not looked at. */
  currentStreak: number;
  longestStreak: number;
  /** Of what was done or missed, the part done on time; `null` where there is neither. */
  onTimeRate: number | null;
}>;

/**
 * The history of a series from its recurrences in order; pure. Done is on time until its due has passed, that of a moved one the
 * moved due. A deleted occurrence counts as skipped; what is to come is no history, unless it was done ahead of time.
 */
export function decideHistory(all: readonly Told[], now: Date): History {
  const entries = all.flatMap((told): readonly Entry[] => {
    switch (told.state) {
      case "completed":
        return [{ told, outcome: "done", onTime: told.closedAt !== null && told.closedAt <= told.duePassesAt }];
      case "deleted":
        return [{ told, outcome: "skipped", onTime: null }];
      case "skipped":
        return told.at <= now ? [{ told, outcome: "skipped", onTime: null }] : [];
      case "missed":
        return [{ told, outcome: "missed", onTime: null }];
      case "open":
        return [{ told, outcome: "open", onTime: null }];
      case "upcoming":
      case "expected":
        return [];
    }
  });
  const count = (outcome: Entry["outcome"]) => entries.filter((entry) => entry.outcome === outcome).length;
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
