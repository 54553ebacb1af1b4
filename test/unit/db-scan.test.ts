import { expect, test } from "bun:test";
import { Glob } from "bun";

const root = `${import.meta.dirname}/../..`;

/** Ways around the fence: each hands out a connection on which a lost transaction goes on inside another's. */
const waysAround: readonly (readonly [way: RegExp, allowedIn: readonly string[]])[] = [
  // With a callback, a mode or a name for one; an object is something else that begins.
  [/\.\s*begin\s*\((?!\s*\{)/, ["shared/postgres/fence.ts"]],
  [/\.\s*reserve\s*\(/, []],
  // Its driver rewrites the types of the pool it is given, and has transactions of its own.
  [/\bdrizzle\s*\(/, []],
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

/**
 * What stays on a connection beyond its transaction: behind a transaction pooler it is left to somebody else, or lost.
 */
const kept: readonly RegExp[] = [
  /\bpg_(try_)?advisory_lock(_shared)?\s*\(/i,
  /\bset\s+session\b/i,
  /`\s*set\s+(?!local\b)[a-z_.]+\s*(=|to\b)/i,
  /\bset_config\s*\([^)]*,\s*false\s*\)/i,
  /\bcreate\s+(local\s+)?temp(orary)?\s+(table|view|sequence)\b(?![^;`]*\bon\s+commit\s+drop\b)/i,
  /\b(lastval|currval)\s*\(/i,
  /\bwith\s+hold\b/i,
  /[`;]\s*(prepare|deallocate|discard|unlisten|load)\s+['"a-z]/i,
];

test("nothing is kept on a connection from one transaction to the next", async () => {
  const paths = [...new Glob("{shared,workers}/**/*.{ts,sql}").scanSync(root)].map((path) =>
    path.replaceAll("\\", "/"),
  );
  expect(paths.filter((path) => path.endsWith(".sql")).length).toBeGreaterThan(10);
  const found = await Promise.all(
    paths.map(async (path) => {
      const source = withoutComments(await Bun.file(`${root}/${path}`).text());
      return kept.filter((way) => way.test(source)).map((way) => `${path}: ${way}`);
    }),
  );
  expect(found.flat()).toEqual([]);
});

test("the scan sees what is kept, and not what ends with its transaction", () => {
  const planted = [
    "await tx`select pg_advisory_lock(1)`",
    "await tx`select pg_try_advisory_lock_shared(1)`",
    "await sql`set session lock_timeout = '1s'`",
    "await sql`set lock_timeout = '1s'`",
    "await sql`set search_path to x`",
    "await sql`select set_config('a.b', 'c', false)`",
    "await sql`create temp table t (a int)`",
    "await sql`select currval('x')`",
    "await sql`declare c cursor with hold for select 1`",
    "await sql`prepare p as select 1`",
  ];
  for (const line of planted) expect([line, kept.filter((way) => way.test(line)).length]).toEqual([line, 1]);
  const fine = [
    "await tx`select pg_advisory_xact_lock(1)`",
    "await tx`set local lock_timeout = '1s'`",
    "await tx`update t set a = 1`",
    "await tx`select set_config('a.b', 'c', true)`",
    "await tx`create temp table t (a int) on commit drop`",
  ];
  for (const line of fine) expect([line, kept.filter((way) => way.test(line))]).toEqual([line, []]);
});

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)(\/\/|--).*$/gm, "");
}

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
    "const orm = drizzle({ client });",
    'import postgres from "postgres";',
  ];
  for (const line of planted) expect(findWaysAround("workers/x/y.ts", line)).toHaveLength(1);
  const fine = ["await db.transaction(async (tx) => {});", "// sql.begin(", 'import type postgres from "postgres";'];
  for (const line of fine) expect(findWaysAround("workers/x/y.ts", line)).toEqual([]);
});
