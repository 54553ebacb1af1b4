import { describe, expect, test } from "bun:test";
import { zoneClock } from "../../shared/recurrence/zone-clock.ts";
import { randomOf } from "../support/random.ts";

const dayMs = 86_400_000;
const [begin, end] = [Date.UTC(1970, 0, 2), Date.UTC(2200, 0, 1)];
const at = (text: string) => Date.parse(`${text}Z`);
const local = (wall: number) => Temporal.PlainDateTime.from(new Date(wall).toISOString().slice(0, 23));

/** What Temporal says of a wall-clock time, `null` in a gap. */
function instantByTemporal(wall: number, tz: string): number | null {
  const zoned = local(wall).toZonedDateTime(tz, { disambiguation: "compatible" });
  return zoned.epochMilliseconds + zoned.offsetNanoseconds / 1e6 === wall ? zoned.epochMilliseconds : null;
}

describe("a zone's clock", () => {
  test("says of every zone what Temporal says, at any time and around changes", () => {
    const random = randomOf(11);
    for (const tz of Intl.supportedValuesOf("timeZone")) {
      const clock = zoneClock(tz);
      const anyTime = Math.floor(begin + random() * (end - begin));
      const zoned = Temporal.Instant.fromEpochMilliseconds(anyTime).toZonedDateTimeISO(tz);
      const change = zoned.getTimeZoneTransition("previous") ?? zoned.getTimeZoneTransition("next");
      const shown = change === null ? begin : change.epochMilliseconds + change.offsetNanoseconds / 1e6;
      const around = [-dayMs, -5_400_000, -1, 0, 1, 5_400_000, dayMs].map((more) => shown + more);
      for (const wall of [anyTime, ...around].filter((time) => time >= begin && time < end)) {
        expect([tz, wall, clock.instantAt(wall)]).toEqual([tz, wall, instantByTemporal(wall, tz)]);
        const past = local(wall).toZonedDateTime(tz, { disambiguation: "compatible" }).epochMilliseconds;
        expect([tz, wall, clock.instantPast(wall)]).toEqual([tz, wall, past]);
        const { offsetNanoseconds } = Temporal.Instant.fromEpochMilliseconds(wall).toZonedDateTimeISO(tz);
        expect([tz, wall, clock.wallAt(wall)]).toEqual([tz, wall, wall + offsetNanoseconds / 1e6]);
        const day = Math.floor(wall / dayMs) * dayMs;
        const start = local(day).toPlainDate().toZonedDateTime(tz);
        const began = start.toPlainDate().equals(local(day).toPlainDate()) ? start.epochMilliseconds : null;
        expect([tz, day, clock.dayStart(day)]).toEqual([tz, day, began]);
      }
    }
  });

  test.each([
    ["Europe/Berlin", "2026-03-29T02:30:00", null, "2026-03-29T01:30:00", "a time that is jumped over"],
    ["Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T00:30:00", "2026-10-25T00:30:00", "a time that comes twice"],
    ["Pacific/Apia", "2011-12-30T09:00:00", null, "2011-12-30T19:00:00", "a day that never was"],
    ["America/Sao_Paulo", "2018-11-04T00:00:00", null, "2018-11-04T03:00:00", "a midnight that never was"],
  ])("%s %s is %p, past a gap %p: %s", (tz, wall, instant, past) => {
    const clock = zoneClock(tz);
    expect(clock.instantAt(at(wall))).toBe(instant === null ? null : at(instant));
    expect(clock.instantPast(at(wall))).toBe(at(past));
  });

  test("a day begins where the clocks go on, and one that never was does not begin", () => {
    expect(zoneClock("America/Sao_Paulo").dayStart(at("2018-11-04T00:00:00"))).toBe(at("2018-11-04T03:00:00"));
    expect(zoneClock("Pacific/Apia").dayStart(at("2011-12-30T00:00:00"))).toBeNull();
  });

  test("an unknown zone is refused", () => {
    expect(() => zoneClock("Nowhere/Else")).toThrow(RangeError);
  });
});
