/** Bytes under construction: `bytes` is replaced by a larger copy when it is full; what is before `start` is done with. */
export type Sink = { bytes: Buffer; start: number; at: number };

/** Why a value does not fit. `path` is a JSON pointer to the place. */
export type Misfit = Error & { path: string };

/** Makes room for `size` more bytes. The record begun moves to the new buffer; finished ones keep the old one. */
export function reserve(sink: Sink, size: number): void {
  if (sink.at + size <= sink.bytes.length) return;
  const begun = sink.at - sink.start;
  const larger = Buffer.allocUnsafeSlow(Math.max(slabBytes, 2 * (begun + size)));
  sink.bytes.copy(larger, 0, sink.start, sink.at);
  sink.bytes = larger;
  sink.start = 0;
  sink.at = begun;
}

export const slabBytes = 64 * 1024;

/** Zigzag and base 128, for whole numbers that a double holds exactly. */
export function writeLong(value: number, sink: Sink): void {
  reserve(sink, 10);
  const { bytes } = sink;
  let at = sink.at;
  if (value >= -0x4000_0000 && value < 0x4000_0000) {
    let rest = ((value << 1) ^ (value >> 31)) >>> 0;
    for (; rest > 127; rest >>>= 7) bytes[at++] = (rest & 127) | 128;
    bytes[at++] = rest;
  } else {
    // Doubling passes 2^53 for the largest values; the lowest bit is taken off first, so that everything stays exact.
    const magnitude = value < 0 ? -(value + 1) : value;
    let low = ((magnitude % 64) * 2 + (value < 0 ? 1 : 0)) | 0;
    let rest = Math.floor(magnitude / 64);
    for (; rest > 0; rest = Math.floor(rest / 128)) {
      bytes[at++] = low | 128;
      low = (rest % 128) | 0;
    }
    bytes[at++] = low;
  }
  sink.at = at;
}

export function misfit(message: string, value: unknown): never {
  throw Object.assign(new Error(`${message}, not ${sketch(value)}`), { path: "" });
}

/** What kind of value it was, never the value: messages end up in logs and dead letters. */
function sketch(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "an array";
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "an invalid Date" : "a Date";
  if (typeof value === "string") return `text of ${value.length} characters`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
