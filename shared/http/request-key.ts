import { z } from "@hono/zod-openapi";
import type { HonoRequest } from "hono";
import { Problem } from "../problem.ts";

/** What a request with an Idempotency-Key brings: its key, and what makes it the same request. */
export type RequestKey = Readonly<{ key: string; fingerprint: string }>;

/** How long an answer is kept under its key. */
export const keptHours = 24;

const key = z.string().regex(/^[\x21-\x7e]{1,255}$/, "is not 1 to 255 visible ASCII characters");

/** The header, for the `headers` of a route that keeps its answers: 1 to 255 visible ASCII characters. */
export const keyHeader = {
  "idempotency-key": key.optional().openapi({
    description:
      "Sending the same request again with the same key gives the same answer and changes nothing, for a day. The same request has the " +
      "same method, path and query, and a body that says the same, however it is spelt; another one with the key answers 422.",
    "x-parameter": { "x-replays": true },
  }),
};

/** The same header where a request is done once anyway, and its answer not kept. */
export const needlessKeyHeader = {
  "idempotency-key": key.optional().openapi({
    description: "Taken and not needed: asking twice is asking once.",
  }),
};

/** The key of a request, `null` without one, and the SHA-256 of its method, path, query and body. */
export async function requestKey(key: string | undefined, request: HonoRequest): Promise<RequestKey | null> {
  if (key === undefined) return null;
  const body = request.raw.body === null ? "" : await request.text();
  const same = new TextEncoder().encode(`${request.method} ${request.path}${new URL(request.url).search}\n${body}`);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", same));
  return { key, fingerprint: btoa(String.fromCharCode(...hash)) };
}

/** The answer kept under the key of this request. Throws IDEMPOTENCY_KEY_REUSED when it was that of another method, path, query or body. */
export function replayOf<Kept extends Readonly<{ fingerprint: string }>>(kept: Kept, key: RequestKey): Kept {
  if (kept.fingerprint !== key.fingerprint) throw new Problem("IDEMPOTENCY_KEY_REUSED");
  return kept;
}

/** Sent with an answer that was given before. */
export const replayedHeader = "idempotent-replayed";
