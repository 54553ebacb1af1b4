import { readdir } from "node:fs/promises";

/** The files of the web page, made ready once at the start: an address to its bytes. */
export type Page = ReadonlyMap<string, Asset>;
export type Asset = Readonly<{ bytes: Uint8Array<ArrayBuffer>; type: string; etag: string }>;

const types: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
  png: "image/png",
  ico: "image/x-icon",
  webmanifest: "application/manifest+json",
};

/** Reads a folder: its `main.ts` with all it imports becomes `/app.js`, other files keep their names, `index.html` is also `/`. */
export async function openPage(folder: string): Promise<Page> {
  const names = await readdir(folder);
  const files = await Promise.all(
    names
      .filter((name) => types[extensionOf(name)] !== undefined)
      .map(
        async (name) => [`/${name}`, asset(await Bun.file(`${folder}/${name}`).bytes(), extensionOf(name))] as const,
      ),
  );
  const page = new Map(files);
  if (names.includes("main.ts")) {
    const built = await Bun.build({ entrypoints: [`${folder}/main.ts`], target: "browser", minify: true });
    const [script] = built.outputs;
    if (!built.success || script === undefined)
      throw new AggregateError(built.logs, "the page's script does not build");
    page.set("/app.js", asset(new Uint8Array(await script.arrayBuffer()), "js"));
  }
  const index = page.get("/index.html");
  if (index !== undefined) page.set("/", index);
  return page;
}

/** What a page may do: everything from here, nothing from elsewhere. */
export const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** The answer for an address of the page, 304 where the client has it; `null` when there is no such file. */
export function servePage(page: Page, request: Request): Response | null {
  if (request.method !== "GET" && request.method !== "HEAD") return null;
  const found = page.get(new URL(request.url).pathname);
  if (found === undefined) return null;
  const headers = {
    etag: found.etag,
    // Names carry no version, so a browser asks each time and mostly hears 304.
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "content-security-policy": contentSecurityPolicy,
  };
  if (request.headers.get("if-none-match")?.includes(found.etag)) return new Response(null, { status: 304, headers });
  return new Response(request.method === "HEAD" ? null : found.bytes, {
    headers: { ...headers, "content-type": found.type },
  });
}

function asset(bytes: Uint8Array<ArrayBuffer>, extension: string): Asset {
  const etag = `"${new Bun.CryptoHasher("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  return { bytes, type: types[extension] ?? "application/octet-stream", etag };
}

function extensionOf(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}
