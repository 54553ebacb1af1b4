import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");
const design = readFileSync(join(root, "DESIGN.md"), "utf8");

/** The text below a heading of the second level, to the next one. */
function chapter(text: string, title: string): string {
  const [, below] = text.split(`\n## ${title}\n`);
  if (below === undefined) throw new Error(`DESIGN.md has no chapter ${title}`);
  return below.split("\n## ")[0] ?? "";
}

/** The numbered steps of a chapter, each as one line. */
function stepsOf(text: string): readonly string[] {
  const steps = text.split(/\n(?=\d+\. |\n)/).filter((part) => /^\d+\. /.test(part));
  return steps.map((step) => step.replaceAll(/\s+/g, " "));
}

/** What is wrong with a step: a function that its file does not export, a file alone, or no function at all. */
function mistakesOf(step: string): readonly string[] {
  const named = [...step.matchAll(/`(\w+)` \(`([\w./-]+\.ts)`\)/g)].map(([, name = "", file = ""]) => ({ name, file }));
  const files = [...step.matchAll(/`[\w./-]+\.ts`/g)];
  if (named.length === 0 || files.length !== named.length) return [`not a function and its file: ${step}`];
  return named.flatMap(({ name, file }) => {
    const source = existsSync(join(root, file)) ? readFileSync(join(root, file), "utf8") : "";
    const isExported = new RegExp(`^export (async )?(function|const) ${name}\\b`, "m").test(source);
    return isExported ? [] : [`${file} exports no ${name}`];
  });
}

test("every step of the three journeys names functions that its files export", () => {
  const steps = stepsOf(chapter(design, "Three journeys"));
  expect(steps.length).toBe(21);
  expect(steps.flatMap(mistakesOf)).toEqual([]);
});

test("a step with a function that moved, or with a file alone, is a mistake", () => {
  expect(mistakesOf("1. `park` (`shared/consume/park.ts`) parks.")).toEqual(["shared/consume/park.ts exports no park"]);
  expect(mistakesOf("1. `parked` (`shared/consume/parking/park.ts`) parks.")).toHaveLength(1);
  expect(mistakesOf("1. `shared/consume/parking/park.ts` parks.")).toHaveLength(1);
  expect(mistakesOf("1. `park` (`shared/consume/parking/park.ts`) parks.")).toEqual([]);
});

test("the glossary defines each word once", () => {
  const entries = [...chapter(design, "Words").matchAll(/^- ((?:\*\*[\w -]+\*\*(?:, )?)+):/gm)];
  const words = entries.flatMap(([, heads = ""]) => [...heads.matchAll(/\*\*(.+?)\*\*/g)].map(([, word]) => word));
  expect(words.length).toBeGreaterThan(25);
  expect(words.filter((word, index) => words.indexOf(word) !== index)).toEqual([]);
});

/** The entries of a list, each as one line. */
function entriesOf(text: string): readonly string[] {
  const entries = text.split(/\n(?=- |#|\n)/).filter((part) => /^\s*- /.test(part));
  return entries.map((entry) => entry.trim().replaceAll(/\s+/g, " "));
}

const guardOf = / Guard: (comment in )?`[^`]+`(, `[^`]+`)*( \([^)]+\))?(, `[^`]+`)*$/;

test("every entry of what is not obvious names its guard", () => {
  const entries = entriesOf(chapter(design, "Not obvious"));
  expect(entries.length).toBeGreaterThan(120);
  expect(entries.filter((entry) => !guardOf.test(entry))).toEqual([]);
  expect(guardOf.test("- Marks go by ids. Otherwise: a message is lost.")).toBe(false);
});

/** The tests and files that a text names and that are not there. */
function missingGuards(text: string): readonly string[] {
  const named = [...text.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
  return named.filter((name) => {
    if (/^(unit|kernel|contract|flow|browser)\//.test(name)) return !existsSync(join(root, "test", `${name}.test.ts`));
    if (/^(workers|shared|test|dev)\//.test(name)) return !existsSync(join(root, name));
    return false;
  });
}

test("every test and file that DESIGN names is there", () => {
  expect(missingGuards(design)).toEqual([]);
  expect(missingGuards("guarded by `unit/never-written`")).toEqual(["unit/never-written"]);
});
