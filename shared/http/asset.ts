import { base64UrlText } from "../bytes.ts";
import { digestOf } from "../digest.ts";
import { acceptsGzip } from "./accepts-gzip.ts";
import { webGzip } from "./gzip.ts";

/** An answer that is the same for everybody, made ready once. */
export type Asset = Readonly<{
  type: string;
  /** As it is, and as gzip where that is smaller: other bytes, so another tag. */
  plain: EncodedAsset;
  gzip: EncodedAsset | null;
}>;
type EncodedAsset = Readonly<{ bytes: Uint8Array<ArrayBuffer>; etag: string }>;

const compressible = /^(?:text|image\/svg|application\/(?:manifest|json))/;

export async function makeAsset(bytes: Uint8Array<ArrayBuffer>, type: string): Promise<Asset> {
  const zipped = compressible.test(type) ? await webGzip(bytes) : null;
  const isWorth = zipped !== null && zipped.byteLength < bytes.byteLength * 0.9;
  return { type, plain: tagged(bytes), gzip: isWorth ? tagged(zipped) : null };
}

/** As gzip for a client that takes it, and 304 for one that has it. Clients ask each time: `no-cache`. */
export function answerAsset(request: Request, asset: Asset, more: Readonly<Record<string, string>>): Response {
  const gzip = acceptsGzip(request.headers.get("accept-encoding")) ? asset.gzip : null;
  const { bytes, etag } = gzip ?? asset.plain;
  const headers = {
    etag,
    vary: "accept-encoding",
    ...(gzip === null ? {} : { "content-encoding": "gzip" }),
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
    ...more,
  };
  if (request.headers.get("if-none-match")?.includes(etag)) return new Response(null, { status: 304, headers });
  return new Response(bytes, { headers: { ...headers, "content-type": asset.type } });
}

function tagged(bytes: Uint8Array<ArrayBuffer>): EncodedAsset {
  return { bytes, etag: `"${base64UrlText(digestOf("sha256", bytes)).slice(0, 22)}"` };
}
