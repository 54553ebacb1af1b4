import { expect, test } from "bun:test";
import { parseArguments } from "../../../dev/run/arguments.ts";
import { parseTestArguments } from "../../../dev/testing/tiers.ts";

test("without arguments everything runs, once", () => {
  expect(parseArguments([])).toEqual({
    command: "run",
    json: false,
    reset: false,
    stackOnly: false,
    only: undefined,
    scale: new Map(),
  });
});

test("values follow a flag by a space or an equals sign, and lists by commas or repetition", () => {
  expect(parseArguments(["--only", "a,b", "--only=c"]).only).toEqual(["a", "b", "c"]);
  expect([...parseArguments(["--scale=a=2,b=3", "--scale", "c=4"]).scale]).toEqual([
    ["a", 2],
    ["b", 3],
    ["c", 4],
  ]);
});

test("status takes --json", () => {
  expect(parseArguments(["status", "--json"])).toMatchObject({ command: "status", json: true });
});

test.each([
  [["--sclae", "a=2"], '"--sclae" is not known'],
  [["--only"], "--only needs a value"],
  [["--scale", "a"], 'not "a"'],
  [["--scale", "a=0"], "from 1 to 20"],
  [["--scale", "a=21"], "from 1 to 20"],
])("%p is refused in words", (argv, words) => {
  expect(() => parseArguments(argv)).toThrow(words);
});

test("a test run without a tier is all of them, in order", () => {
  expect(parseTestArguments([])).toEqual({
    tiers: ["unit", "kernel", "contract", "flow", "browser"],
    long: false,
    filters: [],
  });
  expect(parseTestArguments(["flow", "unit", "--long"])).toEqual({ tiers: ["unit", "flow"], long: true, filters: [] });
});

test("a path chooses the tier that holds it", () => {
  expect(parseTestArguments(["./test/flow/kill.test.ts"])).toEqual({
    tiers: ["flow"],
    long: false,
    filters: ["./test/flow/kill.test.ts"],
  });
  expect(() => parseTestArguments(["kill.test.ts"])).toThrow("neither a tier nor a path");
});
