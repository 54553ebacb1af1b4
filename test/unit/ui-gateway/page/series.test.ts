import { expect, test } from "bun:test";
import { changeDate, type SendChange } from "../../../../workers/ui-gateway/page/change-date.ts";
import { makeSeriesReader } from "../../../../workers/ui-gateway/page/series-reader.ts";
import type { OccurrenceJson, SeriesJson } from "../../../../workers/ui-gateway/page/shapes.ts";

const seriesAt = (version: number): SeriesJson => ({ id: "s", template_id: "s", status: "pending", version });
const occurrence: OccurrenceJson = {
  recurrence_id: "2026-12-25T17:00:00",
  due_date: "2026-12-25T16:00:00.000Z",
  due_on: null,
  state: "upcoming",
  moved: false,
  task_id: null,
};
const history = { totals: { done: 0, skipped: 0, missed: 0 }, current_streak: 0 };
const outdated = () => Object.assign(new Error("The series is at another version"), { status: 412, current: null });
const skip = { wants: "skip", body: null } as const;

/** A server that has one series, at `version`, with this occurrence, and refuses what is meant for another version. */
function setup(version: number, now: OccurrenceJson = occurrence) {
  const sent: number[] = [];
  const send: SendChange = async (series) => {
    sent.push(series.version);
    if (series.version !== version) throw outdated();
  };
  let reads = 0;
  const reader = makeSeriesReader(
    {
      readAllSeries: async () => [seriesAt(version)],
      readSeries: async () => {
        reads++;
        return seriesAt(version);
      },
      readOccurrences: async () => [now],
      readHistory: async () => history,
    },
    { onChange: () => {}, onError: () => {} },
  );
  return { sent, reader, reads: () => reads, deps: { send, reader } };
}

test("a date is changed for the version it was shown at, and the dates are read again", async () => {
  const { sent, reader, deps } = setup(3);
  await changeDate({ series: seriesAt(3), occurrence, change: skip }, deps);
  expect(sent).toEqual([3]);
  expect(reader.find("s")?.occurrences).toEqual([occurrence]);
});

test("where only the rest of the series has changed, the change is sent again for the new version", async () => {
  const { sent, deps } = setup(5);
  await changeDate({ series: seriesAt(3), occurrence, change: skip }, deps);
  expect(sent).toEqual([3, 5]);
});

test("where the date itself has changed, nothing is sent again and the person is told", async () => {
  for (const now of [
    { ...occurrence, state: "open", task_id: "t" },
    { ...occurrence, due_date: "2026-12-26T16:00:00.000Z", moved: true },
    { ...occurrence, recurrence_id: "2027-01-29T17:00:00" },
  ] as const) {
    const { sent, reads, deps } = setup(5, now);
    await expect(changeDate({ series: seriesAt(3), occurrence, change: skip }, deps)).rejects.toThrow(
      "changed elsewhere",
    );
    expect([sent, reads()]).toEqual([[3], 2]);
  }
});

test("what else goes wrong is told as it is, and the dates are read again", async () => {
  const { reader, reads } = setup(3);
  const send = () => Promise.reject(new Error("no"));
  await expect(changeDate({ series: seriesAt(3), occurrence, change: skip }, { send, reader })).rejects.toThrow("no");
  expect(reads()).toBe(1);
});

test("an answer that was overtaken by a newer one is not shown", async () => {
  const versions = [7, 6];
  const reader = makeSeriesReader(
    {
      readAllSeries: async () => [],
      readSeries: async () => seriesAt(versions.shift() ?? 0),
      readOccurrences: async () => [],
      readHistory: async () => history,
    },
    { onChange: () => {}, onError: () => {} },
  );
  await reader.refresh("s");
  await reader.refresh("s");
  expect(reader.find("s")?.series.version).toBe(7);
  reader.clear();
  expect(reader.find("s")).toBeNull();
});
