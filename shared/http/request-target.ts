/** Characters of a host and port (RFC 3986 §3.2.2, without user information): what a `Host` may be made of. */
const hostPattern = /^(?:[\w.~%!$&'()*+,;=-]+|\[[\da-f:.]+\])(?::\d{0,5})?$/i;

/**
 * The path a request asks for, and the request as Web standards want it, with an absolute address. A missing or empty
 * `Host` is well-formed (HTTP/1.0; load balancers probe so) and stands for this server. `null` for a malformed one, and
 * for CONNECT: Bun gives a request on such a connection an address that no URL parser takes.
 */
export function readTarget(request: Request): Readonly<{ path: string; request: Request }> | null {
  const host = request.headers.get("host") ?? "";
  if (host === "" && request.url.startsWith("/")) {
    const url = `http://localhost${request.url}`;
    const parsed = URL.parse(url);
    return parsed && { path: parsed.pathname, request: new Request(url, request) };
  }
  const parsed = hostPattern.test(host) ? URL.parse(request.url) : null;
  // Two Host lines arrive as one with a comma, which is no name of a host either.
  if (parsed === null || !parsed.protocol.startsWith("http") || host.includes(",")) return null;
  return { path: parsed.pathname, request };
}
