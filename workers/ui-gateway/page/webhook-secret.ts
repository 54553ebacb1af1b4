/** A new key that signs what is posted to a webhook: 32 random bytes, written as Standard Webhooks does. */
export function newWebhookSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return `whsec_${btoa(String.fromCharCode(...bytes))}`;
}
