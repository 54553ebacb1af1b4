const kept = "taskwire-people";

type PersonNames = Readonly<Record<string, string>>;

/** What a person calls themselves, kept by this browser: a session knows their id alone. */
export function rememberName(userId: string, name: string): void {
  localStorage.setItem(kept, JSON.stringify({ ...names(), [userId]: name }));
}

/** The beginning of their id where no name is known. */
export function nameOf(userId: string): string {
  return names()[userId] ?? userId.slice(0, 8);
}

/** The name a token says: its payload is read, not verified; the server does that. `null` where it says none. */
export function nameInToken(token: string): string | null {
  try {
    const [, payload = ""] = token.split(".");
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (char) =>
      char.charCodeAt(0),
    );
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const { name, preferred_username, email, sub } = claims as Readonly<Record<string, unknown>>;
    const found = [name, preferred_username, email, sub].find((claim) => typeof claim === "string" && claim !== "");
    return typeof found === "string" ? found.slice(0, 64) : null;
  } catch {
    // Opaque, or no token at all.
    return null;
  }
}

function names(): PersonNames {
  try {
    // Written by the function above, unless somebody played with it.
    return JSON.parse(localStorage.getItem(kept) ?? "{}") as PersonNames;
  } catch {
    return {};
  }
}
