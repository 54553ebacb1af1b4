import { describe, expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import { preferencesInput } from "../../../shared/preferences/preferences.ts";
import { quietUntil } from "../../../workers/notification-service/plan/quiet-until.ts";

const night = { from: "22:00", to: "07:00" };
const wanting = (settings: Record<string, unknown>) => preferencesInput.parse(settings);
const until = (settings: Record<string, unknown>, at: string) =>
  quietUntil(wanting(settings), new Date(at))?.toISOString().replace(".000", "") ?? null;

describe("quiet hours from 22:00 to 07:00 in Berlin", () => {
  const quiet = { tz: "Europe/Berlin", quiet_hours: night };
  test.each([
    ["in the afternoon: none", "2026-11-25T15:00:00+01:00", null],
    ["a second before", "2026-11-25T21:59:59+01:00", null],
    ["as they begin", "2026-11-25T22:00:00+01:00", "2026-11-26T06:00:00Z"],
    ["before midnight", "2026-11-25T23:59:00+01:00", "2026-11-26T06:00:00Z"],
    ["after midnight", "2026-11-26T00:30:00+01:00", "2026-11-26T06:00:00Z"],
    ["a second before the end", "2026-11-26T06:59:59+01:00", "2026-11-26T06:00:00Z"],
    ["at the end: none", "2026-11-26T07:00:00+01:00", null],
    ["the night the clocks go forward is an hour shorter", "2026-03-28T23:00:00+01:00", "2026-03-29T05:00:00Z"],
    ["the night they go back is an hour longer", "2026-10-24T23:00:00+02:00", "2026-10-25T06:00:00Z"],
  ])("%s", (_title, at, expected) => expect(until(quiet, at)).toBe(expected));
});

describe("windows whose edge the clocks touch", () => {
  const [spring, autumn] = ["Europe/Berlin", "Europe/Berlin"];
  test.each<[string, string, { from: string; to: string }, string, string | null]>([
    [
      "an end that is left out is the jump",
      spring,
      { from: "22:00", to: "02:30" },
      "2026-03-29T00:59:59Z",
      "2026-03-29T01:00:00Z",
    ],
    [
      "and so is one at the first minute left out",
      spring,
      { from: "22:00", to: "02:00" },
      "2026-03-29T00:30:00Z",
      "2026-03-29T01:00:00Z",
    ],
    ["after the jump: none", spring, { from: "22:00", to: "02:30" }, "2026-03-29T01:00:00Z", null],
    [
      "a beginning that is left out is the jump",
      spring,
      { from: "02:30", to: "05:00" },
      "2026-03-29T01:00:00Z",
      "2026-03-29T03:00:00Z",
    ],
    ["before the jump: none", spring, { from: "02:30", to: "05:00" }, "2026-03-29T00:59:59Z", null],
    ["a window within what is left out is none", spring, { from: "02:10", to: "02:50" }, "2026-03-29T01:00:00Z", null],
    [
      "an end that comes twice is the second",
      autumn,
      { from: "22:00", to: "02:30" },
      "2026-10-25T00:45:00Z",
      "2026-10-25T01:30:00Z",
    ],
    [
      "a beginning that comes twice is the first",
      autumn,
      { from: "02:30", to: "05:00" },
      "2026-10-25T00:30:00Z",
      "2026-10-25T04:00:00Z",
    ],
    [
      "half an hour left out on Lord Howe",
      "Australia/Lord_Howe",
      { from: "22:00", to: "02:15" },
      "2026-10-03T15:00:00Z",
      "2026-10-03T15:30:00Z",
    ],
    [
      "half an hour twice on Lord Howe",
      "Australia/Lord_Howe",
      { from: "22:00", to: "01:45" },
      "2026-04-04T14:50:00Z",
      "2026-04-04T15:15:00Z",
    ],
  ])("%s", (_title, tz, quiet_hours, at, expected) => expect(until({ tz, quiet_hours }, at)).toBe(expected));
});

describe("days are those on which a window begins", () => {
  const quiet = { quiet_hours: { ...night, days: ["FR", "SA"] } }; // UTC
  test.each([
    ["Thursday night", "2026-11-26T23:00:00Z", null],
    ["Friday, 00:30: Thursday's would have been", "2026-11-27T00:30:00Z", null],
    ["Friday night", "2026-11-27T23:00:00Z", "2026-11-28T07:00:00Z"],
    ["Sunday, 06:00: Saturday's still", "2026-11-29T06:00:00Z", "2026-11-29T07:00:00Z"],
    ["Sunday night", "2026-11-29T23:00:00Z", null],
  ])("%s", (_title, at, expected) => expect(until(quiet, at)).toBe(expected));
  test("within one day they need no midnight", () => {
    const lunch = { quiet_hours: { from: "12:00", to: "13:00", days: ["WE"] } };
    expect(until(lunch, "2026-11-25T12:30:00Z")).toBe("2026-11-25T13:00:00Z");
    expect(until(lunch, "2026-11-26T12:30:00Z")).toBeNull();
  });
});

describe("a mute", () => {
  test.each<[string, Record<string, unknown>, string, string | null]>([
    ["lasts until its end", { muted_until: "2026-11-25T16:00:00Z" }, "2026-11-25T15:00:00Z", "2026-11-25T16:00:00Z"],
    ["is over at its end", { muted_until: "2026-11-25T16:00:00Z" }, "2026-11-25T16:00:00Z", null],
    [
      "that ends in quiet hours goes on to their end",
      { muted_until: "2026-11-25T23:00:00Z", quiet_hours: night },
      "2026-11-25T21:30:00Z",
      "2026-11-26T07:00:00Z",
    ],
    [
      "longer than the quiet hours it lies in",
      { muted_until: "2026-11-26T08:00:00Z", quiet_hours: night },
      "2026-11-25T23:30:00Z",
      "2026-11-26T08:00:00Z",
    ],
    [
      "that is over changes nothing",
      { muted_until: "2026-11-20T08:00:00Z", quiet_hours: night },
      "2026-11-25T23:30:00Z",
      "2026-11-26T07:00:00Z",
    ],
  ])("%s", (_title, settings, at, expected) => expect(until(settings, at)).toBe(expected));
});

test("whatever the zone, the window and the instant: quiet exactly while the clock on the wall reads so, and never for more than 25 hours", () => {
  const clock = fc
    .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom("00", "15", "30", "45"))
    .map(([hour, minute]) => `${String(hour).padStart(2, "0")}:${minute}`);
  const zone = fc.constantFrom(
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Asia/Kathmandu",
  );
  const at = fc.integer({ min: Date.UTC(2026, 0, 1) / 60_000, max: Date.UTC(2027, 0, 1) / 60_000 });
  fc.assert(
    fc.property(clock, clock, zone, at, (from, to, tz, minute) => {
      fc.pre(from !== to);
      const now = new Date(minute * 60_000);
      const end = quietUntil(wanting({ tz, quiet_hours: { from, to } }), now);
      const zoned = Temporal.Instant.fromEpochMilliseconds(now.getTime()).toZonedDateTimeISO(tz);
      const reads = zoned.toPlainTime().toString().slice(0, 5);
      const isQuiet = from < to ? from <= reads && reads < to : from <= reads || reads < to;
      // A clock that shows a time twice or leaves it out has the tables above.
      const nearAChange = [-1, 1].some((days) => zoned.add({ days }).offsetNanoseconds !== zoned.offsetNanoseconds);
      if (!nearAChange) expect(end !== null).toBe(isQuiet);
      if (end === null) return;
      const ms = end.getTime() - now.getTime();
      expect(ms > 0 && ms <= 25 * 3_600_000).toBe(true);
      if (!nearAChange)
        expect(
          Temporal.Instant.fromEpochMilliseconds(end.getTime())
            .toZonedDateTimeISO(tz)
            .toPlainTime()
            .toString()
            .slice(0, 5),
        ).toBe(to);
    }),
    { numRuns: 500 },
  );
});
