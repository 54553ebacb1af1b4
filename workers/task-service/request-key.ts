import type { HonoRequest } from "hono";
import type { RequestKey } from "./answer.ts";

/** The key of a request, and the SHA-256 of its method, path and body: the same key with another of these is a mistake. */
export async function requestKey(key: string, request: HonoRequest): Promise<RequestKey> {
  const body = request.raw.body === null ? "" : await request.text();
  const same = new TextEncoder().encode(`${request.method} ${request.path}\n${body}`);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", same));
  return { key, fingerprint: btoa(String.fromCharCode(...hash)) };
}
