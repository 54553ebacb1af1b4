type JsonLimits = Readonly<{ depth: number; values: number }>;

/** What JSON text would cost its readers, seen without parsing it. */
type JsonScan = Readonly<{
  isTooDeep: boolean;
  hasTooMany: boolean;
  /** The longest string or key as it is written: escapes make it longer than what it stands for, never shorter. */
  longestText: number;
}>;

const quote = 34;
const backslash = 92;
const comma = 44;
const openings: readonly number[] = [91, 123];
const closings: readonly number[] = [93, 125];

/**
 * Looks once at every character, in constant memory, and stops at the first limit that is passed. A parser and a
 * validator recurse by depth and report by value, so both are bounded before they run. Text that is not JSON gives any
 * result.
 */
export function scanJson(text: string, limits: JsonLimits): JsonScan {
  let depth = 0;
  let values = 1;
  let longestText = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      const begin = at + 1;
      at = endOfString(text, begin);
      longestText = Math.max(longestText, at - begin);
    } else if (code === comma) values += 1;
    else if (openings.includes(code)) {
      depth += 1;
      values += 1;
      if (depth > limits.depth) return { isTooDeep: true, hasTooMany: false, longestText };
    } else if (closings.includes(code)) depth -= 1;
    if (values > limits.values) return { isTooDeep: false, hasTooMany: true, longestText };
  }
  return { isTooDeep: false, hasTooMany: false, longestText };
}

function endOfString(text: string, begin: number): number {
  for (let at = begin; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) return at;
    if (code === backslash) at += 1;
  }
  return text.length;
}
