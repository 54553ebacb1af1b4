import { uuidBytes, uuidV5 } from "../uuid.ts";

/** The namespace of every computed id. Changing it would make every derived message and row look new. */
const namespace = uuidBytes("6f1f4f0e-5d0a-5b7e-9f0e-3c1f3c9f7a11");

/**
 * UUIDv5 (RFC 9562 §5.5) of the parts, in order: the same parts give the same id in every process, for ever.
 * Parts are length-prefixed, so ("ab","c") and ("a","bc") differ.
 */
export function deriveId(...parts: readonly string[]): string {
  return uuidV5(parts.map((part) => `${part.length}:${part}`).join(""), namespace);
}
