import { expect, test } from "bun:test";
import { Glob } from "bun";

const root = `${import.meta.dirname}/../..`;

/** Ways around the fence: each hands out a connection on which a lost transaction goes on inside another's. */
const waysAround: readonly (readonly [way: RegExp, allowedIn: readonly string[]])[] = [
  // With a callback, a mode or a name for one; an object is something else that begins.
  [/\.\s*begin\s*\((?!\s*\{)/, ["shared/postgres/fence.ts"]],
  [/\.\s*reserve\s*\(/, []],
  [/\borm\s*\.\s*transaction\s*\(/, []],
  [/\bdrizzle\s*\(/, ["shared/postgres/db.ts"]],
  [
    /^import (?!type)[^;]*from "postgres"/m,
    [
      "shared/postgres/db.ts",
      "shared/postgres/listen.ts",
      "shared/postgres/notifier.ts",
      "shared/postgres/connection-options.ts",
    ],
  ],
];

function findWaysAround(path: string, source: string): readonly string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, "");
  return waysAround
    .filter(([way, allowedIn]) => !allowedIn.includes(path) && way.test(code))
    .map(([way]) => `${path}: ${way}`);
}

test("nothing in the product goes around the fenced transaction", async () => {
  const paths = [...new Glob("{shared,workers,dev}/**/*.ts").scanSync(root)].map((path) => path.replaceAll("\\", "/"));
  expect(paths.length).toBeGreaterThan(50);
  const found = await Promise.all(
    paths.map(async (path) => findWaysAround(path, await Bun.file(`${root}/${path}`).text())),
  );
  expect(found.flat()).toEqual([]);
});

test("the scan sees each way around, and not the wrapper or a comment", () => {
  const planted = [
    "await sql.begin(async (tx) => {});",
    "await db.sql\n  .begin(async (tx) => {});",
    "const one = await sql.reserve();",
    "await db.orm.transaction(async (tx) => {});",
    "const orm = drizzle({ client });",
    'import postgres from "postgres";',
  ];
  for (const line of planted) expect(findWaysAround("workers/x/y.ts", line)).toHaveLength(1);
  const fine = ["await db.transaction(async (tx) => {});", "// sql.begin(", 'import type postgres from "postgres";'];
  for (const line of fine) expect(findWaysAround("workers/x/y.ts", line)).toEqual([]);
});
