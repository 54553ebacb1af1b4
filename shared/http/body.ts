import { Problem, type Mistake } from "../problem.ts";
import { scanJson } from "./scan-json.ts";

/** What a body may be. Depth, values and texts are bounded before anything is parsed or validated. */
export type BodyLimits = Readonly<{
  bytes: number;
  /** Levels of arrays and objects. */
  depth: number;
  /** Entries of all arrays and objects together. */
  values: number;
  /** UTF-16 units of one string or key: more than any field takes, so that no pattern is ever tried on a longer one. */
  textLength: number;
}>;

/** Room for a megabyte in one field, so that the answer names the field instead of the body. */
export const defaultBodyLimits: BodyLimits = { bytes: 1280 * 1024, depth: 64, values: 10_000, textLength: 32_768 };

const maxMistakes = 50;

/**
 * The body of a request as text: at most `limits.bytes` (else BODY_TOO_LARGE, told as soon as it is known), UTF-8 (else
 * MALFORMED_JSON), within the other limits, and without JSON escapes of what no part below can store or compare: NUL,
 * which Postgres refuses, and lone surrogates, which turn into another character when they are encoded (else
 * INVALID_REQUEST, naming each place, 50 at most).
 */
export async function readBoundedBody(request: Request, limits: BodyLimits): Promise<string> {
  const bytes = await readBytes(request, limits.bytes);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Problem("MALFORMED_JSON", "The body is not UTF-8", { cause });
  }
  const found = scanJson(text, limits);
  if (found.isTooDeep) throw invalid([{ path: "/", message: `is nested deeper than ${limits.depth} levels` }]);
  if (found.hasTooMany) throw invalid([{ path: "/", message: `has more than ${limits.values} values` }]);
  if (found.longestText > limits.textLength || /\\u(?:0000|d[89a-f])/i.test(text)) refuseTexts(text, limits.textLength);
  return text;
}

/** At most so many bytes, else BODY_TOO_LARGE. */
export async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = () => new Problem("BODY_TOO_LARGE", `The body may have ${maxBytes} bytes`);
  const declared = request.headers.get("content-length");
  if (declared !== null) {
    if (Number(declared) > maxBytes) throw tooLarge();
    // A server never hands on more than was declared, so nothing is counted on this path, the usual one.
    const bytes = new Uint8Array(await request.arrayBuffer());
    if (bytes.byteLength > maxBytes) throw tooLarge();
    return bytes;
  }
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/** A value and the way to it; the pointer is written only for those that are wrong. */
type JsonPlace = Readonly<{ value: unknown; key: string; parent: JsonPlace | null }>;

function refuseTexts(text: string, maxLength: number): void {
  const mistakes: Mistake[] = [];
  const examine = (examined: string, at: JsonPlace): void => {
    if (!examined.isWellFormed() || examined.includes("\0"))
      mistakes.push({ path: pointerOf(at), message: "has a NUL character or half a surrogate pair" });
    else if (examined.length > maxLength)
      mistakes.push({ path: pointerOf(at), message: `has more than ${maxLength} characters` });
  };
  const waiting: JsonPlace[] = [{ value: parsed(text), key: "", parent: null }];
  for (let next = waiting.pop(); next !== undefined && mistakes.length < maxMistakes; next = waiting.pop()) {
    if (typeof next.value === "string") examine(next.value, next);
    if (typeof next.value !== "object" || next.value === null) continue;
    for (const [key, value] of Object.entries(next.value)) {
      examine(key, next);
      waiting.push({ value, key, parent: next });
    }
  }
  if (mistakes.length > 0) throw invalid(mistakes.slice(0, maxMistakes));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Problem("MALFORMED_JSON", undefined, { cause });
  }
}

function invalid(mistakes: readonly Mistake[]): Problem {
  return new Problem("INVALID_REQUEST", undefined, { mistakes });
}

function pointerOf(place: JsonPlace): string {
  const tokens: string[] = [];
  for (let at = place; at.parent !== null; at = at.parent) tokens.unshift(pointerToken(at.key));
  return `/${tokens.join("/")}`;
}

/** RFC 6901 §3; the first 64 characters of a key, which tell which it is. */
export function pointerToken(key: string | number): string {
  return String(key).slice(0, 64).toWellFormed().replaceAll("~", "~0").replaceAll("/", "~1");
}
