import { Problem } from "../problem.ts";

const safeMethods = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Refuses a write that a page of another origin made a browser send (FORBIDDEN_ORIGIN). For requests known by their
 * cookie: a browser adds that by itself; a bearer token it does not.
 * Fetch Metadata decides where the browser sends it; else `Origin` is compared with the host asked for, which is
 * `X-Forwarded-Host` behind the gateway (a page of another origin cannot set it: that needs a preflight nobody
 * answers). A request with neither header is not a browser's.
 */
export function refuseForeignOrigin(request: Request): void {
  if (safeMethods.has(request.method)) return;
  const site = request.headers.get("sec-fetch-site");
  if (site === "same-origin" || site === "none") return;
  if (site !== null) throw new Problem("FORBIDDEN_ORIGIN");
  const origin = request.headers.get("origin");
  if (origin === null) return;
  const host = request.headers.get("x-forwarded-host") ?? request.headers.get("host") ?? new URL(request.url).host;
  if (hostOf(origin) !== host.toLowerCase()) throw new Problem("FORBIDDEN_ORIGIN");
}

/** The host and port of an origin; `null` for opaque origins ("null") and nonsense. */
function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}
