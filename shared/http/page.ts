import { readdir } from "node:fs/promises";
import { answerAsset, makeAsset, type Asset } from "./asset.ts";

/** The files of the web page, made ready once at the start: an address to its bytes. */
export type Page = ReadonlyMap<string, Asset>;

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
  // Names carry no version, so a browser asks each time and mostly hears 304.
  return answerAsset(request, found, {
    "referrer-policy": "same-origin",
    "content-security-policy": contentSecurityPolicy,
  });
}

function asset(bytes: Uint8Array<ArrayBuffer>, extension: string): Asset {
  return makeAsset(bytes, types[extension] ?? "application/octet-stream");
}

function extensionOf(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}
