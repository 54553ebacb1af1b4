import { afterEach, describe, expect, test } from "bun:test";
import { cpSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zoneClock } from "../../../shared/recurrence/zone-clock.ts";
import { bundledZones } from "../../../shared/zones/bundled-zones.ts";
import { layOutZone } from "../../../shared/zones/lay-out-zone.ts";
import { changesOfYear, parsePosixZone } from "../../../shared/zones/posix-zone.ts";
import { readTzif } from "../../../shared/zones/read-tzif.ts";
import { readZoneDirectory } from "../../../shared/zones/zone-directory.ts";
import { chooseZones } from "../../../shared/zones/choose-zones.ts";
import { findZone, useZones } from "../../../shared/zones/zones-in-use.ts";
import { runtimeChanges } from "../../support/runtime-zone.ts";
import { makeZoneDirectory } from "../../support/zone-directory.ts";

const made: Disposable[] = [];
afterEach(() => {
  useZones(bundledZones());
  for (const directory of made.splice(0)) directory[Symbol.dispose]();
});

function directoryOf(zones: Readonly<Record<string, Uint8Array | string>>, edition: string | null): string {
  const directory = makeZoneDirectory(zones, edition);
  made.push(directory);
  return directory.path;
}

/** A TZif file without changes, its rule at the end. */
function tzif(footer: string, { version = "2", leaps = 0, offset = 0, types = 1 } = {}): Uint8Array {
  const header = (counts: readonly number[]) => {
    const bytes = Buffer.alloc(44);
    bytes.write(`TZif${version}`, "latin1");
    counts.forEach((count, place) => bytes.writeUInt32BE(count, 20 + 4 * place));
    return bytes;
  };
  const type = Buffer.alloc(6 * types);
  if (types > 0) type.writeInt32BE(offset);
  const counts = [0, 0, leaps, 0, types, 4];
  const block = (timeBytes: number) => [
    header(counts),
    type,
    Buffer.from("ABC\0"),
    Buffer.alloc(leaps * (timeBytes + 4)),
  ];
  return Buffer.concat([...block(4), ...block(8), Buffer.from(`\n${footer}\n`)]);
}

describe("the bundled zone data", () => {
  test("is IANA's 2026f, with every name the product ever took", () => {
    const { version, names } = bundledZones();
    expect(version).toBe("2026f");
    expect(names.length).toBe(599);
    expect(Intl.supportedValuesOf("timeZone").filter((name) => findZone(name) !== name)).toEqual([]);
    for (const name of ["UTC", "Etc/UTC", "GMT+0", "EST5EDT", "US/Pacific", "US/Pacific-New", "Asia/Calcutta"])
      expect(findZone(name.toLowerCase())).toBe(name);
  });

  test("differs from the runtime's, from 1970 to 2100, in what IANA changed since 2025b and in nothing else", () => {
    const [from, to] = [Date.UTC(1970, 0, 1), Date.UTC(2101, 0, 1)];
    const differing = bundledZones().names.filter((tz) => {
      const clock = zoneClock(tz);
      const changes = clock.changes(from + 1, to).flatMap(({ at, after }) => [at, after]);
      return !Bun.deepEquals([clock.wallAt(from) - from, ...changes], runtimeChanges(tz, from, to));
    });
    // Morocco, Colombia 1992, Alberta, Cuba, Manitoba, British Columbia, Iran 1979; the rest are links or follow them.
    const changed = `Africa/Casablanca Africa/El_Aaiun America/Bogota America/Edmonton America/Havana America/Inuvik
      America/Rainy_River America/Vancouver America/Winnipeg America/Yellowknife Asia/Tehran Canada/Central Canada/Mountain
      Canada/Pacific Cuba Iran`.split(/\s+/);
    expect(differing.filter((tz) => !changed.includes(tz))).toEqual([]);
  });
});

describe("a TZif file", () => {
  test("without changes follows the rule at its end", () => {
    const { from, offsets } = layOutZone(tzif("XXX-1YYY,M3.5.0,M10.5.0/3"));
    const place = from.indexOf(Date.UTC(2026, 2, 29, 1));
    expect([...offsets.subarray(place, place + 2)]).toEqual([7_200_000, 3_600_000]);
    expect(from[place + 1]).toBe(Date.UTC(2026, 9, 25, 1));
  });

  test.each([
    ["no TZif file", Buffer.from("nothing of the kind"), "is no TZif file"],
    ["of version 1", tzif("", { version: "\0" }), "version 1"],
    ["with leap seconds", tzif("", { leaps: 1 }), "leap seconds"],
    ["without offsets", tzif("", { types: 0 }), "no offset"],
    ["a day from UTC", tzif("", { offset: 86_400 }), "a day or more"],
    ["with summer time and no rule", tzif("XXX5YYY"), "no TZ string"],
    ["with a rule for the thirteenth month", tzif("XXX5YYY,M13.1.0,M10.1.0"), "M13.1.0"],
    ["cut short", tzif("XXX5").subarray(0, 60), "cut short"],
    ["without its last line feed", tzif("XXX5").subarray(0, -1), "cut short"],
  ])("%s is refused", (_what, bytes, message) => {
    expect(() => readTzif(bytes)).toThrow(message);
  });

  test("of any bytes is read or refused in words, never with another error", () => {
    const berlin = Buffer.from(bundledZones().bytesOf("Europe/Berlin") ?? "");
    for (let place = 0; place < berlin.length; place++) {
      const broken = Buffer.from(berlin);
      broken[place] = (broken[place] ?? 0) ^ 0xff;
      for (const bytes of [broken, berlin.subarray(0, place)])
        try {
          readTzif(bytes);
        } catch (error) {
          expect(error instanceof Error && !(error instanceof RangeError) ? "in words" : error).toBe("in words");
        }
    }
  });
});

