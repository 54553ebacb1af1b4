import type { Setting } from "../role/config.ts";
import type { Log } from "../role/log.ts";
import type { Metrics } from "../role/metrics.ts";
import { bundledZones } from "./bundled-zones.ts";
import { chooseZones, type ChosenZones } from "./choose-zones.ts";
import { useZones } from "./zones-in-use.ts";

/**
 * A directory of TZif files such as /usr/share/zoneinfo, which an operator keeps up to date apart from this product;
 * unset, the bundled data.
 */
export const zoneSetting: Setting<ChosenZones> = {
  name: "ZONEINFO_DIR",
  fallback: "",
  parse: (directory) => chooseZones(directory === "" ? null : directory),
};

/**
 * Uses the chosen zone data for all answers of this process, and says which: for the log, and in metrics brought up to
 * date by `measure`.
 */
export function startZones(
  { data, passedOver }: ChosenZones,
  { log, metrics, now }: Readonly<{ log: Log; metrics: Metrics; now: () => Date }>,
): Readonly<{ told: Readonly<{ zones: string; zonesFrom: string }>; measure: () => void }> {
  useZones(data);
  if (passedOver !== null)
    log.warn("zone_data_passed_over", { edition: passedOver, used: data.version, why: "older than what is bundled" });
  const isBundled = data.source === bundledZones().source;
  const info = metrics.gauge("zone_data_info", "1: the edition of the zone data in use, and where it is from", [
    "edition",
    "source",
  ]);
  info.set({ edition: data.version, source: isBundled ? "bundled" : "directory" }, 1);
  const age = metrics.gauge("zone_data_age_seconds", "Since the end of the year that the zone data in use are of");
  const yearEnd = Date.UTC(Number(data.version.slice(0, 4)) + 1, 0, 1);
  return {
    told: { zones: data.version, zonesFrom: data.source },
    measure: () => age.set(Math.max(0, now().getTime() - yearEnd) / 1000),
  };
}
