import { expect, test } from "bun:test";
import { join } from "node:path";
import { vtimezone } from "../../workers/task-service/calendar/vtimezone.ts";
import { zoneClock } from "../../shared/recurrence/zone-clock.ts";
import { findPython, lacks, runPython } from "../support/python.ts";
import { randomOf } from "../support/random.ts";

const python = await findPython();
/**
 * Rules and lists of every kind, and changes of half an hour, of the day itself, and of a zone that ended summer time.
 */
const zones =
  "Europe/Berlin Europe/Dublin America/New_York America/Santiago America/Sao_Paulo America/Havana Africa/Cairo Africa/Casablanca " +
  "Asia/Kolkata Asia/Tehran Asia/Gaza Australia/Lord_Howe Pacific/Apia";
const [begin, end] = [Date.UTC(1972, 0, 8), Date.UTC(2100, 0, 1)];

test.skipIf(lacks(python))(
  `zones are read by icalendar as their clocks show them${python.why}`,
  async () => {
    const random = randomOf(3);
    const asked = zones.split(" ").map((tz) => {
      const { wallAt, instantAt, lastInstantAt } = zoneClock(tz);
      const times = Array.from({ length: 400 }, () => begin + Math.floor((random() * (end - begin)) / 60_000) * 60_000)
        .map((at) => ({ at, wall: wallAt(at) }))
        // A time that comes twice is read as either.
        .filter(({ wall }) => instantAt(wall) === lastInstantAt(wall));
      // Under its own name it would be read from Python's zone data.
      const text = vtimezone(tz).replace(`TZID:${tz}`, `TZID:X-${tz.replace("/", "-")}`);
      return { tz, times, text: `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n${text}END:VCALENDAR\r\n` };
    });
    const input = asked.map(({ text, times }) => ({
      text,
      walls: times.map(({ wall }) => new Date(wall).toISOString().slice(0, 19)),
    }));
    const answers: readonly { errors: string[]; offsets: number[] }[] = JSON.parse(
      await runPython(python, [join(import.meta.dir, "vtimezone_read.py")], JSON.stringify(input)),
    );
    const wrong = asked.flatMap(({ tz, times }, place) =>
      times.flatMap(({ at, wall }, n) =>
        answers[place]?.offsets[n] === (wall - at) / 1000 ? [] : [`${tz} ${new Date(at).toISOString()}`],
      ),
    );
    expect(answers.flatMap(({ errors }) => errors)).toEqual([]);
    expect(wrong).toEqual([]);
  },
  60_000,
);
