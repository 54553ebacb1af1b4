import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { areas } from "../mutations/areas.ts";
import { mutate } from "../mutations/plant.ts";
import { faults } from "../support/plant.ts";

const root = join(import.meta.dir, "../..");
const all = areas.flatMap((area) => area.mutations.map((mutation) => ({ area, mutation })));
const transpiler = new Bun.Transpiler({ loader: "ts" });

test.each(all)("can be planted: $mutation.breaks", ({ mutation }) => {
  const source = readFileSync(join(root, mutation.file), "utf8");
  const mutant = mutate(source, mutation);
  expect(mutant).not.toBe(source);
  expect(() => transpiler.transformSync(mutant)).not.toThrow();
});

test.each(Object.entries(faults))("the kernel's tests can plant: %s", (_, { file, and, ...fault }) => {
  const source = readFileSync(join(root, "shared", file), "utf8");
  for (const { replace } of and ? [fault, and] : [fault]) expect(source.split(replace).length - 1).toBe(1);
});

test("each has a name of its own, and tests that are there", () => {
  expect(new Set(all.map(({ mutation }) => mutation.breaks)).size).toBe(all.length);
  const files = new Set(all.flatMap(({ area, mutation }) => mutation.tests ?? area.tests));
  expect([...files].filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

test.each(all.filter(({ mutation }) => mutation.title !== undefined))(
  "the one test that is run is there: $mutation.breaks",
  ({ area, mutation: { tests = area.tests, title = "" } }) => {
    for (const file of tests) expect(readFileSync(join(root, file), "utf8")).toContain(title);
  },
);

test("the record has a line for each, and each says which test caught it", () => {
  const lines = readFileSync(join(root, "test/mutations/caught.md"), "utf8").split("\n");
  const isCaught = (breaks: string) => lines.some((line) => line.startsWith(`- ${breaks}: \`test/`));
  expect(all.map(({ mutation: { breaks } }) => breaks).filter((breaks) => !isCaught(breaks))).toEqual([]);
});
