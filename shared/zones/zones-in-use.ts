import { bundledZones } from "./bundled-zones.ts";
import type { ZoneData } from "./zone-data.ts";

let chosen: ZoneData | null = null;
let canonical: Readonly<{ of: ZoneData; names: ReadonlyMap<string, string> }> | null = null;

/** The zone data every answer of this process comes from: the bundled one until `useZones` was called. */
export function zonesInUse(): ZoneData {
  return chosen ?? bundledZones();
}

/** Replaces it, for all answers from now on. A role does so once, before it starts. */
export function useZones(data: ZoneData): void {
  chosen = data;
}

/** The usual spelling of a zone's name in whatever letters; `null` when there is none of that name. */
export function findZone(name: string): string | null {
  const data = zonesInUse();
  if (canonical?.of !== data)
    canonical = { of: data, names: new Map(data.names.map((each) => [each.toLowerCase(), each])) };
  // A letter beyond ASCII may have one of ASCII as its small letter.
  return /^[!-~]+$/.test(name) ? (canonical.names.get(name.toLowerCase()) ?? null) : null;
}
