import { changesOfYear } from "./posix-zone.ts";
import { readTzif } from "./read-tzif.ts";

/**
 * Every offset of a zone in order: `offsets[n]` ms from UTC holds from `from[n]` on, ms since 1970, to `from[n + 1]`.
 * The first holds from -Infinity. Neighbours differ.
 */
export type ZoneTable = Readonly<{ from: Float64Array; offsets: Int32Array }>;

/** A hundred years past the last day the product takes; later, the offset of that year's end holds. */
const lastYear = 2300;
/** Where the rule at the end of a file begins if the file has no change before it. */
const firstYear = 1900;

/** Lays out a TZif file, some 600 changes for a zone with summer time. Throws what `readTzif` throws. */
export function layOutZone(bytes: Uint8Array): ZoneTable {
  const { first, changes, rest } = readTzif(bytes);
  const from = [-Infinity];
  const offsets = [first];
  const add = ({ at, offset }: Readonly<{ at: number; offset: number }>): void => {
    // The end of one rule and the beginning of the next may fall on one instant; the later one decides.
    if (at === from.at(-1)) {
      from.pop();
      offsets.pop();
    }
    if (offset === offsets.at(-1)) return;
    from.push(at);
    offsets.push(offset);
  };
  changes.forEach(add);
  const last = changes.at(-1)?.at ?? Date.UTC(firstYear, 0, 1);
  if (rest?.summer)
    for (let year = new Date(last).getUTCFullYear(); year <= lastYear; year++)
      for (const change of changesOfYear(rest, year)) if (change.at > last) add(change);
  return { from: Float64Array.from(from), offsets: Int32Array.from(offsets) };
}
