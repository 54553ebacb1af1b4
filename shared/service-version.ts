import { readFileSync } from "node:fs";

let known: string | null = null;

/** The version of this build, as its package says; read once. */
export function serviceVersion(): string {
  if (known === null) {
    const manifest: { version: string } = JSON.parse(readFileSync(`${import.meta.dirname}/../package.json`, "utf8"));
    known = manifest.version;
  }
  return known;
}
