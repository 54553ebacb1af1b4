import type { IfMatch } from "../../shared/http/if-match.ts";

/**
 * The ETag of a series as it is shown: its version, and a digest of what is shown, such as `"4-x1Yp0vGq3Zs"`. The version says what people
 * have changed and is what If-Match is about. Time and the planner change what is shown too (what is open, what comes next): only the
 * digest tells, which is for If-None-Match.
 */
export function tagOfView(version: number, shown: string): string {
  return `"${version}-${new Bun.CryptoHasher("sha256").update(shown).digest("base64url").slice(0, 11)}"`;
}

/** An If-Match of a series with what follows the version left out of its tags. */
export function versionsOf(ifMatch: IfMatch): IfMatch {
  return ifMatch === "any" ? ifMatch : ifMatch.map((tag) => tag.replace(/^"(\d+)-[\w-]*"$/, '"$1"'));
}
