import { readFile } from "node:fs/promises";
import { makeAsset } from "../../../shared/http/asset.ts";
import type { PageFiles } from "../../../shared/http/page.ts";

/** What the gateway serves of this folder as it is: the address is the file's name. */
const types = {
  "asyncapi.json": "application/json",
  "llms.txt": "text/plain; charset=utf-8",
} as const;

/** Reads the descriptions that no route makes. `asyncapi.json` is generated, `llms.txt` written by hand. */
export async function openDescriptions(): Promise<PageFiles> {
  const read = async ([name, type]: readonly [string, string]) =>
    [`/${name}`, await makeAsset(new Uint8Array(await readFile(`${import.meta.dirname}/${name}`)), type)] as const;
  return new Map(await Promise.all(Object.entries(types).map(read)));
}
