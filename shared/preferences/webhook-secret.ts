import { base64Bytes, base64Text } from "../bytes.ts";

const base64 = "[A-Za-z0-9+/]";
/**
 * 24 to 64 bytes in padded base64 without a bit left over: of the last group all three bytes are there, or two, or one.
 */
const encoded = `(?:(?:${base64}{4}){8,21}|(?:${base64}{4}){8,20}${base64}{2}[AEIMQUYcgkosw048]=|(?:${base64}{4}){8,21}${base64}[AQgw]==)`;

/**
 * What may stand for the secret of a webhook: itself, or the hint of one that is kept. Looser than it must be, for
 * those an older build took.
 */
export const secretShape = /^whsec_(?:[A-Za-z0-9+/]{32,88}={0,2}|…[A-Za-z0-9+/]{4})$/;
/** The same for clients, who set new ones. */
export const secretPattern = `^whsec_(?:${encoded}|…${base64}{4})$`;

/**
 * Whether this is `whsec_` and 24 to 64 bytes in base64, as every verifier of Standard Webhooks decodes it: padded, no
 * bit left over.
 */
export function isWebhookSecret(text: string): boolean {
  if (!text.startsWith("whsec_")) return false;
  const encoded = text.slice("whsec_".length);
  const bytes = bytesOf(encoded);
  return bytes !== null && base64Text(bytes) === encoded && bytes.length >= 24 && bytes.length <= 64;
}

function bytesOf(base64: string): Uint8Array | null {
  try {
    return base64Bytes(base64);
  } catch {
    return null; // It is none.
  }
}

/** What is shown of a secret: `whsec_…` and its last four characters. */
export function secretHint(secret: string): string {
  return `whsec_…${secret.replace(/=+$/, "").slice(-4)}`;
}

export function isSecretHint(text: string): boolean {
  return text.startsWith("whsec_…");
}
