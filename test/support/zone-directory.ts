import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { bundledZones } from "../../shared/zones/bundled-zones.ts";

/**
 * A directory of zone data, gone when disposed of: each name has the clocks of a bundled zone, or these bytes.
 * `edition`: `null` for one that does not say its edition.
 */
export function makeZoneDirectory(
  zones: Readonly<Record<string, Uint8Array | string>>,
  edition: string | null,
): Readonly<{ path: string }> & Disposable {
  const path = mkdtempSync(join(tmpdir(), "zones-"));
  for (const [name, from] of Object.entries(zones)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    const bytes = typeof from === "string" ? bundledZones().bytesOf(from) : from;
    writeFileSync(join(path, name), bytes ?? "");
  }
  if (edition !== null) writeFileSync(join(path, "tzdata.zi"), `# version ${edition}\n# …\n`);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
