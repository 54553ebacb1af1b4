/**
 * A JSON value in one spelling, whatever the order of its keys, its blanks and the spelling of its numbers were: what
 * RFC 8785 gives for values that JavaScript has read. Of a key given twice a reader has the last.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, part]) => `${JSON.stringify(key)}:${canonicalJson(part)}`).join(",")}}`;
}
