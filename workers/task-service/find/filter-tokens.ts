import { Problem } from "../../../shared/problem.ts";

/** A piece of a filter. `at` counts characters from 1. Words are in small letters; tags and texts are as they stand. */
export type FilterToken = Readonly<{ kind: "word" | "tag" | "text" | "sign" | "end"; text: string; at: number }>;

/** The pieces of a filter in their order. */
export type FilterTokens = Readonly<{
  /** The next one, which stays; of kind `end` behind the last. */
  peek: () => FilterToken;
  take: () => FilterToken;
  /** Takes the next one if it is one of these words; whether it was. */
  takeWord: (...words: readonly string[]) => boolean;
  takeSign: (...signs: readonly string[]) => boolean;
}>;

// A tag runs to the next sign or space, or stands in quotes: #"two words".
const shapes: readonly (readonly [kind: FilterToken["kind"], shape: RegExp])[] = [
  ["sign", /^[&|,!()]/u],
  ["tag", /^#"([^"]+)"/u],
  ["tag", /^#([^\s&|,!()"]+)/u],
  ["text", /^"([^"]+)"/u],
  ["word", /^[^\s&|,!()"#]+/u],
];

/** Throws INVALID_REQUEST (`query.filter`) at what is no piece of a filter. */
export function readTokens(text: string): FilterTokens {
  const tokens = splitTokens(text);
  const end: FilterToken = { kind: "end", text: "", at: [...text].length + 1 };
  let at = 0;
  const peek = () => tokens[at] ?? end;
  const takeKind = (kind: FilterToken["kind"], texts: readonly string[]): boolean => {
    const token = peek();
    if (token.kind !== kind || !texts.includes(token.text)) return false;
    at += 1;
    return true;
  };
  return {
    peek,
    take: () => {
      const token = peek();
      at += 1;
      return token;
    },
    takeWord: (...words) => takeKind("word", words),
    takeSign: (...signs) => takeKind("sign", signs),
  };
}

/** That a piece is not what may stand there; `what` says what may, as "a day". */
export function expected(token: FilterToken, what: string): Problem {
  const found = token.kind === "end" ? "ends" : `has "${token.text.slice(0, 40)}"`;
  return mistakeAt(token.at, `${found} where ${what} should come`);
}

export function mistakeAt(at: number, message: string): Problem {
  const said = `${message} (character ${at})`;
  return new Problem("INVALID_REQUEST", undefined, { mistakes: [{ path: "query.filter", message: said }] });
}

function splitTokens(text: string): readonly FilterToken[] {
  const tokens: FilterToken[] = [];
  let rest = text;
  let at = 1;
  const pass = (length: number) => {
    at += Array.from(rest.slice(0, length)).length;
    rest = rest.slice(length);
  };
  for (;;) {
    pass(rest.length - rest.trimStart().length);
    if (rest === "") return tokens;
    const { length, ...token } = splitOne(rest, at);
    tokens.push(token);
    pass(length);
  }
}

function splitOne(rest: string, at: number): FilterToken & Readonly<{ length: number }> {
  for (const [kind, shape] of shapes) {
    const found = shape.exec(rest);
    const text = (found?.[1] ?? found?.[0] ?? "").trim();
    if (found === null || text === "") continue;
    return { kind, text: kind === "word" ? text.toLowerCase() : text, at, length: found[0].length };
  }
  throw mistakeAt(at, rest.startsWith("#") ? 'has a "#" without a tag' : "has a quote that is empty or is not closed");
}
