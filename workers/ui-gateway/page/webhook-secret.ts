/**
 * For the `pattern` of a field, which browsers read with the flag v: a whole secret, or the hint that is shown of one
 * that is kept.
 */
export const secretPattern = "whsec_(?:[A-Za-z0-9+\\/]{32,88}={0,2}|…[A-Za-z0-9+\\/]{4})";

/** A new key that signs what is posted to a webhook: 32 random bytes, written as Standard Webhooks does. */
export function newWebhookSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return `whsec_${btoa(String.fromCharCode(...bytes))}`;
}
