import { misfit, reserve, writeLong, type Sink } from "./schema-sink.ts";

/** Appends the Avro binary form of `value` to the sink. Throws a `Misfit` when the value is not of the schema. */
export type Encode = (value: unknown, sink: Sink) => void;

export function encodeInt(value: unknown, sink: Sink): void {
  if (typeof value !== "number" || (value | 0) !== value) misfit("must be a whole number of 32 bits", value);
  writeLong(value, sink);
}

export function encodeLong(value: unknown, sink: Sink): void {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) misfit("must be a whole number below 2^53", value);
  writeLong(value, sink);
}

export function encodeInstant(value: unknown, sink: Sink): void {
  if (!(value instanceof Date)) misfit("must be a Date", value);
  const ms = value.getTime();
  if (Number.isNaN(ms)) misfit("must be a valid Date", value);
  writeLong(ms, sink);
}

export function encodeDay(value: unknown, sink: Sink): void {
  if (typeof value !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(value)) misfit("must be a day YYYY-MM-DD", value);
  const ms = Date.parse(value);
  // Date.parse takes 2026-02-30 for a day in March.
  if (Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(value)) misfit("must be a day of the calendar", value);
  writeLong(ms / 86_400_000, sink);
}

export function encodeFloat(size: 4 | 8): Encode {
  return (value, sink) => {
    if (typeof value !== "number" || !Number.isFinite(value)) misfit("must be a finite number", value);
    reserve(sink, size);
    if (size === 8) sink.bytes.writeDoubleLE(value, sink.at);
    else sink.bytes.writeFloatLE(value, sink.at);
    sink.at += size;
  };
}

export function encodeBytes(value: unknown, sink: Sink): void {
  if (!(value instanceof Uint8Array)) misfit("must be bytes", value);
  writeLong(value.length, sink);
  reserve(sink, value.length);
  sink.bytes.set(value, sink.at);
  sink.at += value.length;
}

export function encodeString(value: unknown, sink: Sink): void {
  if (typeof value !== "string") misfit("must be text", value);
  const { length } = value;
  if (length < 64) {
    // Short text is mostly ASCII: byte by byte beats a call into the runtime; anything else starts over below.
    reserve(sink, length + 1);
    const { bytes } = sink;
    let at = sink.at;
    bytes[at++] = 2 * length;
    let i = 0;
    for (; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 127) break;
      bytes[at++] = code;
    }
    if (i === length) {
      sink.at = at;
      return;
    }
  }
  if (!value.isWellFormed()) misfit("must be well-formed text without lone surrogates", value);
  const size = Buffer.byteLength(value);
  writeLong(size, sink);
  reserve(sink, size);
  sink.at += sink.bytes.write(value, sink.at, "utf8");
}

const dash = 45;

export function encodeUuid(value: unknown, sink: Sink): void {
  if (typeof value !== "string" || value.length !== 36) misfit("must be a UUID", value);
  reserve(sink, 37);
  const { bytes } = sink;
  let at = sink.at;
  bytes[at++] = 72;
  for (let i = 0; i < 36; i++) {
    const code = value.charCodeAt(i);
    const expected = i === 8 || i === 13 || i === 18 || i === 23 ? code === dash : isHex(code);
    if (!expected) misfit("must be a UUID", value);
    bytes[at++] = code;
  }
  sink.at = at;
}

function isHex(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 97 && code <= 102) || (code >= 65 && code <= 70);
}
