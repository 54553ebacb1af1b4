import { Problem } from "../problem.ts";

/** The versions a request accepts (RFC 9110 §13.1.1): any, or these. */
export type IfMatch = "any" | readonly string[];

/**
 * Reads `If-Match`; missing is "any". Tags are compared strongly, so a weak one never matches; a tag that is no version of ours
 * matches nothing. Throws INVALID_REQUEST for what is not a list of entity tags, such as a number without its quotes.
 */
export function readIfMatch(header: string | undefined): IfMatch {
  if (header === undefined || header.trim() === "*") return "any";
  const tags = header.split(",").map((tag) => tag.trim());
  if (!tags.every((tag) => /^(?:W\/)?"[\x21\x23-\x7e]*"$/.test(tag)))
    throw new Problem("INVALID_REQUEST", undefined, {
      mistakes: [{ path: "header.if-match", message: 'is not an entity tag in quotes, such as "3"' }],
    });
  return tags.filter((tag) => tag.startsWith('"'));
}

/** Reads `If-None-Match`, for which weak tags are as good (RFC 9110 §13.1.2); missing or malformed matches nothing. */
export function readIfNoneMatch(header: string | undefined): IfMatch {
  if (header === undefined) return [];
  return header.trim() === "*" ? "any" : header.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
}

export function matches(wanted: IfMatch, version: number): boolean {
  return wanted === "any" || wanted.includes(etagOf(version));
}

export function etagOf(version: number): string {
  return `"${version}"`;
}
