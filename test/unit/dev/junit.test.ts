import { expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addCounts, readJunit, renderCounts } from "../../../dev/testing/junit.ts";

test("a report written by this bun is counted test by test", async () => {
  const directory = await mkdtemp(join(tmpdir(), "taskwire-junit-"));
  try {
    await writeFile(
      join(directory, "a.test.ts"),
      `import { describe, expect, test } from "bun:test";
       describe("outer", () => { test("works with <b> & \\"quotes\\"", () => {}); test("fails", () => { expect(1).toBe(2); }); });
       test.skip("skipped", () => {}); test.todo("later"); test("also works", () => {});`,
    );
    const report = join(directory, "report.xml");
    const child = Bun.spawn([process.execPath, "test", "--reporter=junit", `--reporter-outfile=${report}`, "."], {
      cwd: directory,
      stdout: "ignore",
      stderr: "ignore",
    });
    expect(await child.exited).toBe(1);
    const { counts, cases } = readJunit(await Bun.file(report).text());
    expect(counts).toEqual({ passed: 2, failed: 1, skipped: 2 });
    expect(cases.map(({ name, failed }) => [name, failed])).toEqual([
      ['outer > works with <b> & "quotes"', false],
      ["outer > fails", true],
      ["also works", false],
    ]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test("the last line names what was skipped only when something was", () => {
  expect(renderCounts({ passed: 3, failed: 0, skipped: 0 })).toBe("3 passed, 0 failed");
  const sum = addCounts({ passed: 3, failed: 1, skipped: 0 }, { passed: 1, failed: 0, skipped: 2 });
  expect(renderCounts(sum)).toBe("4 passed, 1 failed, 2 skipped");
});

test("a report names the files it holds, so that those left out can be told", () => {
  const xml = `<testsuites><testsuite name="a" file="test/unit/a.test.ts" tests="1"><testsuite name="in" file="test/unit/a.test.ts"><testcase name="x" time="0" /></testsuite></testsuite><testsuite name="b" file="test/unit/b.test.ts"></testsuite></testsuites>`;
  expect(readJunit(xml).files).toEqual(["test/unit/a.test.ts", "test/unit/b.test.ts"]);
});
