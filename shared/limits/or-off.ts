import type { Setting } from "../role/config.ts";

/** A number that may be `off`, which is 0. */
export function orOff(setting: Setting<number>): Setting<number> {
  return { ...setting, parse: (value) => (value === "off" ? 0 : setting.parse(value)) };
}
