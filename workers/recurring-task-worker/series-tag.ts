import type { IfMatch } from "../../shared/http/if-match.ts";
import { base64UrlText } from "../../shared/bytes.ts";
import { digestOf } from "../../shared/digest.ts";

/**
 * The ETag of a series as it is shown: its version and a digest of what is shown, such as `"4-x1Yp0vGq3Zs"`. The
 * version counts what people have changed, and If-Match compares it. Time and the worker change what is shown too (what
 * is open, what comes next): only the digest shows that, and If-None-Match compares it.
 */
export function tagOfView(version: number, shown: string): string {
  return `"${version}-${base64UrlText(digestOf("sha256", shown)).slice(0, 11)}"`;
}

/** An If-Match of a series with what follows the version left out of its tags. */
export function versionsOf(ifMatch: IfMatch): IfMatch {
  return ifMatch === "any" ? ifMatch : ifMatch.map((tag) => tag.replace(/^"(\d+)-[\w-]*"$/, '"$1"'));
}
