import { Problem } from "../problem.ts";

/** The versions a request accepts (RFC 9110 §13.1.1): any, or these. */
export type IfMatch = "any" | readonly string[];

/** RFC 9110 §8.8.3: a comma may stand inside a tag. */
const tag = '(?:W/)?"[\\x21\\x23-\\x7e]*"';
const tagList = new RegExp(`^\\s*${tag}(?:\\s*,\\s*${tag})*\\s*$`);

function tagsOf(header: string): readonly string[] {
  return header.match(new RegExp(tag, "g")) ?? [];
}

/**
 * Reads `If-Match`; missing is "any". Tags are compared strongly, so a weak one never matches; a tag that is no version
 * of ours matches nothing. Throws INVALID_REQUEST for what is not a list of entity tags, such as a number without its
 * quotes.
 */
export function readIfMatch(header: string | undefined): IfMatch {
  if (header === undefined || header.trim() === "*") return "any";
  if (!tagList.test(header))
    throw new Problem("INVALID_REQUEST", undefined, {
      mistakes: [{ path: "header.if-match", message: 'is not an entity tag in quotes, such as "3"' }],
    });
  return tagsOf(header).filter((tag) => tag.startsWith('"'));
}

/** Reads `If-None-Match`, for which weak tags are as good (RFC 9110 §13.1.2); missing or malformed matches nothing. */
export function readIfNoneMatch(header: string | undefined): IfMatch {
  if (header === undefined) return [];
  if (header.trim() === "*") return "any";
  return tagList.test(header) ? tagsOf(header).map((tag) => tag.replace(/^W\//, "")) : [];
}

export function matches(wanted: IfMatch, version: number): boolean {
  return wanted === "any" || wanted.includes(etagOf(version));
}

export function etagOf(version: number): string {
  return `"${version}"`;
}
