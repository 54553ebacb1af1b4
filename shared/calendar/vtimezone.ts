import { component, contentLine } from "./content-line.ts";

const firstYear = 1970;
const lastYear = 2050;

/** Of each zone there is, once it was asked for: some 2 kB. A process knows one zone database. */
const written = new Map<string, string>();

/** See `writeVtimezone`. */
export function vtimezone(tz: string): string {
  const text = written.get(tz) ?? writeVtimezone(tz);
  written.set(tz, text);
  return text;
}

/**
 * VTIMEZONE of an IANA zone: every change of its clocks from 1970 to 2050, as far as the platform's zone database knows them. Later
 * ones follow the last rule here; programs that know the zone by its name, as most do, need none of it.
 */
function writeVtimezone(tz: string): string {
  const changes = new Map<string, string[]>();
  let at = Temporal.PlainDateTime.from(`${firstYear}-01-01T00:00:00`).toZonedDateTime(tz);
  const begin = at.offsetNanoseconds;
  changes.set(`STANDARD ${begin} ${begin}`, [local(at, begin)]);
  for (;;) {
    const next = at.getTimeZoneTransition("next");
    if (next === null || next.year > lastYear) break;
    const [from, to] = [at.offsetNanoseconds, next.offsetNanoseconds];
    const key = `${to > from ? "DAYLIGHT" : "STANDARD"} ${from} ${to}`;
    // The moment of a change is told on the clock before it.
    if (from !== to) changes.set(key, [...(changes.get(key) ?? []), local(next, from)]);
    at = next;
  }
  const observances = [...changes].map(([key, [start = "", ...rest]]) => {
    const [kind = "", from, to] = key.split(" ");
    return component(kind, [
      contentLine("DTSTART", start),
      contentLine("TZOFFSETFROM", offset(Number(from))),
      contentLine("TZOFFSETTO", offset(Number(to))),
      ...(rest.length > 0 ? [contentLine("RDATE", rest.join(","))] : []),
    ]);
  });
  return component("VTIMEZONE", [contentLine("TZID", tz), ...observances]);
}

function local(at: Temporal.ZonedDateTime, offsetNanoseconds: number): string {
  const shifted = new Date(at.epochMilliseconds + offsetNanoseconds / 1e6);
  return shifted.toISOString().slice(0, 19).replace(/[-:]/g, "");
}

/** `+0530`; seconds where an old clock had some. */
function offset(nanoseconds: number): string {
  const seconds = Math.abs(nanoseconds) / 1e9;
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const rest = seconds % 60 === 0 ? "" : two(seconds % 60);
  return `${nanoseconds < 0 ? "-" : "+"}${two(seconds / 3600)}${two((seconds / 60) % 60)}${rest}`;
}
