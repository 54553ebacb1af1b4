/**
 * Whether Kafka's protocol error `id` (as "MESSAGE_TOO_LARGE") is anywhere in a failure of the client, which nests what
 * each attempt met up to four deep in `errors` and `cause`.
 */
export function hasProtocolError(error: unknown, id: string, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 8) return false;
  if ("apiId" in error && error.apiId === id) return true;
  const nested: readonly unknown[] = "errors" in error && Array.isArray(error.errors) ? error.errors : [];
  return [...nested, error.cause].some((inner) => hasProtocolError(inner, id, depth + 1));
}
