import { instantOf } from "../recurrence/find-recurrence.ts";
import { knownZone } from "../recurrence/recurrence-pattern.ts";

/** A local time and its zone as text, `2026-12-01T09:00:00[America/Vancouver]` (RFC 9557). */
export function localDue(local: string, tz: string): string {
  return `${local}[${tz}]`;
}

/**
 * The instant of such a text, by the zone data in use; one in a gap is moved past it. `null` for a zone that is not
 * known any more.
 */
export function instantOfLocalDue(text: string): Date | null {
  const [, local = "", tz = ""] = /^([^[]+)\[([^\]]+)\]$/.exec(text) ?? [];
  const zone = knownZone(tz);
  return zone === null ? null : instantOf(local, zone);
}
