import { readdir, readFile } from "node:fs/promises";
import { makeAsset, type Asset } from "./asset.ts";
import type { PageFiles } from "./page.ts";

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

/**
 * Reads a folder and what every page has: its `main.ts` with all it imports becomes `/app.js`, other files keep their
 * names, `index.html` is also `/`.
 */
export async function openPage(folder: string): Promise<PageFiles> {
  const names = await readdir(folder);
  const page = new Map([...(await readAssets(sharedFolder)), ...(await readAssets(folder))]);
  if (names.includes("main.ts")) {
    const script = await buildScript(folder);
    if (script !== null) page.set("/app.js", await asset(script, "js"));
    else if (!page.has("/app.js"))
      throw new Error(
        `${folder}/app.js is missing: this runtime does not build pages, so run \`bun run pages\` before`,
      );
  }
  const index = page.get("/index.html");
  if (index !== undefined) page.set("/", index);
  return page;
}

/** The page's script in one file; `null` where the runtime has no bundler and the folder must have it already. */
async function buildScript(folder: string): Promise<Uint8Array<ArrayBuffer> | null> {
  if (typeof Bun === "undefined") return null;
  const built = await Bun.build({ entrypoints: [`${folder}/main.ts`], target: "browser", minify: true });
  const [script] = built.outputs;
  if (!built.success || script === undefined) throw new AggregateError(built.logs, "the page's script does not build");
  return new Uint8Array(await script.arrayBuffer());
}

async function readAssets(folder: string): Promise<readonly (readonly [address: string, asset: Asset])[]> {
  const names = (await readdir(folder)).filter((name) => types[extensionOf(name)] !== undefined);
  return Promise.all(
    names.map(
      async (name) =>
        [`/${name}`, await asset(new Uint8Array(await readFile(`${folder}/${name}`)), extensionOf(name))] as const,
    ),
  );
}

function asset(bytes: Uint8Array<ArrayBuffer>, extension: string): Promise<Asset> {
  return makeAsset(bytes, types[extension] ?? "application/octet-stream");
}

function extensionOf(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}
