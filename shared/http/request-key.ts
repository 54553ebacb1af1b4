import { z } from "@hono/zod-openapi";
import type { HonoRequest } from "hono";
import { Problem } from "../problem.ts";
import { canonicalJson } from "./canonical-json.ts";

/**
 * What a request with an Idempotency-Key brings: its key, what makes it the same request, and the request as it was
 * spelt, by which builds before this one knew it again.
 */
export type RequestKey = Readonly<{ key: string; fingerprint: string; spelt: string }>;

/** How long an answer is kept under its key. */
export const keptHours = 24;

const key = z.string().regex(/^[\x21-\x7e]{1,255}$/, "is not 1 to 255 visible ASCII characters");

/** The header, for the `headers` of a route that keeps its answers: 1 to 255 visible ASCII characters. */
export const keyHeader = {
  "idempotency-key": key.optional().openapi({
    description:
      "Sending the same request again with the same key gives the same answer and changes nothing, for a day. The same request has the " +
      "same method, path and query, and a body that says the same, whatever the order of its keys, its blanks and the spelling of its numbers; another one with the key answers 422.",
    "x-parameter": { "x-replays": true },
  }),
};

/** The same header where a request is done once anyway, and its answer not kept. */
export const needlessKeyHeader = {
  "idempotency-key": key.optional().openapi({
    description: "Taken and not needed: asking twice is asking once.",
  }),
};

/** What a fingerprint of the meaning begins with; one without it was made of the bytes. */
const ofMeaning = "m:";

/**
 * The key of a request, `null` without one, and the SHA-256 of what it asks for: its method, path, query and body. A
 * client that writes its JSON anew for a second try may write it otherwise; it is the same request all the same.
 */
export async function requestKey(key: string | undefined, request: HonoRequest): Promise<RequestKey | null> {
  if (key === undefined) return null;
  const body = request.raw.body === null ? "" : await request.text();
  const { search, searchParams } = new URL(request.url);
  // Ids in paths are taken in either case.
  const path = request.path.toLowerCase();
  const query = search === "" ? "" : JSON.stringify([...searchParams].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return {
    key,
    fingerprint: `${ofMeaning}${await digest(`${request.method} ${path} ${query}\n${meaningOf(body)}`)}`,
    spelt: `${request.method} ${request.path}${search}\n${body}`,
  };
}

function meaningOf(body: string): string {
  try {
    return canonicalJson(JSON.parse(body));
  } catch {
    return body; // nothing was sent, or nothing that a route reads
  }
}

/**
 * The answer kept under the key of this request. Rejects with IDEMPOTENCY_KEY_REUSED when it was that of another
 * method, path, query or body. What an older build kept is compared as that build did, by the bytes.
 */
export async function replayOf<Kept extends Readonly<{ fingerprint: string }>>(
  kept: Kept,
  { fingerprint, spelt }: RequestKey,
): Promise<Kept> {
  const same = kept.fingerprint.startsWith(ofMeaning) ? fingerprint : await digest(spelt);
  if (kept.fingerprint !== same) throw new Problem("IDEMPOTENCY_KEY_REUSED");
  return kept;
}

async function digest(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(hash)));
}

/** Sent with an answer that was given before. */
export const replayedHeader = "idempotent-replayed";
