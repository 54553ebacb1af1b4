import { bundledZones } from "../../shared/zones/bundled-zones.ts";
import { useZones } from "../../shared/zones/zones-in-use.ts";

/**
 * Runs `work` with another edition of the zone data, in which these zones have the clocks of others; then all is as
 * before.
 */
export async function withZones<T>(
  edition: string,
  clocks: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  const bundled = bundledZones();
  useZones({ ...bundled, version: edition, bytesOf: (name) => bundled.bytesOf(clocks[name] ?? name) });
  try {
    return await work();
  } finally {
    useZones(bundled);
  }
}
