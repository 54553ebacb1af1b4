import { describe, expect, test } from "bun:test";
import { zoneClock } from "../../../shared/recurrence/zone-clock.ts";
import { runtimeChanges } from "../../support/runtime-zone.ts";
import { randomOf } from "../../support/random.ts";

const dayMs = 86_400_000;
const [begin, end] = [Date.UTC(1970, 0, 2), Date.UTC(2200, 0, 1)];
const at = (text: string) => Date.parse(`${text}Z`);
const local = (wall: number) => Temporal.PlainDateTime.from(new Date(wall).toISOString().slice(0, 23));

function ourChanges(tz: string, from: number, to: number): readonly number[] {
  const clock = zoneClock(tz);
  return [clock.wallAt(from) - from, ...clock.changes(from + 1, to).flatMap((change) => [change.at, change.after])];
}

/** What Temporal says of a wall-clock time; `null` in a gap. */
function byTemporal(wall: number, tz: string, disambiguation: "compatible" | "later"): number | null {
  const zoned = local(wall).toZonedDateTime(tz, { disambiguation });
  return zoned.epochMilliseconds + zoned.offsetNanoseconds / 1e6 === wall ? zoned.epochMilliseconds : null;
}

/** Where Temporal's day begins; of a time in a gap, where the clocks go on. */
function reachedByTemporal(wall: number, tz: string): number {
  const found = byTemporal(wall, tz, "compatible");
  const before = local(wall).toZonedDateTime(tz, { disambiguation: "earlier" });
  return found ?? before.getTimeZoneTransition("next")?.epochMilliseconds ?? NaN;
}

const alike = Intl.supportedValuesOf("timeZone").filter((tz) =>
  Bun.deepEquals(ourChanges(tz, begin, end), runtimeChanges(tz, begin, end)),
);

describe("a zone's clock", () => {
  test("most zones are in the runtime's data as they are in ours, so there is something to compare with", () => {
    expect(alike.length).toBeGreaterThan(Intl.supportedValuesOf("timeZone").length * 0.9);
  });

  test("says of every zone that is alike what Temporal says, at any time and around changes", () => {
    const random = randomOf(11);
    for (const tz of alike) {
      const clock = zoneClock(tz);
      const anyTime = Math.floor(begin + random() * (end - begin));
      const zoned = Temporal.Instant.fromEpochMilliseconds(anyTime).toZonedDateTimeISO(tz);
      const change = zoned.getTimeZoneTransition("previous") ?? zoned.getTimeZoneTransition("next");
      const shown = change === null ? begin : change.epochMilliseconds + change.offsetNanoseconds / 1e6;
      const around = [-dayMs, -5_400_000, -1, 0, 1, 5_400_000, dayMs].map((more) => shown + more);
      for (const wall of [anyTime, ...around].filter((time) => time >= begin && time < end)) {
        expect([tz, wall, clock.instantAt(wall)]).toEqual([tz, wall, byTemporal(wall, tz, "compatible")]);
        expect([tz, wall, clock.lastInstantAt(wall)]).toEqual([tz, wall, byTemporal(wall, tz, "later")]);
        expect([tz, wall, clock.reachedAt(wall)]).toEqual([tz, wall, reachedByTemporal(wall, tz)]);
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
    ["America/Vancouver", "2026-12-01T09:00:00", "2026-12-01T16:00:00", "2026-12-01T16:00:00", "as of IANA 2026a"],
    ["America/Winnipeg", "2026-12-01T09:00:00", "2026-12-01T14:00:00", "2026-12-01T14:00:00", "as of IANA 2026e"],
    ["europe/BERLIN", "2026-07-01T09:00:00", "2026-07-01T07:00:00", "2026-07-01T07:00:00", "in any letters"],
  ])("%s %s is %p, past a gap %p: %s", (tz, wall, instant, past) => {
    const clock = zoneClock(tz);
    expect(clock.instantAt(at(wall))).toBe(instant === null ? null : at(instant));
    expect(clock.instantPast(at(wall))).toBe(at(past));
  });

  test("the last instant of a time that comes twice is an hour later, and a time jumped over is reached at the jump", () => {
    const clock = zoneClock("Europe/Berlin");
    expect(clock.lastInstantAt(at("2026-10-25T02:30:00"))).toBe(at("2026-10-25T01:30:00"));
    expect(clock.lastInstantAt(at("2026-03-29T02:30:00"))).toBeNull();
    expect(clock.reachedAt(at("2026-03-29T02:30:00"))).toBe(at("2026-03-29T01:00:00"));
  });

  test("a day begins where the clocks go on, and one that never was does not begin", () => {
    expect(zoneClock("America/Sao_Paulo").dayStart(at("2018-11-04T00:00:00"))).toBe(at("2018-11-04T03:00:00"));
    expect(zoneClock("Pacific/Apia").dayStart(at("2011-12-30T00:00:00"))).toBeNull();
  });

  test("changes are those from an instant on and before another", () => {
    const [spring, autumn] = [at("2026-03-29T01:00:00"), at("2026-10-25T01:00:00")];
    const forward = { at: spring, before: 3_600_000, after: 7_200_000 };
    expect(zoneClock("Europe/Berlin").changes(spring, autumn)).toEqual([forward]);
    expect(zoneClock("Europe/Berlin").changes(spring + 1, autumn)).toEqual([]);
    expect(zoneClock("UTC").changes(0, autumn)).toEqual([]);
  });

  test.each(["Nowhere/Else", "", "Factory", "Europe/\u212Aiev", "+01:00", "../../etc/passwd", "posix/UTC"])(
    "%p is no zone",
    (name) => {
      expect(() => zoneClock(name)).toThrow(RangeError);
    },
  );
});
