import { expect, test } from "bun:test";
import { readdirSync, existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { roleNames } from "../../shared/topics.ts";

const root = join(import.meta.dir, "../..");
const transpiler = new Bun.Transpiler({ loader: "ts" });

/** Everything a file imports, types included: the transpiler drops those, so `import type` and `export … from` are read as text. */
function importsOf(source: string): readonly string[] {
  const typed = [...source.matchAll(/(?:import|export)\s+(?:type\s+)?[^"';]*?from\s+"([^"]+)"/g)].map(
    (match) => match[1] ?? "",
  );
  return [...new Set([...typed, ...transpiler.scanImports(source).map((found) => found.path)])];
}

/** The layer a path belongs to: `shared`, `schemas`, `dev`, `test`, or one role. */
function layerOf(path: string): string {
  const [top = "", role = ""] = path.split("/");
  return top === "workers" ? `workers/${role}` : top;
}

function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  if (from.startsWith("workers/")) return to === "shared" || to === "schemas";
  if (from === "shared") return to === "schemas";
  if (from === "schemas") return false;
  return true;
}

const files = ["workers", "shared", "schemas"].flatMap((top) =>
  readdirSync(join(root, top), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => join(top, path)),
);

function violations(file: string, source: string): readonly string[] {
  return importsOf(source)
    .filter((path) => path.startsWith("."))
    .map((path) => relative(root, normalize(join(root, dirname(file), path))))
    .filter((target) => !mayImport(layerOf(file), layerOf(target)))
    .map((target) => `${file} imports ${target}`);
}

test("imports point one way: a role to shared, shared to schemas, never role to role", () => {
  expect(files.flatMap((file) => violations(file, readFileSync(join(root, file), "utf8")))).toEqual([]);
});

test("the scan sees value imports, type imports, re-exports and dynamic imports", () => {
  const file = "shared/planted.ts";
  for (const line of [
    'import { x } from "../workers/ui-gateway/app.ts"; console.log(x);',
    'import type { X } from "../workers/ui-gateway/app.ts";',
    'export { x } from "../workers/ui-gateway/app.ts";',
    'export const x = await import("../workers/ui-gateway/app.ts");',
  ])
    expect(violations(file, line)).toEqual(["shared/planted.ts imports workers/ui-gateway/app.ts"]);
});

test("a library that must stay behind a port is imported by its own files only", () => {
  const allowed: Record<string, RegExp> = {
    "@platformatic/kafka": /^shared\/kafka/,
    bullmq: /^shared\/timers\//,
    // The timers' wake-ups, and what users spent, told after the request.
    ioredis: /^shared\/(timers\/wakeups|limits\/redis-ledger)\.ts$/,
    avsc: /^shared\/avro\//,
    postgres: /^shared\/postgres\//,
  };
  const strays = files.flatMap((file) =>
    importsOf(readFileSync(join(root, file), "utf8"))
      .filter((path) => allowed[path] && !allowed[path].test(file))
      .map((path) => `${file} imports ${path}`),
  );
  expect(strays).toEqual([]);
});

test("workers/, the Procfile and the table of roles name the same roles", () => {
  const procfile = readFileSync(join(root, "Procfile"), "utf8")
    .split("\n")
    .filter((line) => line.includes(":"))
    .map((line) => line.slice(0, line.indexOf(":")));
  expect(procfile.toSorted()).toEqual(roleNames.toSorted());
  expect(readdirSync(join(root, "workers")).toSorted()).toEqual(roleNames.toSorted());
  for (const role of roleNames) expect(existsSync(join(root, "workers", role, "main.ts"))).toBe(true);
});

test("main files stay a composition: at most 80 lines and no SQL", () => {
  for (const role of roleNames) {
    const source = readFileSync(join(root, "workers", role, "main.ts"), "utf8");
    expect({
      role,
      lines: source.split("\n").length <= 81,
      sql: /\b(select|insert into|update|delete from)\s/i.test(source.replaceAll(/\/\/.*/g, "")),
    }).toEqual({
      role,
      lines: true,
      sql: false,
    });
  }
});

test("only the role runner, the command lines and development tools touch the process environment", () => {
  const strays = files.filter(
    (file) =>
      /process\.(env|exit|on)\b/.test(
        readFileSync(join(root, file), "utf8").replaceAll(/\/\/.*|\/\*[\s\S]*?\*\//g, ""),
      ) && !/^(shared\/role\.ts|workers\/operator\/(main|ops)\.ts)$/.test(file),
  );
  expect(strays).toEqual([]);
});
