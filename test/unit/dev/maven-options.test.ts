import { expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { mavenOptions } from "../../../dev/stack/maven-parts.ts";

const home = tmpdir();

test("Maven lives in the home that HOME names, unless the user's own options say otherwise", () => {
  expect(mavenOptions({ HOME: home })).toBe(`-Duser.home=${home}`);
  // Of two the later counts.
  expect(mavenOptions({ HOME: home, MAVEN_OPTS: "-Duser.home=/other" })).toBe(`-Duser.home=${home} -Duser.home=/other`);
});

test.each([undefined, "", `${home}/not/there`, `${home}/with space`])("a HOME of %p is left to Java", (HOME) => {
  expect(mavenOptions({ HOME, MAVEN_OPTS: "-Xmx1g" })).toBe("-Xmx1g");
});
