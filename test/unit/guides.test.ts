import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json" with { type: "json" };

const root = join(import.meta.dir, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const guides = ["README.md", "AGENTS.md", "SECURITY.md", "CONTRIBUTING.md"];

const scripts: Readonly<Record<string, string>> = manifest.scripts;
const firstWords = /^(?:workers|shared|schemas|test|dev|redpanda|patches|\.ci)\//;

/** The paths, tests and scripts between backticks, and the links, that lead nowhere. */
function strays(text: string): readonly string[] {
  return [
    ...[...text.matchAll(/`([^`]+)`/g)].flatMap(([, code = ""]) => code.split(/\s+/)).filter((name) => !isThere(name)),
    ...[...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link).filter((link) => !leadsSomewhere(link)),
    ...[...text.matchAll(/bun run ([a-z][\w:-]*)/g)].map(([, name = ""]) => name).filter((name) => !(name in scripts)),
    ...[...text.matchAll(/bun@([\d.]+)/g)]
      .map(([, version = ""]) => version)
      .filter((version) => version !== manifest.devDependencies.bun),
  ];
}

function isThere(name: string): boolean {
  // `<name>` and `*` stand for many.
  if (/[<*]/.test(name)) return true;
  if (/^(unit|kernel|contract|flow|browser)\//.test(name)) return existsSync(join(root, "test", `${name}.test.ts`));
  return !firstWords.test(name) || existsSync(join(root, name));
}

function leadsSomewhere(link: string): boolean {
  if (/^https?:/.test(link)) return true;
  const [path = "", heading] = link.split("#");
  if (!existsSync(join(root, path))) return false;
  return heading === undefined || headingsOf(read(path)).includes(heading);
}

/** The headings as links name them: `who-asks` of `### Who asks`. */
function headingsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );
}

describe("the guides name what is there", () => {
  test.each(guides)("%s", (guide) => expect(strays(read(guide))).toEqual([]));

  test.each([
    ["`test/unit/never.test.ts`", "test/unit/never.test.ts"],
    ["`npx bun run test test/unit/never.test.ts`", "test/unit/never.test.ts"],
    ["guarded by `unit/never`", "unit/never"],
    ["[Limits](DESIGN.md#no-limits)", "DESIGN.md#no-limits"],
    ["[more](docs/more.md)", "docs/more.md"],
    ["`npx bun run never`", "never"],
    ["`npx --yes bun@1.0.0 run dev`", "1.0.0"],
  ])("%s leads nowhere", (text, stray) => expect(strays(text)).toEqual([stray]));
});

test("AGENTS.md names each file that is generated", () => {
  const [, list = ""] = /const generated:[^]*?= \[([^]*?)\n\];/.exec(read("dev/gen.ts")) ?? [];
  const paths = [...list.matchAll(/path: "([^"]+)"/g)].map(([, path = ""]) => path);
  expect(paths.length).toBeGreaterThan(3);
  const unnamed = paths.filter((path) => !read("AGENTS.md").includes(`\`${path}\``));
  expect(unnamed.filter((path) => !path.startsWith("redpanda/kubernetes/components/"))).toEqual([]);
});

test("SECURITY.md supports the version that this is", () => {
  const [major, minor] = manifest.version.split(".");
  expect(read("SECURITY.md")).toContain(`Version ${major}.${minor} is the only one`);
});

test("README names the descriptions that the gateway serves", () => {
  const text = read("README.md");
  const served = ["/docs", "/openapi.json", "/asyncapi.json", "/llms.txt"];
  expect(served.filter((path) => !text.includes(`\`${path}\``))).toEqual([]);
});
