/**
 * The answer to HEAD as Bun and Deno must be given it: of one without a body they say `Content-Length: 0`, which is
 * wrong where GET would stream (RFC 9110 §8.6). A body that turns out empty has no length.
 */
export function withoutLength(response: Response): Response {
  const isKnown = response.body !== null || response.headers.has("content-length");
  return isKnown
    ? response
    : new Response(new ReadableStream({ pull: (out) => out.close() }, { highWaterMark: 0 }), response);
}
