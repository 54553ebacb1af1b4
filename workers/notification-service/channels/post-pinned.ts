import http from "node:http";
import https from "node:https";
import type { LookupFunction } from "node:net";
import type { Address } from "./resolve-public.ts";

type Post = Readonly<{
  url: URL;
  headers: Readonly<Record<string, string>>;
  body: string;
  /** Connects to one of these, whatever the name resolves to by then; `null`: to what it resolves to. */
  addresses: readonly Address[] | null;
  /** For connecting, sending and the head of the answer together. */
  timeoutMs: number;
  /** Certificate authorities beside the known ones, in PEM. */
  ca?: string;
}>;

export type WebhookAnswer = Readonly<{ status: number; retryAfter: string | null }>;

/**
 * Posts once, on a connection of its own: a reused one could lead to the address that the name had before. Follows no
 * redirect and reads no body, because a receiver could send one without end. The certificate is checked against the
 * name, not the address. Rejects with the error of the connection, or with `TimeoutError`.
 */
export function postPinned({ url, headers, body, addresses, timeoutMs, ca }: Post): Promise<WebhookAnswer> {
  const { request } = url.protocol === "https:" ? https : http;
  const signal = AbortSignal.timeout(timeoutMs);
  const options = { method: "POST", headers: { ...headers, "content-length": Buffer.byteLength(body) }, agent: false };
  const pinned = addresses === null ? {} : { lookup: lookupOf(addresses) };
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(signal.aborted ? signal.reason : error);
    const outgoing = request(
      url,
      { ...options, ...pinned, signal, ...(ca === undefined ? {} : { ca }) },
      (incoming) => {
        resolve({ status: incoming.statusCode ?? 0, retryAfter: incoming.headers["retry-after"] ?? null });
        incoming.on("error", () => {}); // Cut off on purpose.
        incoming.destroy();
      },
    );
    outgoing.on("error", fail);
    outgoing.end(body);
  });
}

function lookupOf(addresses: readonly Address[]): LookupFunction {
  return (_hostname, { all }, callback) => {
    const [first] = addresses;
    if (first === undefined) callback(new Error("no address"), "");
    else if (all === true) callback(null, [...addresses]);
    else callback(null, first.address, first.family);
  };
}
