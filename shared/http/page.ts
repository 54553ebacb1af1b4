import { answerAsset, type Asset } from "./asset.ts";

/** The files of the web page, made ready once at the start: an address to its bytes. */
export type PageFiles = ReadonlyMap<string, Asset>;

/** What a page may do: everything from here, nothing from elsewhere. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** The answer for an address of the page, 304 where the client has it; `null` when there is no such file. */
export function servePage(page: PageFiles, request: Request): Response | null {
  if (request.method !== "GET" && request.method !== "HEAD") return null;
  const found = page.get(new URL(request.url).pathname);
  if (found === undefined) return null;
  // Names carry no version, so a browser asks each time and mostly hears 304.
  return answerAsset(request, found, {
    "referrer-policy": "same-origin",
    "content-security-policy": contentSecurityPolicy,
  });
}
