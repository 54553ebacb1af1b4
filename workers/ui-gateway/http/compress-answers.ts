import type { MiddlewareHandler } from "hono";
import { acceptsGzip } from "../../../shared/http/accepts-gzip.ts";
import { webGzip, type Gzip } from "../../../shared/http/gzip.ts";
import type { HttpEnv } from "../../../shared/http/http-app.ts";

const compressible = /^(?:application\/(?:problem\+)?json|text\/(?:html|css|javascript|plain|calendar))\b/;
/** Below it an answer fits into one packet anyway. */
const minBytes = 1024;

/**
 * Sends text as gzip to clients that take it, from about a kilobyte on. Never events, whose bytes must go out one by
 * one; nor what has a strong ETag: that names these very bytes, and clients send it back in `If-Match`. With that it
 * leaves out preferences, the one answer that holds a secret a stranger could guess by the length.
 */
export function compressAnswers(gzip: Gzip = webGzip): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    await next();
    const answer = await compressed(c.req.raw, c.res, gzip);
    if (answer !== c.res) c.res = answer;
  };
}

/** The answer as this client takes it; `Vary` says that another may get another. */
async function compressed(request: Request, response: Response, gzip: Gzip): Promise<Response> {
  const { headers } = response;
  if (!compressible.test(headers.get("content-type") ?? "") || headers.has("content-encoding")) return response;
  if (headers.has("etag") || headers.get("cache-control")?.includes("no-transform")) return response;
  headers.append("vary", "accept-encoding");
  if (response.body === null || !acceptsGzip(request.headers.get("accept-encoding"))) return response;
  const isStreamed = headers.get("content-type")?.startsWith("text/calendar");
  if (isStreamed) return encoded(response, response.body.pipeThrough(new CompressionStream("gzip")));
  const bytes = await response.bytes();
  if (bytes.byteLength < minBytes) return new Response(bytes, response);
  return encoded(response, await gzip(bytes));
}

function encoded(response: Response, body: BodyInit): Response {
  const answer = new Response(body, response);
  answer.headers.set("content-encoding", "gzip");
  answer.headers.delete("content-length");
  return answer;
}