describe("the rule at the end", () => {
  test.each([
    ["CET-1CEST,M3.5.0,M10.5.0/3", 2026, ["2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"]],
    ["NZST-12NZDT,M9.5.0,M4.1.0/3", 2026, ["2026-04-04T14:00:00Z", "2026-09-26T14:00:00Z"]],
    ["IST-1GMT0,M10.5.0,M3.5.0/1", 2026, ["2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"]],
    ["<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2026, ["2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"]],
    ["IST-2IDT,M3.4.4/26,M10.5.0", 2026, ["2026-03-27T00:00:00Z", "2026-10-24T23:00:00Z"]],
    ["LHST-10:30LHDT-11,M10.1.0,M4.1.0", 2026, ["2026-04-04T15:00:00Z", "2026-10-03T15:30:00Z"]],
    ["AAA0BBB,J60/0,J365/0", 2028, ["2028-03-01T00:00:00Z", "2028-12-30T23:00:00Z"]],
    ["AAA0BBB,59/0,J365/0", 2028, ["2028-02-29T00:00:00Z", "2028-12-30T23:00:00Z"]],
    ["AAA5", 2026, []],
  ])("%s changes the clocks in %d at %p", (text, year, instants) => {
    const found = changesOfYear(parsePosixZone(text), year).map(({ at }) => at);
    expect(found).toEqual(instants.map((instant) => Date.parse(instant)));
  });

  test("summer time all year is one offset", () => {
    const { from, offsets } = layOutZone(tzif("XXX3EDT2,0/0,J365/25", { offset: -7200 }));
    expect([...offsets].slice(0, 1)).toEqual([-7_200_000]);
    // Nothing follows the last year that is laid out.
    expect([...from].slice(1)).toEqual([Date.UTC(2301, 0, 1, 3)]);
  });
});

describe("ZONEINFO_DIR", () => {
  test("of a newer edition is used, for names it has; others are answered by a name with the same clocks, else by the bundled data", () => {
    const directory = directoryOf({ UTC: "UTC", "America/New_York": "Asia/Tokyo", "posix/UTC": "UTC" }, "2026g");
    const { data, passedOver } = chooseZones(directory);
    expect([data.version, data.source, passedOver]).toEqual(["2026g", directory, null]);
    useZones(data);
    const hours = (tz: string) => zoneClock(tz).wallAt(0) / 3_600_000;
    expect(["America/New_York", "US/Eastern", "Europe/Berlin", "Etc/UTC"].map(hours)).toEqual([9, 9, 1, 0]);
    expect(findZone("posix/UTC")).toBeNull();
  });

  test("of the bundled edition is used, and one that is older is passed over and said", () => {
    const same = directoryOf({ UTC: "UTC" }, bundledZones().version);
    expect(chooseZones(same).data.source).toBe(same);
    const older = chooseZones(directoryOf({ UTC: "UTC" }, "2025b"));
    expect([older.data.source, older.passedOver]).toEqual(["bundled", "2025b"]);
    expect(chooseZones(null)).toEqual({ data: bundledZones(), passedOver: null });
  });

  test("another data in use answers at once, also for zones asked about before", () => {
    expect(zoneClock("Europe/Berlin").wallAt(0)).toBe(3_600_000);
    useZones(chooseZones(directoryOf({ UTC: "UTC", "Europe/Berlin": "Asia/Tokyo" }, "2027a")).data);
    expect(zoneClock("Europe/Berlin").wallAt(0)).toBe(9 * 3_600_000);
  });

  test.each([
    ["without an edition", () => directoryOf({ UTC: "UTC" }, null), "does not say its edition"],
    ["without zones", () => directoryOf({}, "2026g"), "no TZif file of UTC"],
    [
      "with a file cut short",
      () => directoryOf({ UTC: "UTC", "Europe/Oslo": tzif("").subarray(0, 50) }, "2026g"),
      "Oslo",
    ],
    ["with leap seconds", () => directoryOf({ UTC: tzif("UTC0", { leaps: 27 }) }, "2026g"), "UTC counts leap seconds"],
    ["that is not there", () => join(tmpdir(), "no-such-zones"), "no-such-zones cannot be read"],
    ["that is a file", () => join(directoryOf({ UTC: "UTC" }, "2026g"), "UTC"), "cannot be read"],
  ])("%s is refused with its place", (_what, directory, message) => {
    expect(() => readZoneDirectory(directory())).toThrow(message);
  });

  test("says its edition in +VERSION too, as on macOS", () => {
    const directory = directoryOf({ UTC: "UTC" }, null);
    cpSync(join(directory, "UTC"), join(directory, "Zulu"));
    writeFileSync(join(directory, "+VERSION"), "2026g\n");
    expect(readZoneDirectory(directory)).toMatchObject({ version: "2026g", names: ["UTC", "Zulu"] });
  });
});
