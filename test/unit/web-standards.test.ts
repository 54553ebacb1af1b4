import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative } from "node:path";
import { roleNames } from "../../shared/messages/topics.ts";

const root = join(import.meta.dir, "../..");
const transpiler = new Bun.Transpiler({ loader: "ts" });

/** What Bun or Node have and the Web has not. Types are gone before this is looked for. */
const globals =
  /(?<![.\w])(?:Bun|process|Buffer|__dirname|__filename|setImmediate|require)\b(?!\s*:)|(?<![.\w])import\.meta\.(?!url\b)\w+/g;

type Source = (path: string) => string;
const sourceOf: Source = (path) => readFileSync(join(root, path), "utf8");

/**
 * Everything in the files that `entry` loads, itself included, that only some runtime has: `file: what`, and who
 * imported the file.
 */
function strays(entry: string, read: Source = sourceOf): readonly string[] {
  const importedBy = new Map<string, string | null>([[entry, null]]);
  const found: string[] = [];
  for (const [file, by] of importedBy) {
    const where = by === null ? file : `${file} (imported by ${by})`;
    const source = read(file);
    for (const { path } of transpiler.scanImports(source)) {
      if (path.startsWith(".")) {
        const target = relative(root, join(root, dirname(file), path));
        if (target.endsWith(".ts") && !importedBy.has(target)) importedBy.set(target, file);
      } else if (path === "bun" || path.startsWith("bun:") || isBuiltin(path)) found.push(`${where} imports ${path}`);
      else if (!packages.has(packageOf(path))) found.push(`${where} imports the package ${path}`);
    }
    for (const [what] of withoutWords(source).matchAll(globals)) found.push(`${where} uses ${what}`);
  }
  return [...new Set(found)];
}

/** The code alone, as it runs: comments and types are gone, texts and the words in templates are emptied. */
function withoutWords(source: string): string {
  return transpiler
    .transformSync(source)
    .replaceAll(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""')
    .replaceAll(/\/\/.*$/gm, "")
    .replaceAll(/`(?:[^`\\]|\\.)*`/g, (template) => [...template.matchAll(/\$\{[^}]*\}/g)].join(" "));
}

const packageOf = (path: string) =>
  path
    .split("/")
    .slice(0, path.startsWith("@") ? 2 : 1)
    .join("/");

/** Packages of Web standards alone, as their authors say; under Deno and Node the flow test has them run. */
const packages = new Set([
  "@asteasolutions/zod-to-openapi",
  "@hono/zod-openapi",
  "@modelcontextprotocol/server",
  "@noble/hashes",
  "drizzle-orm",
  "fflate",
  "hono",
  "ipaddr.js",
  "jose",
  "zod",
]);

const apps = roleNames
  .flatMap((role) => [`workers/${role}/app.ts`, `workers/${role}/make-edge.ts`])
  .filter((file) => existsSync(join(root, file)));

describe("what a role's app loads runs wherever fetch handlers do", () => {
  test("every role with an app is looked at", () => {
    expect(apps.length).toBeGreaterThanOrEqual(8);
  });
  test.each(apps)("%s", (file) => expect(strays(file)).toEqual([]));
});

describe("the scan names the file and what it imports or uses", () => {
  const planted = (line: string) =>
    strays("workers/a/app.ts", (file) => (file === "workers/a/app.ts" ? 'import "./b.ts";' : line));
  test.each([
    ['import { readFileSync } from "node:fs"; readFileSync("x");', "imports node:fs"],
    ['import { readFileSync } from "fs"; readFileSync("x");', "imports fs"],
    ['export { sql } from "bun";', "imports bun"],
    ['await import("node:zlib");', "imports node:zlib"],
    ['import Redis from "ioredis"; new Redis();', "imports the package ioredis"],
    ["export const id = Bun.randomUUIDv7();", "uses Bun"],
    ["export const bytes = `a ${Buffer.from(text)} b`;", "uses Buffer"],
    ["export const here = import.meta.dirname;", "uses import.meta.dirname"],
    ["export const mode = process.env.MODE;", "uses process"],
    ["setImmediate(() => {});", "uses setImmediate"],
  ])("%s", (line, what) => {
    expect(planted(line)).toEqual([`workers/a/b.ts (imported by workers/a/app.ts) ${what}`]);
  });

  test("types and words are nothing that runs", () => {
    const innocent = [
      'import type { Socket } from "node:net"; export let socket: Socket;',
      "// Bun.serve would do it\nexport const a = 1;",
      'export const text = "the process has no Buffer";',
      "export const text = `the process of ${name}`;",
      "export const address = parser.process(text);",
      "export function f(bytes: Buffer | null) { return bytes; }",
    ];
    expect(innocent.flatMap(planted)).toEqual([]);
  });
});
