import { latin1Text } from "../bytes.ts";
import { parsePosixZone, type PosixZone } from "./posix-zone.ts";

/**
 * What a TZif file says: offsets from UTC in ms. The first offset holds before the first change; `changes` rise by
 * `at`, ms since 1970.
 */
type Tzif = Readonly<{
  first: number;
  changes: readonly Readonly<{ at: number; offset: number }>[];
  /** The rule that holds after the last change; `null` when the last offset holds for ever. */
  rest: PosixZone | null;
}>;

const headerBytes = 44;
const dayMs = 86_400_000;

/** Whether a file begins as a TZif file does. */
export function isTzif(bytes: Uint8Array): boolean {
  return bytes.length > 4 && latin1Text(bytes.subarray(0, 4)) === "TZif";
}

/**
 * Reads a TZif file (RFC 8536, RFC 9636) of version 2 or later; abbreviations and the block for 32-bit readers are
 * passed over. Throws an Error that says what is wrong: cut short, version 1 (it ends in 2037), leap seconds counted in
 * (its times are not POSIX's), or out of range.
 */
export function readTzif(bytes: Uint8Array): Tzif {
  if (!isTzif(bytes)) throw new Error("is no TZif file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (view.getUint8(4) < "2".charCodeAt(0)) throw new Error("is a TZif file of version 1, which ends in 2037");
    return readBlock(view, headerBytes + blockBytes(countsAt(view, 0), 4));
  } catch (error) {
    throw error instanceof RangeError ? new Error("is a TZif file that is cut short") : error;
  }
}

type TzifCounts = Readonly<{
  utc: number;
  standard: number;
  leaps: number;
  times: number;
  types: number;
  letters: number;
}>;

function countsAt(view: DataView, header: number): TzifCounts {
  const at = (place: number) => view.getUint32(header + 20 + 4 * place);
  return { utc: at(0), standard: at(1), leaps: at(2), times: at(3), types: at(4), letters: at(5) };
}

function blockBytes({ utc, standard, leaps, times, types, letters }: TzifCounts, timeBytes: 4 | 8): number {
  return times * (timeBytes + 1) + types * 6 + letters + leaps * (timeBytes + 4) + standard + utc;
}

function readBlock(view: DataView, header: number): Tzif {
  const counts = countsAt(view, header);
  if (counts.leaps > 0) throw new Error("counts leap seconds; the directory without them is wanted");
  if (counts.types === 0) throw new Error("names no offset");
  const times = header + headerBytes;
  const types = times + counts.times * 9;
  const offsetOf = (type: number): number => {
    if (type >= counts.types) throw new Error("names an offset that it does not have");
    const offset = view.getInt32(types + type * 6) * 1000;
    if (Math.abs(offset) >= dayMs) throw new Error("has an offset of a day or more");
    return offset;
  };
  const changes = Array.from({ length: counts.times }, (_, place) => ({
    at: Number(view.getBigInt64(times + place * 8)) * 1000,
    offset: offsetOf(view.getUint8(times + counts.times * 8 + place)),
  }));
  if (changes.some(({ at }, place) => at <= (changes[place - 1]?.at ?? -Infinity)))
    throw new Error("has changes that are out of order");
  const footer = readFooter(view, times + blockBytes(counts, 8));
  return { first: offsetOf(0), changes, rest: footer === "" ? null : parsePosixZone(footer) };
}

/** The line between two line feeds at the end. */
function readFooter(view: DataView, begin: number): string {
  if (view.getUint8(begin) !== 10) throw new Error("has no footer");
  let end = begin + 1;
  while (view.getUint8(end) !== 10) end++;
  return latin1Text(new Uint8Array(view.buffer, view.byteOffset + begin + 1, end - begin - 1));
}
