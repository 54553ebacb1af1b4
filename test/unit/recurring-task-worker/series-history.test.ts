import { expect, test } from "bun:test";
import { decideHistory } from "../../../workers/recurring-task-worker/decide-history.ts";
import type { RecurrenceView } from "../../../workers/recurring-task-worker/preview-occurrences.ts";

const now = new Date("2026-11-30T12:00:00Z");

/**
 * One told per letter, a day apart from the 1st: d done, l done late, s skipped, x deleted, m missed, o open, u
 * upcoming.
 */
function told(letters: string): readonly RecurrenceView[] {
  return [...letters].map((letter, n) => {
    const at = new Date(Date.UTC(2026, 10, 1 + n, 9));
    const states = {
      d: "completed",
      l: "completed",
      s: "skipped",
      x: "deleted",
      m: "missed",
      o: "open",
      u: "upcoming",
    } as const;
    const closed = letter === "d" ? at : letter === "l" ? new Date(at.getTime() + 1) : null;
    const state = states[letter as keyof typeof states];
    const rest = { due: { date: at, on: null }, duePassesAt: at, moved: false, taskId: null, closedAt: closed };
    return { recurrenceId: at.toISOString().slice(0, 19), at, state, ...rest };
  });
}

test.each<[string, string, number, number, number | null]>([
  ["nothing yet", "", 0, 0, null],
  ["done in a row", "ddd", 3, 3, 1],
  ["a missed one breaks the streak", "ddmd", 1, 2, 0.75],
  ["a skipped one neither breaks nor extends it", "ddsd", 3, 3, 1],
  ["a deleted one is a skipped one", "dxd", 2, 2, 1],
  ["late counts for the streak, not for the rate", "dlld", 4, 4, 0.5],
  ["an open one is not looked at", "ddo", 2, 2, 1],
  ["what is to come is no history", "dduu", 2, 2, 1],
  ["all missed", "mm", 0, 0, 0],
])("%s: %s", (_title, letters, current, longest, rate) => {
  const history = decideHistory(told(letters), now);
  expect([history.currentStreak, history.longestStreak, history.onTimeRate]).toEqual([current, longest, rate]);
});

test("every recurrence is one entry, and the totals are theirs", () => {
  const history = decideHistory(told("dlsxmou"), now);
  expect(history.entries.map(({ outcome, onTime }) => [outcome, onTime])).toEqual([
    ["done", true],
    ["done", false],
    ["skipped", null],
    ["skipped", null],
    ["missed", null],
    ["open", null],
  ]);
  expect(history.totals).toEqual({ done: 2, onTime: 1, late: 1, skipped: 2, missed: 1, open: 1 });
});

test("what is skipped ahead is not history before its time", () => {
  expect(decideHistory(told("s"), new Date(Date.UTC(2026, 9, 1))).entries).toEqual([]);
});
