import { taskLimits } from "../../../shared/tasks/task-input.ts";
import { dayOf } from "../calendar-days.ts";
import { hasWord } from "./search-words.ts";
import type { Reader } from "./due-range.ts";
import { beginsSpan, readSpan } from "./filter-span.ts";
import { expected, mistakeAt, readTokens, type FilterTokens } from "./filter-tokens.ts";
import type { FilterTime, FilterTree } from "./filter-tree.ts";

/**
 * What a filter may hold: UTF-16 units, parentheses and nots within one another, terms, and terms that look into the
 * words of a task: of a long task each of these unpacks all words anew.
 */
export const filterLimits = { length: 1_000, depth: 20, terms: 100, searches: 8 } as const;

const times: ReadonlyMap<string, FilterTime> = new Map([
  ["due", "due"],
  ["created", "created"],
  ["added", "created"],
  ["updated", "updated"],
  ["changed", "updated"],
  ["completed", "completed"],
  ["done", "completed"],
]);
const priorities: ReadonlyMap<string, "High" | "Medium" | "Low" | null> = new Map([
  ["p1", "High"],
  ["high", "High"],
  ["p2", "Medium"],
  ["medium", "Medium"],
  ["p3", "Low"],
  ["low", "Low"],
  ["p4", null],
]);

/** The filter that is being read. */
type FilterReading = { readonly tokens: FilterTokens; readonly today: string; terms: number; searches: number };

/**
 * Reads a filter such as `today | overdue & (p1 | #home) & !#waiting`. `&` binds before `|`; `and`, `or` and `not` are
 * the same in words; capitals do not matter. Throws INVALID_REQUEST (`query.filter`), whose message points at the
 * character, counted from 1.
 */
export function parseFilter(text: string, { now, zone }: Reader): FilterTree {
  const reading: FilterReading = { tokens: readTokens(text), today: dayOf(now, zone), terms: 0, searches: 0 };
  const tree = readAny(reading, 0);
  const rest = reading.tokens.peek();
  if (rest.kind !== "end") throw expected(rest, "& or |");
  return tree;
}

function readAny(reading: FilterReading, depth: number): FilterTree {
  const parts = [readEvery(reading, depth)];
  while (reading.tokens.takeSign("|", ",") || reading.tokens.takeWord("or")) parts.push(readEvery(reading, depth));
  return joined("or", parts);
}

function readEvery(reading: FilterReading, depth: number): FilterTree {
  const parts = [readOne(reading, depth)];
  while (reading.tokens.takeSign("&") || reading.tokens.takeWord("and")) parts.push(readOne(reading, depth));
  return joined("and", parts);
}

function readOne(reading: FilterReading, depth: number): FilterTree {
  const { tokens } = reading;
  const { at } = tokens.peek();
  if (depth > filterLimits.depth) throw mistakeAt(at, `is nested more than ${filterLimits.depth} deep`);
  if (tokens.takeSign("!") || tokens.takeWord("not")) return { is: "not", part: readOne(reading, depth + 1) };
  if (tokens.takeSign("(")) {
    const inner = readAny(reading, depth + 1);
    if (!tokens.takeSign(")")) throw expected(tokens.peek(), `")" for the "(" at character ${at}`);
    return inner;
  }
  reading.terms += 1;
  if (reading.terms > filterLimits.terms) throw mistakeAt(at, `has more than ${filterLimits.terms} terms`);
  return readTerm(reading);
}

function readTerm(reading: FilterReading): FilterTree {
  const { tokens, today } = reading;
  const token = tokens.peek();
  if (token.kind === "tag" || token.kind === "text") return readSearch(reading);
  if (token.kind !== "word") throw expected(token, "a term such as today, overdue, p1 or #home");
  if (tokens.takeWord("overdue")) return { is: "overdue" };
  if (tokens.takeWord("open")) return { is: "status", status: "open" };
  if (tokens.takeWord("recurring")) return { is: "recurring" };
  if (tokens.takeWord("no")) return readMissing(tokens);
  if (tokens.takeWord("all")) {
    if (!tokens.takeWord("day")) throw expected(tokens.peek(), "day after all");
    return { is: "all-day" };
  }
  const priority = priorities.get(token.text);
  if (priority !== undefined) {
    tokens.take();
    tokens.takeWord("priority");
    return { is: "priority", priority };
  }
  const time = times.get(token.text);
  return time === undefined
    ? { is: "time", time: "due", ...readSpan(tokens, today) }
    : readTime(tokens, { time, word: tokens.take().text, today });
}

function readSearch(reading: FilterReading): FilterTree {
  const { kind, text, at } = reading.tokens.take();
  reading.searches += 1;
  if (reading.searches > filterLimits.searches)
    throw mistakeAt(at, `has more than ${filterLimits.searches} tags and texts`);
  if (kind === "tag") {
    if (text.length > taskLimits.tagLength)
      throw mistakeAt(at, `has a tag of more than ${taskLimits.tagLength} characters`);
    return { is: "tag", tag: text };
  }
  if (!hasWord(text)) throw mistakeAt(at, "has a text without words");
  return { is: "text", text };
}

/** What follows `no`. */
function readMissing(tokens: FilterTokens): FilterTree {
  if (tokens.takeWord("due", "date")) {
    tokens.takeWord("date");
    return { is: "undated" };
  }
  if (tokens.takeWord("tags", "tag")) return { is: "untagged" };
  if (tokens.takeWord("priority")) return { is: "priority", priority: null };
  throw expected(tokens.peek(), "date, tags or priority after no");
}

/** What follows `due`, `created` and the like; `completed` and `due` may stand alone. */
function readTime(
  tokens: FilterTokens,
  { time, word, today }: Readonly<{ time: FilterTime; word: string; today: string }>,
): FilterTree {
  if (beginsSpan(tokens.peek())) return { is: "time", time, ...readSpan(tokens, today) };
  if (time === "completed") return { is: "status", status: "completed" };
  if (time === "due") return { is: "not", part: { is: "undated" } };
  throw expected(tokens.peek(), `when it was ${word}, such as today, this week or before 2026-12-31,`);
}

function joined(is: "and" | "or", parts: readonly FilterTree[]): FilterTree {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { is, parts };
}
