import { chooseZones } from "../../shared/zones/choose-zones.ts";
import type { Finding } from "./finding.ts";

/** Which zone data the roles will use with this ZONEINFO_DIR; `bad` where they would not start. */
export function examineZones(directory: string | null): Finding {
  const what = "zone data";
  try {
    const { data, passedOver } = chooseZones(directory);
    const found = `IANA ${data.version}, ${data.source}`;
    if (passedOver === null) return { state: "good", what, found };
    return { state: "note", what, found: `${found}; ${directory} has ${passedOver}, which is older` };
  } catch (error) {
    const how = "ZONEINFO_DIR: a directory of TZif files with its tzdata.zi, or unset";
    return { state: "bad", what, found: error instanceof Error ? error.message : String(error), how };
  }
}
