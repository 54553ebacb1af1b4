const controls = /[\p{Cc}\u2028\u2029]+/gu;
/** Embeddings, overrides and isolates, which turn the direction of what follows, and the signs that end them. */
const turning = /[\u202a-\u202e\u2066-\u2069]/g;
/** The blocks of letters that are written from right to left, and the mark that counts as one. */
const rightToLeft = /[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** What a person wrote as one line: control characters, which older builds took, are spaces. */
export function oneLine(text: string): string {
  return text.replaceAll(controls, " ");
}

/**
 * What a person wrote as a part of a line of ours, whose other parts keep their order: nothing in it turns the
 * direction of writing, and where it has letters from right to left it is isolated (UAX #9: FSI … PDI).
 */
export function isolated(text: string): string {
  const line = oneLine(text).replaceAll(turning, "").replaceAll(/\s+/g, " ").trim();
  return rightToLeft.test(line) ? `\u2068${line}\u2069` : line;
}
