import { misfitOf, type Misfit } from "./misfit.ts";
import type { AvroRecord } from "./json.ts";
import { recordType } from "./record-type.ts";

/** Where records are written one behind the other, so that each costs no buffer of its own. */
type Slab = { bytes: Buffer; at: number };

type RecordEncoder = (value: unknown) => Readonly<{ bytes: Buffer } | { misfit: Misfit }>;

export function openSlab(): Slab {
  return { bytes: Buffer.allocUnsafeSlow(slabBytes), at: 0 };
}

/**
 * An encoder of records, each with `framing` before it and at most `maxBytes` with it. Every field must be there: a
 * default is for readers, and a field that was forgotten would become one in silence. What it returned is never written
 * to again. A TaskCreated of 204 bytes takes 2.3 µs, 0.7 of them the check; as JSON, 448 bytes, into a Buffer 1.7.
 */
export function recordEncoder(
  schema: AvroRecord,
  { framing, maxBytes, slab }: Readonly<{ framing: Uint8Array; maxBytes: number; slab: Slab }>,
): RecordEncoder {
  const type = recordType(withoutDefaults(schema));
  return (value) => {
    const misfit = misfitOf(type, value);
    if (misfit !== null) return { misfit };
    // Beyond the end avsc writes nothing, and says below zero how many bytes were missing.
    let end = type.encode(value, slab.bytes, slab.at + framing.length);
    if (end < 0) {
      const size = slab.bytes.length - end - slab.at;
      if (size > maxBytes) return { misfit: tooLarge(size, maxBytes) };
      slab.bytes = Buffer.allocUnsafeSlow(Math.max(slabBytes, size));
      slab.at = 0;
      end = type.encode(value, slab.bytes, framing.length);
    }
    if (end - slab.at > maxBytes) return { misfit: tooLarge(end - slab.at, maxBytes) };
    slab.bytes.set(framing, slab.at);
    const bytes = slab.bytes.subarray(slab.at, end);
    slab.at = end;
    return { bytes };
  };
}

const slabBytes = 64 * 1024;

function tooLarge(size: number, maxBytes: number): Misfit {
  return { path: "", message: `is ${size} bytes, more than ${maxBytes}` };
}

/** Without them avsc takes a missing field for one that is the default. The bytes of a record are the same. */
function withoutDefaults(schema: AvroRecord): AvroRecord {
  return JSON.parse(JSON.stringify(schema), function (this: object, key, value: unknown) {
    // Only fields have a name and a default and are no enum.
    return key === "default" && "name" in this && !("symbols" in this) ? undefined : value;
  }) as AvroRecord;
}
