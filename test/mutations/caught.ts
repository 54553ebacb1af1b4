import { join } from "node:path";
import { areas } from "./areas.ts";

/** What caught a mutation; nothing did where `file` is undefined. */
export type Caught = Readonly<{ file: string; test: string } | { file: undefined; test: undefined }>;

const pathOf = (checkout: string) => join(checkout, "test", "mutations", "caught.md");

/** What is on record, by what a mutation breaks. */
export async function readCaught(checkout: string): Promise<ReadonlyMap<string, Caught>> {
  const record = Bun.file(pathOf(checkout));
  if (!(await record.exists())) return new Map();
  const rows = (await record.text()).matchAll(/^- (.+): `(test\/[^`]+)`, (.+)$/gm);
  return new Map([...rows].map(([, breaks = "", file = "", test = ""]) => [breaks, { file, test }]));
}

/** Writes the record anew: a list for each area, in the order of its mutations. */
export async function writeCaught(checkout: string, caught: ReadonlyMap<string, Caught>): Promise<void> {
  const lists = areas.map(({ name, mutations }) =>
    [`## ${name}`, "", ...mutations.map(({ breaks }) => `- ${breaks}: ${told(caught.get(breaks))}`)].join("\n"),
  );
  await Bun.write(pathOf(checkout), [heading, ...lists].join("\n\n").concat("\n"));
}

const heading = `# What catches each mutation

Written by \`npx bun run mutate\`, which takes one rule out of the product, runs the tests that cover it, the cheapest first, and puts it
back. A mutation counts as caught by the first file that fails with it and passes without.`;

function told(caught: Caught | undefined): string {
  if (caught === undefined) return "not run yet";
  return caught.file === undefined ? "**nothing**" : `\`${caught.file}\`, ${caught.test}`;
}
