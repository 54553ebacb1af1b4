import { Problem } from "../problem.ts";

/** The one thing a request is believed by. */
export type Credential = Readonly<{ token: string; via: "bearer" | "cookie" }>;

const plainName = "taskwire_session";
/**
 * Browsers take this name over TLS alone, for the whole host and from the host itself: no other host of the domain can
 * set it.
 */
const secureName = "__Host-taskwire_session";

/** Three parts of base64url; other spellings (padding, the alphabet of base64) are no token. */
const compactToken = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/**
 * Reads the credential: `Authorization: Bearer`, or without that header the session cookie of the scheme the browser
 * came by. Throws UNAUTHENTICATED where there is none, or more than one: two headers, or two cookies that differ.
 */
export function readCredential(request: Request): Credential {
  const header = request.headers.get("authorization");
  if (header !== null) {
    // Two headers arrive joined by a comma, which no token has.
    const token = /^bearer +(\S+) *$/i.exec(header)?.[1] ?? "";
    return { token: checkedToken(token), via: "bearer" };
  }
  const name = sessionCookieName(request);
  const pairs = (request.headers.get("cookie") ?? "").split(";").map((pair) => pair.trim());
  const values = pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1).trim());
  const [token = ""] = values;
  if (values.some((value) => value !== token)) throw new Problem("UNAUTHENTICATED", "Two session cookies differ");
  return { token: checkedToken(token), via: "cookie" };
}

/** The name of the session cookie; over https the plain one is not read. */
function sessionCookieName(request: Request): string {
  return isHttps(request) ? secureName : plainName;
}

/** `Set-Cookie` for a session of so many seconds; 0 ends it. */
export function sessionCookie(request: Request, token: string, seconds: number): string {
  const secure = isHttps(request) ? "; Secure" : "";
  return `${sessionCookieName(request)}=${token}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
}

/** How the browser came, told by whoever ended TLS. Of several proxies the first names the browser's. */
function isHttps(request: Request): boolean {
  const forwarded = request.headers.get("x-forwarded-proto")?.split(",")[0]?.trim().toLowerCase();
  return (forwarded ?? new URL(request.url).protocol.slice(0, -1)) === "https";
}

function checkedToken(token: string): string {
  if (!compactToken.test(token)) throw new Problem("UNAUTHENTICATED");
  return token;
}
