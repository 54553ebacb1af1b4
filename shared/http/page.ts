import { readdir } from "node:fs/promises";
import { acceptsGzip } from "./accepts-gzip.ts";

/** The files of the web page, made ready once at the start: an address to its bytes. */
export type Page = ReadonlyMap<string, Asset>;
export type Asset = Readonly<{
  type: string;
  /** As they are, and as gzip where that is smaller: other bytes, so another tag. */
  plain: Encoded;
  gzip: Encoded | null;
}>;
type Encoded = Readonly<{ bytes: Uint8Array<ArrayBuffer>; etag: string }>;

const types: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
  png: "image/png",
  ico: "image/x-icon",
  webmanifest: "application/manifest+json",
};

/** What every page has: the style all begin with. */
const sharedFolder = `${import.meta.dirname}/../page`;

/** Reads a folder and what every page has: its `main.ts` with all it imports becomes `/app.js`, other files keep their names, `index.html` is also `/`. */
export async function openPage(folder: string): Promise<Page> {
  const names = await readdir(folder);
  const page = new Map([...(await readAssets(sharedFolder)), ...(await readAssets(folder))]);
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

async function readAssets(folder: string): Promise<readonly (readonly [address: string, asset: Asset])[]> {
  const names = (await readdir(folder)).filter((name) => types[extensionOf(name)] !== undefined);
  return Promise.all(
    names.map(
      async (name) => [`/${name}`, asset(await Bun.file(`${folder}/${name}`).bytes(), extensionOf(name))] as const,
    ),
  );
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
  const gzip = acceptsGzip(request.headers.get("accept-encoding")) ? found.gzip : null;
  const { bytes, etag } = gzip ?? found.plain;
  const headers = {
    etag,
    vary: "accept-encoding",
    ...(gzip === null ? {} : { "content-encoding": "gzip" }),
    // Names carry no version, so a browser asks each time and mostly hears 304.
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "content-security-policy": contentSecurityPolicy,
  };
  if (request.headers.get("if-none-match")?.includes(etag)) return new Response(null, { status: 304, headers });
  return new Response(bytes, { headers: { ...headers, "content-type": found.type } });
}

function asset(bytes: Uint8Array<ArrayBuffer>, extension: string): Asset {
  const type = types[extension] ?? "application/octet-stream";
  const zipped = Bun.gzipSync(bytes, { level: 9 });
  const isWorth = /^(?:text|image\/svg|application\/manifest)/.test(type) && zipped.byteLength < bytes.byteLength * 0.9;
  return { type, plain: tagged(bytes), gzip: isWorth ? tagged(zipped) : null };
}

function tagged(bytes: Uint8Array<ArrayBuffer>): Encoded {
  return { bytes, etag: `"${new Bun.CryptoHasher("sha256").update(bytes).digest("base64url").slice(0, 22)}"` };
}

function extensionOf(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}
