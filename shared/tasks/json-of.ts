import type { FieldValue } from "./fold-fields.ts";

/** A column's value as events and answers have it: times are RFC 3339 UTC. */
export type JsonOf<V> = V extends Date ? string : V;

export function jsonOf<V extends FieldValue | Date>(value: V): JsonOf<V> {
  return (value instanceof Date ? value.toISOString() : value) as JsonOf<V>; // The type says what this does.
}
